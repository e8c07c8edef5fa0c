using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>A kind of thing that can be granted. A feature adds one by registering it; nothing in the state has to change.</summary>
public interface IResourceType
{
    /// <summary>What grants store.</summary>
    string Key { get; }

    string DisplayName { get; }

    string Description { get; }

    string IdFormat { get; }

    bool Exists(Snapshot snapshot, string resourceId);

    /// <summary>Everything that can be granted, for the page where it is. Grows with its number.</summary>
    IEnumerable<ResourceBlock> Blocks(Snapshot snapshot);
}

public sealed record ResourceBlock(string Id, string Name, IReadOnlyList<ResourceItem> Items);

public sealed record ResourceItem(string ResourceId, string Name, string? Category, string? SourceType, string? Description);

/// <summary>The kinds that this server knows, in the order in which they were registered.</summary>
public sealed class ResourceTypes(IEnumerable<IResourceType> types)
{
    private readonly Dictionary<string, IResourceType> _byKey = types.ToDictionary(type => type.Key, StringComparer.Ordinal);

    public IReadOnlyCollection<IResourceType> All => _byKey.Values;

    public IResourceType? Find(string key) => _byKey.GetValueOrDefault(key);
}

/// <summary>Tables: registered ones by id, published ones that nobody registered by name.</summary>
public sealed class TableResources : IResourceType
{
    private const string NoBucket = "(no bucket)";

    public string Key => Access.TableType;

    public string DisplayName => "Tables";

    public string Description => "Members may see, query and download the table.";

    public string IdFormat => "<table_id>";

    public bool Exists(Snapshot snapshot, string resourceId) =>
        snapshot.Table(resourceId) is not null || (NamedTable.ByName(snapshot, resourceId) is { Row: null } table && table.Id == resourceId);

    public IEnumerable<ResourceBlock> Blocks(Snapshot snapshot)
    {
        var registered = snapshot.TablesById.Values.Select(row => (
            Bucket: string.IsNullOrEmpty(row.Bucket) ? NoBucket : row.Bucket,
            Item: new ResourceItem(row.Id, row.Name, row.QueryMode, row.SourceType, row.Description)));
        var unregistered = snapshot.Published.Values
            .Where(version => NamedTable.ByName(snapshot, version.Name) is { Row: null, Id: not null })
            .Select(version => (Bucket: NoBucket, Item: new ResourceItem(version.Name, version.Name, version.QueryMode, version.Source, version.Description)));
        return registered.Concat(unregistered)
            .GroupBy(entry => entry.Bucket, entry => entry.Item, StringComparer.Ordinal)
            .OrderBy(block => block.Key, StringComparer.Ordinal)
            .Select(block => new ResourceBlock(block.Key, block.Key, [.. block.OrderBy(item => item.Name, StringComparer.Ordinal)]));
    }
}
