using Agnes.Protocol;
using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Query;

/// <summary>A table version that a statement may read.</summary>
/// <param name="Name">What SQL calls it; compared without case, as the engine does.</param>
/// <param name="Id">The registry's id, which grants are keyed by.</param>
/// <param name="Rendition">The policy's hash; empty for the plain rows.</param>
public sealed record ScopedTable(string Name, string Id, long Version, string Rendition, IReadOnlyList<TableColumn> Columns, RowSource Source)
{
    /// <summary>Nothing can be read of it yet.</summary>
    public bool IsEmpty => Source is RowSource.Parts { Paths.Count: 0 };

    /// <summary>Local files, in order; none where the rows are elsewhere.</summary>
    public IReadOnlyList<string> Paths => Source is RowSource.Parts parts ? parts.Paths : [];

    public TableTail? Tail => (Source as RowSource.Parts)?.Tail;

    /// <summary>Throws <see cref="Parts.PartDamagedException"/> where a part is not what was published. Asked again once a statement has read, since its answer counts only if the parts were whole until then.</summary>
    public Action Verify { get; init; } = static () => { };
}

/// <summary>What a path stands for.</summary>
/// <param name="Table">Null: none that the asker may read, whether it is registered or not.</param>
/// <param name="ExpectedProject">The path is of another project than this, which is the one that there is.</param>
public sealed record ScopedPath(ScopedTable? Table, string? ExpectedProject = null);

/// <summary>A path that a statement names and that its asker may not read.</summary>
/// <param name="Path">As the contract writes it.</param>
/// <param name="IsUnknown">The asker may read everything, so that there is none.</param>
public sealed record RefusedPath(string Path, bool IsUnknown, string? ExpectedProject);

/// <summary>
/// What one asker may read, fixed for one request. It is a value over the pinned snapshot: nothing in here looks anything up that could change.
/// Building one costs nothing that grows with the number of tables; <see cref="All"/> does, and serves SHOW TABLES and hints only.
/// </summary>
public sealed class Scope
{
    private readonly Func<string, ScopedTable?> _find;
    private readonly Func<IEnumerable<ScopedTable>> _all;

    /// <param name="hash">Equal for two scopes exactly when they hold the same table versions.</param>
    /// <param name="nothingHidden">True for admins: a name that is not found does not exist, and may be said not to.</param>
    /// <param name="find">By name without case, in constant time; null for hidden and never-existing names alike.</param>
    public Scope(string hash, bool nothingHidden, Func<string, ScopedTable?> find, Func<IEnumerable<ScopedTable>> all)
    {
        Hash = hash;
        NothingHidden = nothingHidden;
        _find = find;
        _all = all;
    }

    /// <summary>What a table's path in the words of its source stands for; null where no source has such paths.</summary>
    public Func<TableReference, ScopedPath>? Paths { get; init; }

    public string Hash { get; }

    public bool NothingHidden { get; }

    public ScopedTable? Find(string name) => _find(name);

    public IEnumerable<ScopedTable> All() => _all();

    /// <summary>The same with tables of one statement, which hide others of their names.</summary>
    public Scope With(IReadOnlyDictionary<string, ScopedTable> tables) => new(
        $"{Hash}+", NothingHidden, name => tables.GetValueOrDefault(name) ?? _find(name),
        () => tables.Values.Concat(_all().Where(table => !tables.ContainsKey(table.Name))))
    {
        Paths = Paths,
    };

    /// <summary>A scope over a given list, for callers that have one at hand.</summary>
    public static Scope Of(IEnumerable<ScopedTable> tables, bool nothingHidden = false)
    {
        var byName = tables.ToDictionary(table => table.Name, StringComparer.OrdinalIgnoreCase);
        var names = byName.Values.OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        return new Scope(Footprint.Of(names).Key, nothingHidden, name => byName.GetValueOrDefault(name), () => names);
    }
}
