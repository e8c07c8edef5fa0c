using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Engines;

namespace Agnes.Server.Features.SignIn;

/// <summary>
/// The way in when nobody can get in any more: <c>agnes-server break-glass grant-admin EMAIL</c>, for who may write the state's files. It makes the person an active admin,
/// and on request a link with which they set a password.
/// </summary>
internal static class BreakGlass
{
    public const int ExitAborted = 1;
    public const int ExitNoGroup = 2;
    private const string AddedBy = "cli:break-glass";

    public const string Usage = """
        agnes-server break-glass grant-admin EMAIL [--yes] [--link] [--data-dir DIR]

        Makes EMAIL an active admin; --link also prints a link to set a password. On embedded state the server must not run.
        """;

    /// <exception cref="OptionsException">The arguments are wrong.</exception>
    /// <exception cref="StateRefusedException">The state cannot be opened, or a server has it open.</exception>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Func<string, string?> environment, TextReader input, TextWriter output, CancellationToken stop)
    {
        var given = Given.Parse(args);
        var server = ServerOptions.From(given.DataDir is null ? [] : ["--data-dir", given.DataDir], environment);
        var options = new StateOptions { DataDir = server.DataDir, StateDir = server.StateDir, ConnectionString = server.StateUrl };
        if (options.Engine == StateEngine.DuckDb && !File.Exists(Path.Combine(options.StateDir, StateFiles.MainName))) throw new OptionsException($"There is no state in {options.StateDir}.");
        if (!given.Yes)
        {
            await output.WriteAsync($"Make {given.Email} an admin of this installation? [y/N] ");
            if ((await input.ReadLineAsync(stop))?.Trim().ToLowerInvariant() is not ("y" or "yes"))
            {
                await output.WriteLineAsync("Aborted.");
                return ExitAborted;
            }
        }

        await using var state = await StateDb.OpenAsync(options, cancellation: stop);
        var done = await state.WriteAsync(write => GrantAsync(write, given), stop);
        if (done is null)
        {
            await output.WriteLineAsync($"There is no group {Snapshot.AdminGroup}.");
            return ExitNoGroup;
        }

        await output.WriteLineAsync(done.WasAdmin ? $"{given.Email} is an active admin already." : $"{given.Email} is an admin now. Look at the audit log, and take this back when it is no longer needed.");
        if (done.Token is { } token) await output.WriteLineAsync(PasswordLinks.Address(LastAddress.Of(server), LinkPurpose.Reset, done.User.Email, token));
        return 0;
    }

    private static async Task<Outcome?> GrantAsync(StateWrite write, Given given)
    {
        if (write.Before.GroupByName(Snapshot.AdminGroup) is not { } admins) return null;
        var known = write.Before.UserByEmail(given.Email);
        var wasAdmin = known is { Active: true } && write.Before.IsAdmin(known.Id);
        var user = known ?? await NewUser.AddAsync(write, given.Email, given.Email[..given.Email.IndexOf('@', StringComparison.Ordinal)], passwordHash: null);
        if (!user.Active)
        {
            user = user with { Active = true, DeactivatedAt = null, DeactivatedBy = null };
            await UserStore.UpdateAsync(write, user);
        }

        if (!write.Current.IsAdmin(user.Id)) await MembershipStore.AddAsync(write, user.Id, admins.Id, MembershipStore.BreakGlassSource, AddedBy);
        var token = given.Link ? await PasswordLinks.CreateAsync(write, user.Id, LinkPurpose.Reset) : null;
        if (!wasAdmin || token is not null) write.Audit(null, "break_glass", $"user:{user.Id}", new JsonObject { ["email"] = user.Email, ["link"] = token is not null, ["by"] = AddedBy });
        return new Outcome(user, wasAdmin, token);
    }

    private sealed record Outcome(UserRow User, bool WasAdmin, string? Token);

    private sealed record Given(string Email, bool Yes, bool Link, string? DataDir)
    {
        public static Given Parse(IReadOnlyList<string> args)
        {
            if (args is not ["grant-admin", ..]) throw new OptionsException(Usage);
            var given = new Given("", Yes: false, Link: false, DataDir: null);
            for (var at = 1; at < args.Count; at++)
            {
                given = args[at] switch
                {
                    "--yes" or "-y" => given with { Yes = true },
                    "--link" => given with { Link = true },
                    "--data-dir" when at + 1 < args.Count => given with { DataDir = args[++at] },
                    ['-', ..] => throw new OptionsException($"Unknown argument '{args[at]}'.\n\n{Usage}"),
                    _ when given.Email.Length > 0 => throw new OptionsException($"One e-mail address is expected.\n\n{Usage}"),
                    _ => given with { Email = args[at] },
                };
            }

            return EmailAddress.IsValid(given.Email) ? given : throw new OptionsException($"Who? Give an e-mail address.\n\n{Usage}");
        }
    }
}
