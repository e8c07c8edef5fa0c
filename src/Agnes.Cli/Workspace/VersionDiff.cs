using System.Globalization;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace.Downloads;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <param name="Changed">Null: without a key a changed row is one that went and one that came.</param>
/// <param name="Sample">What happened, and the cells as text in the order of <paramref name="Columns"/>.</param>
internal sealed record VersionDifference(
    IReadOnlyList<string> Columns, long Added, long Removed, long? Changed, IReadOnlyList<(string What, IReadOnlyList<string?> Cells)> Sample);

/// <summary>
/// Compares the rows of two versions of a table on this machine. Parts that both have are not looked at: only the others are fetched, and
/// those that are here already are not fetched either.
/// </summary>
internal sealed class VersionDiff(Host host, Layout layout)
{
    /// <summary>Of a fetched side of the comparison, when a temporary folder is its home.</summary>
    private const int Streams = 4;

    /// <summary>What has to be fetched, in bytes.</summary>
    public long Missing(TableVersion from, TableVersion to) => Sides(from, to).SelectMany(side => side).Where(part => !IsHere(part)).Sum(part => part.SizeBytes);

    /// <param name="key">Names of columns; empty: rows are compared as a whole.</param>
    /// <param name="sampleMax">Rows of each kind that are shown.</param>
    /// <exception cref="CliException">A part cannot be had, or the key is none.</exception>
    public async Task<VersionDifference> RunAsync(
        string tableId, TableVersion from, TableVersion to, IReadOnlyList<string> key, int sampleMax, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.DatabaseFolder);
        var folder = Path.Combine(layout.DatabaseFolder, string.Create(CultureInfo.InvariantCulture, $"{LocalSession.SpillPrefix}{Environment.ProcessId}"));
        var own = new Layout(folder);
        try
        {
            if (Sides(from, to) is not [{ } before, { } after]) throw new InvalidOperationException("There are two sides.");
            if (before.Count == 0 && after.Count == 0) return new VersionDifference([], 0, 0, key.Count == 0 ? null : 0, []);
            await FetchAsync(tableId, [.. before, .. after], own, cancellation);
            using var connection = LocalDatabase.Open(":memory:", readOnly: false);
            LocalLock.Close(connection, Path.Combine(folder, "spill"), [own.Parts + Path.DirectorySeparatorChar]);
            using var stop = cancellation.Register(connection.Interrupt);
            return await Task.Run(() => Compare(connection, Source(before, own), Source(after, own), key, sampleMax), cancellation);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static List<VersionPart>[] Sides(TableVersion from, TableVersion to)
    {
        var (old, fresh) = ((from.Files ?? []).Select(part => part.Sha256).ToHashSet(StringComparer.Ordinal), (to.Files ?? []).Select(part => part.Sha256).ToHashSet(StringComparer.Ordinal));
        return [[.. (from.Files ?? []).Where(part => !fresh.Contains(part.Sha256))], [.. (to.Files ?? []).Where(part => !old.Contains(part.Sha256))]];
    }

    private bool IsHere(VersionPart part) => File.Exists(layout.PartPath(part.Sha256));

    private async Task FetchAsync(string tableId, IReadOnlyList<VersionPart> parts, Layout own, CancellationToken cancellation)
    {
        Directory.CreateDirectory(own.Incoming);
        using var client = HttpTransport.Create(decompress: false);
        var downloader = new PartDownloader(host, client, host.Api.Server, host.Api.Token, own);
        foreach (var part in parts.DistinctBy(part => part.Sha256))
        {
            if (IsHere(part))
            {
                HardLink.Place(layout.PartPath(part.Sha256), own.PartPath(part.Sha256));
                continue;
            }

            try
            {
                var item = new FetchItem(tableId, $"/api/data/{Uri.EscapeDataString(tableId)}/parts/{part.Sha256}", part.Sha256, null, part.SizeBytes);
                await downloader.FetchAsync(item, Streams, static _ => { }, cancellation);
            }
            catch (FetchException failure)
            {
                throw new CliException($"A part of the table cannot be fetched: {failure.Message}", ExitCode.Failed, failure) { Hint = "Look which versions there still are: agnes catalog --history TABLE" };
            }
        }
    }

    private static string? Source(List<VersionPart> parts, Layout own) =>
        parts.Count == 0 ? null : TableSource.FromParts([.. parts.Select(part => own.PartPath(part.Sha256)).Distinct(StringComparer.Ordinal)]);

    private static VersionDifference Compare(DuckDBConnection connection, string? from, string? to, IReadOnlyList<string> key, int sampleMax)
    {
        var columns = Names(connection, from ?? to!).Intersect(Names(connection, to ?? from!), StringComparer.Ordinal).ToList();
        if (key.FirstOrDefault(name => !columns.Contains(name, StringComparer.Ordinal)) is { } unknown)
            throw new CliException($"Both versions would need a column '{unknown}' to be compared by it.", ExitCode.Usage);
        // A column whose type changed is compared as text; one that came or went is said by the history.
        var cells = string.Join(", ", columns.Select(column => $"CAST({SqlText.Identifier(column)} AS VARCHAR) AS {SqlText.Identifier(column)}"));
        connection.ExecuteUnprepared($"CREATE VIEW before AS SELECT {cells} FROM ({from ?? $"SELECT * FROM ({to}) LIMIT 0"})");
        connection.ExecuteUnprepared($"CREATE VIEW after AS SELECT {cells} FROM ({to ?? $"SELECT * FROM ({from}) LIMIT 0"})");
        if (key.Count == 0)
        {
            const string Came = "SELECT * FROM after EXCEPT ALL SELECT * FROM before";
            const string Went = "SELECT * FROM before EXCEPT ALL SELECT * FROM after";
            return new VersionDifference(
                columns, Count(connection, Came), Count(connection, Went), null,
                [.. Rows(connection, "added", Came, sampleMax), .. Rows(connection, "removed", Went, sampleMax)]);
        }

        var same = string.Join(" AND ", key.Select(name => $"a.{SqlText.Identifier(name)} IS NOT DISTINCT FROM b.{SqlText.Identifier(name)}"));
        var other = string.Join(" OR ", columns.Select(name => $"a.{SqlText.Identifier(name)} IS DISTINCT FROM b.{SqlText.Identifier(name)}"));
        var order = string.Join(", ", key.Select(SqlText.Identifier));
        var (added, removed) = ($"SELECT a.* FROM after a ANTI JOIN before b ON {same}", $"SELECT b.* FROM before b ANTI JOIN after a ON {same}");
        var changed = $"FROM after a JOIN before b ON {same} WHERE {other}";
        return new VersionDifference(
            columns, Count(connection, added), Count(connection, removed), Count(connection, $"SELECT a.* {changed}"),
            [
                .. Rows(connection, "added", $"{added} ORDER BY {order}", sampleMax), .. Rows(connection, "removed", $"{removed} ORDER BY {order}", sampleMax),
                .. Pairs(Rows(connection, "before", $"SELECT b.* {changed} ORDER BY {Of("b")}", sampleMax), Rows(connection, "after", $"SELECT a.* {changed} ORDER BY {Of("a")}", sampleMax)),
            ]);

        string Of(string side) => string.Join(", ", key.Select(name => $"{side}.{SqlText.Identifier(name)}"));
    }

    /// <summary>A changed row before and after, one below the other.</summary>
    private static IEnumerable<(string, IReadOnlyList<string?>)> Pairs(List<(string, IReadOnlyList<string?>)> before, List<(string, IReadOnlyList<string?>)> after) =>
        before.Zip(after).SelectMany(pair => new[] { pair.First, pair.Second });

    private static List<string> Names(DuckDBConnection connection, string source)
    {
        using var command = new DuckDBCommand($"SELECT * FROM ({source}) LIMIT 0", connection);
        using var reader = command.ExecuteReader();
        return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
    }

    private static long Count(DuckDBConnection connection, string select)
    {
        using var command = new DuckDBCommand($"SELECT count(*) FROM ({select})", connection);
        return (long)command.ExecuteScalar()!;
    }

    private static List<(string, IReadOnlyList<string?>)> Rows(DuckDBConnection connection, string what, string select, int max)
    {
        using var command = new DuckDBCommand($"{select} LIMIT {max}", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<(string, IReadOnlyList<string?>)>();
        while (reader.Read()) rows.Add((what, [.. Enumerable.Range(0, reader.FieldCount).Select(at => reader.IsDBNull(at) ? null : reader.GetString(at))]));
        return rows;
    }
}
