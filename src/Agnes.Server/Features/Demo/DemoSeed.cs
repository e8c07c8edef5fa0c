using System.Security.Cryptography;
using Agnes.Server.Features.Tokens;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Demo;

/// <summary>Makes what the demo needs and what is not there yet. What an earlier start made is used again while it still works.</summary>
internal sealed class DemoSeed(StateDb state, Passwords passwords, SessionTokens tokens, SigningKey key, ServerOptions options)
{
    private const int PasswordBytes = 12;
    private const string TokenName = "demo";
    private const string TokenScope = "general";
    private const string MembershipSource = "admin";
    private const string By = "demo";

    /// <exception cref="OptionsException">The server is somebody's already.</exception>
    public async Task<DemoContents> EnsureAsync(DemoContents? before, string url, CancellationToken cancellation)
    {
        var snapshot = state.Snapshot;
        if (before is null && snapshot.UsersById.Values.Any(user => !DemoPlan.Knows(user.Email) && !string.Equals(user.Email, options.SeedAdminEmail, StringComparison.OrdinalIgnoreCase)))
            throw new OptionsException($"--demo fills an empty server, and {options.DataDir} already has users. Start without --demo, or name another --data-dir.");

        var admin = await PlanAsync(DemoPlan.AdminEmail, before?.Admin.Password, before?.Admin.Token, cancellation);
        var people = new List<Person>();
        foreach (var group in DemoPlan.Groups)
        {
            var known = before?.Analysts.FirstOrDefault(analyst => analyst.Email == group.Email);
            people.Add(await PlanAsync(group.Email, known?.Password, known?.Token, cancellation));
        }
        return await state.WriteAsync(write => WriteAsync(write, url, admin, people), cancellation);
    }

    private async Task<DemoContents> WriteAsync(StateWrite write, string url, Person admin, IReadOnlyList<Person> people)
    {
        var (adminUser, adminToken) = await EnsurePersonAsync(write, admin, DemoPlan.AdminName, Snapshot.AdminGroup);
        foreach (var (name, description) in DemoPlan.Tables) await EnsureTableAsync(write, Caller.Of(write.Current, adminUser, CallerKind.Session), name, description);
        var analysts = new List<DemoAnalyst>();
        foreach (var (group, person) in DemoPlan.Groups.Zip(people))
        {
            await EnsureGroupAsync(write, group);
            var (_, token) = await EnsurePersonAsync(write, person, group.Person, group.Name);
            analysts.Add(new DemoAnalyst(person.Email, person.Password, token, [group.Name], group.Tables));
        }
        return new DemoContents(url, new DemoAdmin(admin.Email, admin.Password, adminToken), analysts);
    }

    /// <summary>Decides, outside the transaction, what has to be made: hashing a password takes its time.</summary>
    private async Task<Person> PlanAsync(string email, string? password, string? token, CancellationToken cancellation)
    {
        var user = state.Snapshot.UserByEmail(email);
        var valid = user is not null && token is not null && Jwt.Verify(key.Bytes, token) is { } claims
            && state.Snapshot.Token(claims.Id) is { RevokedAt: null } row && row.UserId == user.Id;
        if (user?.PasswordHash is not null && password is not null) return new Person(email, password, null, valid ? token : null);
        var fresh = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(PasswordBytes));
        return new Person(email, fresh, await passwords.HashAsync(fresh, cancellation), valid ? token : null);
    }

    private async Task<(UserRow User, string Token)> EnsurePersonAsync(StateWrite write, Person person, string name, string groupName)
    {
        var user = write.Current.UserByEmail(person.Email);
        if (user is null) user = await NewUser.AddAsync(write, person.Email, name, person.Hash);
        else if (person.Hash is { } hash) await UserStore.SetPasswordAsync(write, user, hash);

        var group = write.Current.GroupByName(groupName)!;
        if (!write.Current.GroupIdsOf(user.Id).Contains(group.Id)) await MembershipStore.AddAsync(write, user.Id, group.Id, MembershipSource, By);
        if (person.Token is { } token) return (user, token);
        var created = await CreateToken.AddAsync(write, tokens, Caller.Of(write.Current, user, CallerKind.Session), TokenName, TokenScope, lifetime: null);
        return (user, created.Token);
    }

    private static async Task EnsureGroupAsync(StateWrite write, DemoGroup group)
    {
        if (write.Current.GroupByName(group.Name) is not { } row)
        {
            row = new GroupRow { Id = Guid.NewGuid().ToString("N"), Name = group.Name, Description = group.Description, CreatedAt = write.Now, CreatedBy = By };
            await GroupStore.InsertAsync(write, row);
            write.Audit(null, "group.create", $"group:{row.Id}", new() { ["name"] = group.Name, ["by"] = By });
            foreach (var table in group.Tables) await GrantStore.AddAsync(write, row.Id, Access.TableType, table, By);
        }
    }

    private static async Task EnsureTableAsync(StateWrite write, Caller admin, string name, string description)
    {
        if (write.Current.Table(name) is not null) return;
        await TableRegistry.RegisterAsync(write, admin, new TableRow { Id = name, Name = name, SourceType = SampleKind.TypeName, Bucket = SampleKind.TypeName, Description = description });
    }

    private sealed record Person(string Email, string Password, string? Hash, string? Token);
}
