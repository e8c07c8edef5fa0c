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

    public string Main => Path.Combine(Options.StateDir, "system.duckdb");

    public static Task<StatePlace> EmbeddedAsync() => NewAsync(StateEngine.DuckDb, null!);

    /// <summary>An embedded state that was closed in order.</summary>
    public static async Task<StatePlace> WithUserAsync(int users = 1)
    {
        var place = await EmbeddedAsync();
        await using var state = await StateDb.OpenAsync(place.Options with { CheckSnapshot = false });
        await Task.WhenAll(Enumerable.Range(0, users).Select(i => state.WriteAsync(write => write.AddUserAsync($"u{i}@example.com"))));
        return place;
    }

    /// <summary>An embedded state as a killed process leaves it: with a log of so many commits, each a user.</summary>
    public static async Task<StatePlace> CrashedAsync(int commits)
    {
        using var live = await EmbeddedAsync();
        await (await live.OpenAsync()).DisposeAsync();
        var crashed = new StatePlace(new(), live.Options);
        crashed = new(crashed.Folder, live.Options with { DataDir = crashed.Folder.Path, StateDir = crashed.Folder["state"] });
        await using var state = await live.OpenAsync();
        for (var i = 0; i < commits; i++) await state.WriteAsync(write => write.AddUserAsync($"u{i}@example.com"));
        Directory.CreateDirectory(crashed.Options.StateDir);
        foreach (var name in (string[])["system.duckdb", "system.duckdb.wal", "state.version"])
        {
            await CopyAsync(Path.Combine(live.Options.StateDir, name), Path.Combine(crashed.Options.StateDir, name));
        }
        return crashed;
    }

    /// <summary>By another program: opening a file in this process would release the lock that the engine has on it.</summary>
    public static async Task CopyAsync(string from, string to)
    {
        using var copy = System.Diagnostics.Process.Start("/bin/cp", [from, to]);
        await copy.WaitForExitAsync();
        copy.ExitCode.ShouldBe(0);
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

    public static async Task PublishAsync(this StateWrite write, PublishedVersion version)
    {
        await write.ExecuteAsync(
            """
            INSERT INTO table_versions (name, number, source, columns, rows, bytes, rendition, md5, parts_digest, query_mode, extracted_at, published_at, superseded_at)
            VALUES (@Name, @Number, @Source, @columns, @Rows, @Bytes, @Rendition, @Md5, @PartsDigest, @QueryMode, @ExtractedAt, @PublishedAt, @SupersededAt)
            """,
            new
            {
                version.Name,
                version.Number,
                version.Source,
                columns = StateJson.WriteColumns(version.Columns),
                version.Rows,
                version.Bytes,
                version.Rendition,
                version.Md5,
                version.PartsDigest,
                version.QueryMode,
                version.ExtractedAt,
                version.PublishedAt,
                version.SupersededAt,
            });
        await write.ExecuteAsync(
            """
            INSERT INTO version_parts (name, number, ordinal, part_name, sha256, size_bytes, rows)
            VALUES (@name, @number, @ordinal, @partName, @sha256, @size, @rows)
            """,
            version.Parts.Select((part, ordinal) => new
            {
                name = version.Name,
                number = version.Number,
                ordinal,
                partName = part.Name,
                sha256 = part.Sha256,
                size = part.SizeBytes,
                rows = part.Rows,
            }).ToList());
        write.Apply(snapshot => snapshot.WithVersion(version));
    }
}
