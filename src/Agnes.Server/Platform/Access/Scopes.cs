using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Agnes.Engine.Query;
using Agnes.Server.Platform.State;
using Agnes.Sql.BigQuery;

namespace Agnes.Server.Platform.Access;

/// <summary>What is registered at a path.</summary>
/// <param name="ExpectedProject">There is no such project; this is the one that there is.</param>
public sealed record TablesAtPath(IReadOnlyList<TableRow> Rows, string? ExpectedProject);

/// <summary>
/// The tables that a caller may read, as a value for the query engine, manifests and catalogs. Making one costs nothing that grows with the number of tables;
/// its hash is computed once per group set and version of the snapshot.
/// </summary>
/// <param name="verify">Throws where a part of the version is not what was published; asked for each table that a statement names.</param>
/// <param name="asked">Where a registered table is that stays at its source; null for all others.</param>
/// <param name="tailsOf">The folder of a source's tail.</param>
public sealed class Scopes(
    Func<string, string> pathOfPart, Action<PublishedVersion>? verify = null, Func<TableRow, RowSource.Remote?>? asked = null,
    Func<Snapshot, TableReference, TablesAtPath>? paths = null, Func<string, string>? tailsOf = null)
{
    private const int HashesMax = 1_000;
    private readonly RecentCache<(long Version, string Groups), string> _hashes = new(HashesMax);
    private readonly ConditionalWeakTable<PublishedVersion, RowSource> _parts = [];

    /// <summary>Every table: for what the server itself has the engine look at, never for an answer to somebody.</summary>
    public Scope OfEverything(Snapshot snapshot) => new(
        "everything",
        nothingHidden: true,
        name => NamedTable.ByName(snapshot, name) is { } table ? Verified(table) : null,
        () => Everything(snapshot).Select(Scoped))
    {
        Paths = PathsOf(snapshot, _ => true),
    };

    public Scope Of(Snapshot snapshot, Caller caller) => new(
        Hash(snapshot, caller),
        nothingHidden: caller.IsAdmin,
        name => NamedTable.ByName(snapshot, name) is { } table && Access.CanRead(snapshot, caller, table) ? Verified(table) : null,
        () => Tables(snapshot, caller).Select(Scoped))
    {
        Paths = PathsOf(snapshot, table => Access.CanRead(snapshot, caller, table)),
    };

    /// <summary>Equal for two callers, and two snapshots, exactly when the same versions of the same tables may be read.</summary>
    public string Hash(Snapshot snapshot, Caller caller)
    {
        var key = (snapshot.Version, caller.GroupKey);
        if (_hashes.TryGet(key, out var hash)) return hash;
        hash = Compute(snapshot, caller);
        _hashes.Set(key, hash);
        return hash;
    }

    /// <summary>Every table that the caller may read, by name. Grows with their number: for lists, not for decisions.</summary>
    public static IEnumerable<NamedTable> Tables(Snapshot snapshot, Caller caller)
    {
        var tables = caller.IsAdmin ? Everything(snapshot) : Granted(snapshot, caller);
        return tables.OrderBy(table => table.Name, StringComparer.Ordinal);
    }

    private static IEnumerable<NamedTable> Everything(Snapshot snapshot)
    {
        foreach (var row in snapshot.TablesById.Values) yield return NamedTable.Of(snapshot, row, row.Name);
        foreach (var version in snapshot.Published.Values)
        {
            if (snapshot.TableByName(version.Name) is null) yield return NamedTable.ByName(snapshot, version.Name)!;
        }
    }

    private static IEnumerable<NamedTable> Granted(Snapshot snapshot, Caller caller)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in caller.GroupIds) ids.UnionWith(snapshot.ResourceIdsOf(group, Access.TableType));
        foreach (var id in ids)
        {
            if (snapshot.Table(id) is { } row) yield return NamedTable.Of(snapshot, row, row.Name);
            else if (NamedTable.ByName(snapshot, id) is { Row: null } table && table.Id == id) yield return table;
        }
    }

    private static string Compute(Snapshot snapshot, Caller caller)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(caller.IsAdmin ? "all\n"u8 : "granted\n"u8);
        foreach (var table in Tables(snapshot, caller))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{table.Name}\0{table.Id}\0{table.Published?.Number}\0{table.Published?.Rendition}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The first of what is registered at a path that may be read: a path that may not be stands for nothing.</summary>
    private Func<TableReference, ScopedPath>? PathsOf(Snapshot snapshot, Func<NamedTable, bool> mayRead)
    {
        return paths is null ? null : Find;

        ScopedPath Find(TableReference reference)
        {
            var found = paths(snapshot, reference);
            var table = found.Rows.Select(row => NamedTable.Of(snapshot, row, row.Name)).FirstOrDefault(mayRead);
            return new ScopedPath(table is null ? null : Verified(table), found.ExpectedProject);
        }
    }

    private ScopedTable Verified(NamedTable table)
    {
        var scoped = Scoped(table);
        if (scoped.Source is RowSource.Remote || table.Published is not { } version || verify is null) return scoped;
        verify(version);
        return scoped with { Verify = () => verify(version) };
    }

    /// <summary>What is registered decides: of a table that stays at its source, parts may be left from before.</summary>
    private ScopedTable Scoped(NamedTable table)
    {
        var remote = table.Row is { } row ? asked?.Invoke(row) : null;
        return remote is null && table.Published is { } version
            ? new ScopedTable(table.Name, table.Id ?? table.Name, version.Number, version.Rendition, version.Columns, Rows(table, version))
            : new ScopedTable(table.Name, table.Id ?? table.Name, 0, "", [], remote ?? RowSource.None);
    }

    private RowSource Rows(NamedTable table, PublishedVersion version) =>
        Parts(version) is RowSource.Parts parts && table.Tail is { Runs.Count: > 0 } tail && tailsOf is not null
            ? parts with { Tail = tail.Of(version.Name, tailsOf(version.Source)) }
            : Parts(version);

    private RowSource Parts(PublishedVersion version) =>
        _parts.GetValue(version, key => new RowSource.Parts([.. key.Parts.Select(part => pathOfPart(part.Sha256))]));
}
