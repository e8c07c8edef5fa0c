using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>
/// Takes over another installation: keys first, so that no server can make its own meanwhile; then rows, configuration and extracts. Its database is copied and read in a process of
/// its own; its extracts are copied and not opened at all.
/// </summary>
internal sealed class ImportRun(ImportOptions given, ServerOptions options, TimeProvider time)
{
    public const string ReportName = "import-report.json";

    /// <summary>What publishing makes anew, so that nothing is lost by not taking it.</summary>
    private static readonly string[] Derived = ["sync_state", "sync_history", "view_ownership", "table_profiles", "bq_metadata_cache"];

    private readonly ImportReport _report = new();

    /// <exception cref="ImportException">It cannot be imported.</exception>
    /// <exception cref="StateRefusedException">This server's state is in use or cannot be opened.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken stop)
    {
        var from = given.From is { } folder ? Installation.Find(given, folder) : null;
        if (from is not null && Path.GetFullPath(from.StateDir) == options.StateDir) throw new ImportException($"{from.StateDir} is this server's own state folder. Move it away, or give another --data-dir.");
        var scratch = new Scratch(new DataFolder(given.DryRun ? Path.Combine(Path.GetTempPath(), $"agnes-import-{Guid.NewGuid():N}") : options.DataDir).Scratch);
        try
        {
            using var home = scratch.NewFolder("import");
            await using var database = from is null ? null : await ForeignDatabase.OpenAsync(from, home.Path, ChildWalls.ProgramOf(options), stop);

            // Everything that can be refused is refused before anything is written.
            if (!given.DryRun) await UnfinishedImport.BeginAsync(options.StateDir, Command(), stop);
            await WriteAsync(from, database, home.Path, stop);
            if (!given.DryRun) UnfinishedImport.End(options.StateDir);
            return _report;
        }
        finally
        {
            if (given.DryRun) Directory.Delete(Path.GetDirectoryName(scratch.Root)!, recursive: true);
        }
    }

    private async Task WriteAsync(Installation? from, ForeignDatabase? database, string home, CancellationToken stop)
    {
        var kinds = new SourceKinds(SourceList.All);
        var files = from is null ? null : new ImportFiles(from, options, _report, home, given.DryRun);
        if (files is not null) await files.TakeSecretsAsync(stop);
        await using (var state = await OpenAsync(home, stop))
        {
            var rows = new ImportRows(state, _report);
            if (database is not null) await WriteRowsAsync(from!, database, kinds, state, rows, stop);
            if ((from?.RegistryFile ?? given.RegistryFile) is { } registry)
            {
                var settings = from is null ? ForeignSettings.None : ForeignSettings.Of(from, options.Variables);
                await rows.WriteTablesAsync(RegistryFile.Read(registry, given.SourceType, kinds, settings, _report, time.GetUtcNow().UtcDateTime), stop);
            }
            if (given.PasswordLinks is { } links && !given.DryRun) await WriteLinksAsync(state, links, stop);
        }

        if (files is null) return;
        await files.TakeConfigurationAsync(new SecretStore(options.StateDir), time, stop);
        await files.TakeExtractsAsync(stop);
        if (!given.DryRun) await PrivateFile.ReplaceAsync(Path.Combine(options.StateDir, ReportName), _report.ToJson().ToJsonString(), stop);
    }

    private async Task WriteRowsAsync(Installation from, ForeignDatabase database, SourceKinds kinds, StateDb state, ImportRows rows, CancellationToken stop)
    {
        var foreign = database.Held;
        var now = state.Options.Time.GetUtcNow().UtcDateTime;
        now = new DateTime(now.Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
        _report.Version = foreign.Version;
        var plan = ImportPlan.Of(foreign, _report, kinds, ForeignSettings.Of(from, options.Variables), now);
        await rows.WriteAsync(plan, stop);
        var history = new ImportHistory(state, _report);
        await foreach (var row in database.HistoryAsync(stop)) await history.AddAsync(row, stop);
        await history.FlushAsync(stop);
        await history.AddDroppedAsync(plan, now, stop);
        foreach (var (table, count) in foreign.Counts.Where(table => table.Value > 0 && !ForeignDatabase.Reads(table.Key)))
        {
            _report.Leave($"rows of {table}", count.ToString(System.Globalization.CultureInfo.InvariantCulture), Derived.Contains(table) ? "made anew by the first sync" : "nothing here keeps them yet; keep the old database");
        }

        if (_report.Taken.Count == 0) return;
        var what = _report.ToJson();
        await state.WriteAsync(
            write =>
            {
                write.Audit(null, "import.completed", "state", new JsonObject { ["schema_version"] = foreign.Version, ["taken"] = what["taken"]!.DeepClone() });
                return Task.CompletedTask;
            },
            stop);
    }

    /// <summary>In a dry run, a copy of the state that is there, or an empty one.</summary>
    private async Task<StateDb> OpenAsync(string home, CancellationToken stop)
    {
        var real = new StateOptions { DataDir = options.DataDir, StateDir = options.StateDir, ConnectionString = options.StateUrl, Time = time, EveryoneByHand = true };
        if (!given.DryRun) return await StateDb.OpenAsync(real, cancellation: stop);
        var folder = Directory.CreateDirectory(Path.Combine(home, "state")).FullName;
        if (options.StateUrl is not null) _report.Change("state", "dry run", "compared with an empty state, since the real one is in PostgreSQL");
        else if (Directory.Exists(options.StateDir))
        {
            foreach (var file in Directory.GetFiles(options.StateDir, $"{Installation.DatabaseName}*").Concat(Directory.GetFiles(options.StateDir, Platform.State.Engines.CommitMark.FileName))) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return await StateDb.OpenAsync(real with { StateDir = folder, ConnectionString = null }, cancellation: stop);
    }

    private async Task WriteLinksAsync(StateDb state, string file, CancellationToken stop)
    {
        var address = LastAddress.Of(options);
        var lines = new List<string>();
        foreach (var email in _report.NeedPassword)
        {
            if (state.Snapshot.UserByEmail(email) is not { Active: true, PasswordHash: ['$', ..] } user || Passwords.IsUsable(user.PasswordHash)) continue;
            var token = await state.WriteAsync(write => PasswordLinks.CreateAsync(write, user.Id, LinkPurpose.Setup), stop);
            lines.Add($"{user.Email}\t{address}/auth/password/setup?email={Uri.EscapeDataString(user.Email)}&token={token}\n");
        }

        await PrivateFile.ReplaceAsync(Path.GetFullPath(file), string.Concat(lines), stop);
        _report.Take("password links", lines.Count);
    }

    private string Command() => $"agnes-server import{(given.From is { } from ? $" --from {Path.GetFullPath(from)}" : "")}{(given.RegistryFile is { } file ? $" --registry {Path.GetFullPath(file)}" : "")} --data-dir {options.DataDir}";
}
