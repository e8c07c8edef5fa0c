using Agnes.Cli.Output;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Doctor;

/// <summary>This machine: disk, workspace, tables, hooks, sessions.</summary>
internal sealed class LocalChecks(Host host, Layout layout)
{
    private const long FreeBytesLow = 1L << 30;
    private const long FreeBytesOut = 64L << 20;
    private const int ViewsReadMax = 500;
    private static readonly TimeSpan OldAfter = TimeSpan.FromHours(24);

    public IReadOnlyList<Check> Run()
    {
        var checks = new List<Check> { Disk(), Workspace() };
        if (!Directory.Exists(layout.Claude)) return checks;
        var (state, warning) = PullState.Read(layout);
        checks.Add(Freshness(state, warning));
        checks.Add(Files(state));
        checks.Add(Data(state));
        checks.Add(Hooks());
        checks.Add(Sessions());
        return checks;
    }

    private Check Disk()
    {
        var free = new DriveInfo(Directory.Exists(layout.Root) ? layout.Root : Path.GetTempPath()).AvailableFreeSpace;
        const string Remedy = "Make room: agnes snapshot list, agnes snapshot drop <name>, agnes disk-info";
        return free switch
        {
            < FreeBytesOut => new Check("disk", Check.Error, $"{Columns.Bytes(free)} free", Remedy),
            < FreeBytesLow => new Check("disk", Check.Warning, $"{Columns.Bytes(free)} free", Remedy),
            _ => Check.Ok("disk", $"{Columns.Bytes(free)} free"),
        };
    }

    private Check Workspace()
    {
        if (File.Exists(layout.Sentinel)) return Check.Ok("workspace", layout.Root);
        return File.Exists(layout.ClaudeMd) && Directory.Exists(layout.Claude)
            ? new Check("workspace", Check.Warning, $"{layout.Root}: its init did not end", "Run the same 'agnes init …' again; it goes on where it stopped.")
            : new Check("workspace", Check.Warning, $"{layout.Root} is not set up", "agnes init --server-url URL --token -");
    }

    private Check Freshness(PullState state, string? warning)
    {
        if (warning is not null) return new Check("freshness", Check.Warning, warning, "agnes pull");
        if (!File.Exists(layout.State)) return new Check("freshness", Check.Warning, "nothing was pulled yet", "agnes pull");
        if (state.Servers.Values.FirstOrDefault(server => server.HeldSince is not null) is { HeldSince: { } since }) return new Check("freshness", Check.Warning, $"rolled back at {since}; newer tables are not brought", "agnes pull");
        if (state.Servers.Values.Any(server => server.IsCommitting)) return new Check("freshness", Check.Warning, "a pull was interrupted", "agnes pull");
        var age = host.Clock.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(layout.State);
        return age > OldAfter ? new Check("freshness", Check.Warning, $"pulled {HookCommands.Age(age)} ago", "agnes pull") : Check.Ok("freshness", $"pulled {HookCommands.Age(age)} ago");
    }

    /// <summary>By the rule that a pull goes by, so that what one calls whole the other does not mend.</summary>
    private static bool IsWhole(string name, IReadOnlyList<TablePart> parts, DiskListing disk) =>
        parts.All(disk.HasPart) && WantedTable.Links(name, parts).All(link => disk.HasLink(link.Path, link.Part.SizeBytes));

    private Check Files(PullState state)
    {
        var disk = DiskListing.Read(layout);
        var missing = state.Servers.Values.SelectMany(server => server.Tables).Where(table => !IsWhole(table.Key, table.Value.Parts, disk)).Select(table => table.Key).Order(StringComparer.Ordinal).ToList();
        var problems = state.Servers.Values.SelectMany(server => server.Tables).Where(table => table.Value.Problem is not null).Select(table => $"{table.Key}: {table.Value.Problem}").ToList();
        if (missing.Count > 0) return new Check("files", Check.Error, $"files are missing or of another size: {string.Join(", ", missing)}", "agnes pull");
        if (problems.Count > 0) return new Check("files", Check.Error, string.Join("; ", problems), "Tell an admin; the other tables can be queried.");
        return Check.Ok("files", $"{state.Servers.Values.Sum(server => server.Tables.Count)} tables, {disk.Parts.Count} files");
    }

    /// <summary>Opens the database as a query does, and reads from each table.</summary>
    private Check Data(PullState state)
    {
        if (!File.Exists(layout.Database)) return new Check("data", Check.Warning, "there is no local database yet", "agnes pull");
        try
        {
            using var session = LocalSession.Open(layout, [], host.Clock);
            var names = session.TableNames();
            var absent = state.Servers.Values.SelectMany(server => server.Tables.Keys).Except(names, StringComparer.OrdinalIgnoreCase).ToList();
            if (absent.Count > 0) return new Check("data", Check.Error, $"not in the local database: {string.Join(", ", absent)}", "agnes pull");
            foreach (var name in names.Take(ViewsReadMax)) ReadOne(session, name);
            return Check.Ok("data", $"{names.Count} tables and snapshots can be read");
        }
        catch (CliException problem)
        {
            return new Check("data", Check.Error, problem.Message.Split('\n', 2)[0], problem.Hint ?? "agnes pull");
        }
    }

    private static void ReadOne(LocalSession session, string name)
    {
        try
        {
            using var rows = session.Run($"SELECT 1 FROM {SqlText.Identifier(name)} LIMIT 1");
            rows.Read();
        }
        catch (Exception problem) when (problem is DuckDBException or CliException)
        {
            throw new CliException($"'{name}' cannot be read: {problem.Message.Split('\n', 2)[0]}") { Hint = $"agnes pull; where that does not help, remove its files below {"server/parts"} and pull again" };
        }
    }

    private Check Hooks()
    {
        if (!File.Exists(layout.Settings)) return new Check("hooks", Check.Warning, "there is no .claude/settings.json: sessions do not pull by themselves", "agnes init --force …");
        if (AgentSettings.Read(layout.Settings, out var problem) is not { } settings) return new Check("hooks", Check.Warning, $".claude/settings.json: {problem}", "Correct the file, then: agnes init --force …");
        return AgentHooks.AreInstalled(settings) ? Check.Ok("hooks", "installed") : new Check("hooks", Check.Warning, "ours are not in .claude/settings.json", "agnes init --force …");
    }

    private Check Sessions()
    {
        var queue = new SessionQueue(layout, host.Clock);
        var isPrivate = queue.PrivateIds();
        var waiting = queue.Peek().Count(entry => !isPrivate.Contains(entry.Id));
        var last = File.Exists(layout.CaptureLog) ? File.ReadLines(layout.CaptureLog).LastOrDefault() : null;
        var outcome = last?.Split('\t').ElementAtOrDefault(1);
        return outcome is not (null or "ok" or "private_skip")
            ? new Check("sessions", Check.Warning, $"the last session was not captured: {DisplayText.Message(outcome)}", $"See {layout.CaptureLog}")
            : new Check("sessions", Check.Info, $"{waiting} wait to be uploaded", waiting > 0 ? "agnes push" : null);
    }
}
