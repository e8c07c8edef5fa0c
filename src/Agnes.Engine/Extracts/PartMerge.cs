using System.Security.Cryptography;
using System.Text;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>
/// Lays what changed over what a table held before: a row replaces the one of its key, wherever that lay. Only the partitions that this touches are written anew;
/// all others keep their parts.
/// </summary>
/// <param name="Keys">The columns that make up the key. NULL is a value like any other here. None: rows are merely put into their
/// partitions, over nothing.</param>
/// <param name="Partition">SQL over the columns that says which part a row belongs to, as text; null: all rows are in one.</param>
/// <param name="Removed">A SELECT of the keys of rows that are gone; null: none.</param>
public sealed record PartMerge(IReadOnlyList<string> Keys, string? Partition = null, string? Removed = null)
{
    /// <summary>The partition is made of the key alone: a row that is gone can only have been in the part that its key says.</summary>
    public bool FollowsKey { get; init; }

    /// <summary>More would be a mistake in the partition, and a folder that no file system likes.</summary>
    private const int PartitionsMax = 20_000;

    private const string Delta = "merge_delta";
    private const string Gone = "merge_gone";
    private const string Place = "__partition";
    private const string Order = "__order";

    /// <param name="previous">Null: there was nothing.</param>
    /// <param name="changed">A SELECT of the rows that are new or changed; of several of one key the last counts.</param>
    /// <param name="columns">In order, as the table is to have them; a column that older parts lack is NULL in them.</param>
    /// <returns>The parts of the table, ready for <see cref="ExtractWriter.Put"/>; the same list where nothing changed.</returns>
    /// <exception cref="InvalidDataException">A part of before is missing.</exception>
    public async Task<IReadOnlyList<ExtractPart>> RunAsync(
        ExtractWriter writer, ExtractTable? previous, string changed, IReadOnlyList<TableColumn> columns, CancellationToken cancellation)
    {
        if (Keys.Count == 0 && (previous is not null || Removed is not null)) throw new ArgumentException("A merge needs a key.",
            nameof(previous));
        var connection = writer.Connection;
        try
        {
            await PrepareAsync(connection, changed, columns, cancellation);
            return await WriteAsync(writer, previous, columns, cancellation);
        }
        finally
        {
            await connection.ExecuteAsync($"DROP TABLE IF EXISTS {Delta}; DROP TABLE IF EXISTS {Gone}", CancellationToken.None);
        }
    }

    /// <summary>
    /// The first load of rows no two of which have one key: partition by partition, without sorting or comparing them first.
    /// </summary>
    /// <param name="partition">As <see cref="Partition"/>.</param>
    /// <param name="rows">A SELECT that can be run again and again, as one over files.</param>
    /// <param name="narrowing">A condition that all rows of a partition satisfy, of the kind that lets the engine skip files; null: there
    /// is none.</param>
    public static async Task<IReadOnlyList<ExtractPart>> LoadAsync(
        ExtractWriter writer, string? partition, string rows, IReadOnlyList<TableColumn> columns, CancellationToken cancellation,
        Func<string, string?>? narrowing = null)
    {
        var cells = string.Join(", ", columns.Select(column => $"CAST({SqlText.Identifier(column.Name)} AS {column.Type}) AS {SqlText.Identifier(column.Name)}"));
        List<string> places = partition is null
            ? [""]
            : await writer.Connection.QueryAsync($"SELECT DISTINCT {PlaceOf(partition)} AS place FROM ({rows}) ORDER BY place", row => row.GetString(0), cancellation);
        Bounded(places);
        if (places.Count == 0) places.Add("");
        var parts = new List<Task<ExtractPart>>();
        foreach (var place in places)
        {
            var where = partition is null || place.Length == 0 ? "" : $" WHERE {PlaceOf(partition)} = {SqlText.Literal(place)}";
            if (where.Length > 0 && narrowing?.Invoke(place) is { } narrow) where += $" AND {narrow}";
            var written = await writer.WritePartAsync($"SELECT {cells} FROM ({rows}){where}", NameOf(place), md5: places.Count == 1, cancellation);
            parts.Add(StoredAsync(written, place));
        }

        return await Task.WhenAll(parts);
    }

    private async Task PrepareAsync(DuckDBConnection connection, string changed, IReadOnlyList<TableColumn> columns, CancellationToken cancellation)
    {
        var list = string.Join(", ", columns.Select(column =>
            $"CAST({SqlText.Identifier(column.Name)} AS {column.Type}) AS {SqlText.Identifier(column.Name)}"));
        if (Keys.Count == 0)
        {
            await connection.ExecuteAsync(
                $"CREATE OR REPLACE TEMP TABLE {Delta} AS SELECT *, {PlaceOf(Partition)} AS {Place} FROM (SELECT {list} FROM ({changed}))",
                cancellation);
            return;
        }

        // Of several rows of one key the last stays. Keys alone are brought together for that: whole rows may be more than the memory.
        var keys = Names(Keys);
        var removed = Removed is null ? "" : $" UNION SELECT {keys} FROM ({Removed})";
        await connection.ExecuteAsync(
            $"""
            CREATE OR REPLACE TEMP TABLE {Delta} AS
            SELECT *, {PlaceOf(Partition)} AS {Place} FROM (SELECT {list}, row_number() OVER () AS {Order} FROM ({changed}));
            DELETE FROM {Delta} USING (SELECT {keys}, max({Order}) AS last FROM {Delta} GROUP BY {keys} HAVING count(*) > 1) AS twice
            WHERE {Same(Delta, "twice")} AND {Delta}.{Order} < twice.last;
            CREATE OR REPLACE TEMP TABLE {Gone} AS SELECT {keys} FROM {Delta}{removed};
            """, cancellation);
    }

