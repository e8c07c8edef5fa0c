using Agnes.Server.Platform.State;
using Agnes.Testing;

[assembly: AssemblyFixture(typeof(Postgres))]

namespace Agnes.Server.Tests.State;

/// <summary>A place for a state of one test, on one of the engines; opened as often as the test likes.</summary>
internal sealed class StatePlace : IDisposable
{
    private StatePlace(TemporaryFolder folder, StateOptions options) => (Folder, Options) = (folder, options);

    public TemporaryFolder Folder { get; }

    public StateOptions Options { get; }

    public static async Task<StatePlace> NewAsync(StateEngine engine, Postgres postgres, TimeProvider? time = null)
    {
        var folder = new TemporaryFolder();
        return new(folder, new()
        {
            DataDir = folder.Path,
            StateDir = folder["state"],
            ConnectionString = engine == StateEngine.Postgres ? await postgres.NewDatabaseAsync() : null,
            Time = time ?? TimeProvider.System,
            CheckSnapshot = true,
        });
    }

    public Task<StateDb> OpenAsync() => StateDb.OpenAsync(Options);

    public void Dispose() => Folder.Dispose();
}

/// <summary>Rows as the features write them.</summary>
internal static class Writes
{
    public static async Task<UserRow> AddUserAsync(this StateWrite write, string email)
    {
        var user = new UserRow { Id = write.NewId(), Email = email, CreatedAt = write.Now };
        await write.ExecuteAsync(
            "INSERT INTO users (id, email, active, created_at, onboarded) VALUES (@Id, @Email, @Active, @CreatedAt, @Onboarded)", user);
        write.Apply(snapshot => snapshot.WithUser(user));
        write.Audit(null, "user.create", $"user:{user.Id}", new() { ["email"] = email });
        return user;
    }

    public static async Task<GroupRow> AddGroupAsync(this StateWrite write, string name)
    {
        var group = new GroupRow { Id = write.NewId(), Name = name, CreatedAt = write.Now };
        await write.ExecuteAsync("INSERT INTO user_groups (id, name, is_system, created_at) VALUES (@Id, @Name, @IsSystem, @CreatedAt)", group);
        write.Apply(snapshot => snapshot.WithGroup(group));
        return group;
    }

    public static async Task AddMemberAsync(this StateWrite write, string userId, string groupId, string source = "admin")
    {
        var row = new MembershipRow { UserId = userId, GroupId = groupId, Source = source, AddedAt = write.Now };
        await write.ExecuteAsync("INSERT INTO user_group_members (user_id, group_id, source, added_at) VALUES (@UserId, @GroupId, @Source, @AddedAt)", row);
        write.Apply(snapshot => snapshot.WithMembership(row));
    }

    public static async Task<GrantRow> GrantAsync(this StateWrite write, string groupId, string type, string resource)
    {
        var grant = new GrantRow { Id = write.NewId(), GroupId = groupId, ResourceType = type, ResourceId = resource, AssignedAt = write.Now };
        await write.ExecuteAsync(
            """
            INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at)
            VALUES (@Id, @GroupId, @ResourceType, @ResourceId, @AssignedAt)
            """, grant);
        write.Apply(snapshot => snapshot.WithGrant(grant));
        return grant;
    }

    public static async Task<TokenRow> AddTokenAsync(this StateWrite write, string userId)
    {
        var token = new TokenRow { Id = write.NewId(), UserId = userId, Name = "laptop", TokenHash = new('a', 64), Prefix = "abcd", CreatedAt = write.Now };
        await write.ExecuteAsync(
            """
            INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at)
            VALUES (@Id, @UserId, @Name, @TokenHash, @Prefix, @CreatedAt)
            """, token);
        write.Apply(snapshot => snapshot.WithToken(token));
        return token;
    }
}
