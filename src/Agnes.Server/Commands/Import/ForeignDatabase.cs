using System.Runtime.CompilerServices;
using Agnes.Engine.Extracts;
using Agnes.Engine.Foreign;
using Agnes.Engine.Limits;
using Agnes.Engine.Workers;

namespace Agnes.Server.Commands.Import;

/// <summary>A copy of another installation's database, read once from front to back by a process of its own: first the tables that are held, then the long history.</summary>
internal sealed class ForeignDatabase : IAsyncDisposable
{
    private const int VersionMax = 40;
    private const int HeldRowsMax = 2_000_000;
    private const string History = "audit_log";

    private static readonly string[] HeldTables =
    [
        "schema_version", "users", "personal_access_tokens", "user_groups", "user_group_members", "resource_grants", "table_registry",
        "dataset_permissions", "access_requests", "user_sync_settings", "internal_roles", "group_mappings", "user_role_grants", "plugin_access",
        ForeignKnowledge.Metrics, ForeignKnowledge.Columns, ForeignKnowledge.Templates, .. ForeignKnowledge.SingleTemplates.Select(single => single.Table),
    ];

    private readonly IAsyncEnumerator<ForeignLine> _lines;
    private bool _atHistory;

    private ForeignDatabase(IAsyncEnumerator<ForeignLine> lines, ForeignState held, bool atHistory) => (_lines, Held, _atHistory) = (lines, held, atHistory);

    public ForeignState Held { get; }

    public static bool Reads(string table) => table == History || HeldTables.Contains(table);

    /// <exception cref="ImportException">It cannot be read, or is of no version that can be imported.</exception>
    public static async Task<ForeignDatabase> OpenAsync(Installation from, string home, WorkerProgram program, CancellationToken stop)
    {
        var copy = await CopyAsync(from, home, stop);
        var share = Budget.FromTotal(Budget.TotalBytesMin, Environment.ProcessorCount).Jobs;
        ForeignTable[] tables = [.. HeldTables.Select(name => new ForeignTable(name, [])), new ForeignTable(History, ["timestamp", "id"])];
        var lines = ForeignTables.ReadAsync(program, home, share, copy, tables, stop).GetAsyncEnumerator(stop);
        try
        {
            IReadOnlyDictionary<string, long> counts = new Dictionary<string, long>();
            var rows = new List<(string Table, ForeignRow Row)>();
            var atHistory = false;
            while (!atHistory && await NextAsync(lines))
            {
                counts = lines.Current.Counts ?? counts;
                if (lines.Current.Table == History) atHistory = true;
                else if (lines.Current.Row is { } columns) rows.Add((lines.Current.Table!, new ForeignRow(columns)));
                if (rows.Count > HeldRowsMax) throw new ImportException($"The database has more than {HeldRowsMax} users, groups, grants, tokens, tables and descriptions: it cannot be such an installation's. Nothing was changed.");
            }

            var version = rows.Where(found => found.Table == "schema_version").Max(found => found.Row.Integer("version")) ?? 0;
            if (version < 1) throw new ImportException("The database has no schema version: it is not of such an installation. Nothing was changed.");
            if (version > VersionMax) throw new ImportException($"The database has schema version {version}; 1 to {VersionMax} can be imported. Nothing was changed.");
            return new ForeignDatabase(lines, new ForeignState(version, counts, rows.ToLookup(found => found.Table, found => found.Row, StringComparer.Ordinal)), atHistory);
        }
        catch
        {
            await lines.DisposeAsync();
            throw;
        }
    }

    /// <summary>Once only.</summary>
    public async IAsyncEnumerable<ForeignRow> HistoryAsync([EnumeratorCancellation] CancellationToken stop)
    {
        while (_atHistory)
        {
            stop.ThrowIfCancellationRequested();
            if (_lines.Current.Row is { } columns) yield return new ForeignRow(columns);
            _atHistory = await NextAsync(_lines);
        }
    }

    public ValueTask DisposeAsync() => _lines.DisposeAsync();

    private static async Task<bool> NextAsync(IAsyncEnumerator<ForeignLine> lines)
    {
        try
        {
            return await lines.MoveNextAsync();
        }
        catch (WorkerFailedException failure)
        {
            throw new ImportException(failure.Message, failure);
        }
    }

    private static async Task<string> CopyAsync(Installation from, string home, CancellationToken stop)
    {
        var copy = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "copy")).FullName, Installation.DatabaseName);
        Scratch.EnsureFree(home, new FileInfo(from.Database).Length);
        if (!await ForeignFiles.TryCopyAsync(from.Database, copy, stop)) throw new ImportException($"{from.Database} is no plain file.");
        await ForeignFiles.TryCopyAsync($"{from.Database}.wal", $"{copy}.wal", stop);
        return copy;
    }
}