    private async Task<IReadOnlyList<ExtractPart>> WriteAsync(ExtractWriter writer, ExtractTable? previous, IReadOnlyList<TableColumn> columns, CancellationToken cancellation)
    {
        var touched = await writer.Connection.QueryAsync($"SELECT DISTINCT {Place} FROM {Delta}", row => row.GetString(0), cancellation);
        var incoming = touched.ToHashSet(StringComparer.Ordinal);
        var suspected = !FollowsKey ? null
            : (await writer.Connection.QueryAsync($"SELECT DISTINCT {PlaceOf(Partition)} FROM {Gone}", row => row.GetString(0), cancellation))
                .ToHashSet(StringComparer.Ordinal);
        var before = (previous?.Parts ?? []).ToLookup(part => part.Key ?? "", StringComparer.Ordinal);
        var places = before.Select(parts => parts.Key).Union(incoming, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        Bounded(places);
        var sameColumns = previous is not null && previous.Columns.SequenceEqual(columns);
        var kept = new List<Task<ExtractPart>>();
        var hasChanged = false;
        foreach (var place in places)
        {
            var old = before[place].ToList();
            var mayHold = suspected is null || suspected.Contains(place);
            if (sameColumns && !incoming.Contains(place) && !(mayHold && await HoldsGoneAsync(writer, old, cancellation)))
            {
                kept.AddRange(old.Select(Task.FromResult));
                continue;
            }

            hasChanged = true;
            var written = await writer.WritePartAsync(Rows(writer, old, previous, columns, place), NameOf(place), md5: places.Count == 1, cancellation);
            if (written.Rows > 0 || places.Count == 1) kept.Add(StoredAsync(written, place));
            else await written.Storing;
        }

        if (!hasChanged && previous is not null) return previous.Parts;
        if (kept.Count > 0) return await WithMd5Async(writer, await Task.WhenAll(kept), cancellation);
        // Everything is gone: a table of no rows still has its columns.
        var empty = await writer.WritePartAsync(Rows(writer, [], null, columns, ""), NameOf(""), md5: true, cancellation);
        return [await StoredAsync(empty, "")];
    }

    /// <summary>A part that had neighbours before was hashed without it.</summary>
    private static async Task<IReadOnlyList<ExtractPart>> WithMd5Async(ExtractWriter writer, ExtractPart[] parts, CancellationToken cancellation) =>
        parts is [{ Md5: null } only] ? [only with { Md5 = await ContentHash.Md5Async(writer.Store.PathOf(only.Part.Sha256), cancellation) }] : parts;

    private static async Task<ExtractPart> StoredAsync(WrittenPart written, string place) => (await written.Storing) with { Key = place.Length == 0 ? null : place };

    private async Task<bool> HoldsGoneAsync(ExtractWriter writer, List<ExtractPart> parts, CancellationToken cancellation) =>
        parts.Count > 0 && await writer.Connection.ScalarAsync<bool>($"SELECT count(*) > 0 FROM (SELECT 1 FROM {writer.Read(parts)} AS part SEMI JOIN {Gone} AS gone ON {Same("part", "gone")} LIMIT 1)", cancellation);

    private string Rows(ExtractWriter writer, List<ExtractPart> old, ExtractTable? previous, IReadOnlyList<TableColumn> columns, string place)
    {
        var names = Names(columns.Select(column => column.Name));
        var fresh = $"SELECT {names} FROM {Delta} WHERE {Place} = {SqlText.Literal(place)}";
        if (old.Count == 0) return fresh;
        var held = previous!.Columns.Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var cells = string.Join(", ", columns.Select(column => $"CAST({(held.Contains(column.Name) ? $"part.{SqlText.Identifier(column.Name)}" : "NULL")} AS {column.Type}) AS {SqlText.Identifier(column.Name)}"));
        return $"SELECT {cells} FROM {writer.Read(old)} AS part ANTI JOIN {Gone} AS gone ON {Same("part", "gone")} UNION ALL {fresh}";
    }

    private static void Bounded(List<string> places)
    {
        if (places.Count > PartitionsMax) throw new InvalidDataException($"The table would have {places.Count} partitions, and may have {PartitionsMax}: choose a coarser partition.");
    }

    private static string PlaceOf(string? partition) => partition is null ? "''" : $"coalesce(CAST(({partition}) AS VARCHAR), 'null')";

    private string Same(string left, string right) => string.Join(" AND ", Keys.Select(key => $"{left}.{SqlText.Identifier(key)} IS NOT DISTINCT FROM {right}.{SqlText.Identifier(key)}"));

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(SqlText.Identifier));

    /// <summary>What the partition is called, as far as a file's name can say it; the rest tells two apart.</summary>
    private static string NameOf(string place)
    {
        if (place.Length == 0) return "all.parquet";
        var plain = string.Concat(place.Take(64).Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' ? character : '_'));
        return plain == place ? $"{plain}.parquet" : $"{plain}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place)))[..8]}.parquet";
    }
}
