using Agnes.Protocol;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary>Everything that the page of one table shows, except its sample, which loads on its own.</summary>
public sealed record TableModel(CatalogEntry Entry, IReadOnlyList<TableColumn> Columns, TableOrigin Origin, TablePublication? Publication, TableCommands Commands)
{
    /// <summary>The groups that were granted it; for admins only.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>Rows of its files that were left out of it.</summary>
    public long SetAside { get; init; }

    /// <summary>By the column's name, where something is known of it.</summary>
    public IReadOnlyDictionary<string, string> Descriptions { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Of a table whose rows stay at the source, which is asked for them; null: they lie here.</summary>
    public TableSourceFacts? Asked { get; init; }

    public string SampleHref => $"{Entry.Href}/sample";
}

/// <summary>What the registry says.</summary>
public sealed record TableOrigin(string? Bucket, string? SourceTable, string? Schedule, string? Strategy, IReadOnlyList<string> PrimaryKey);

/// <summary>What a source said last of a table that stays there.</summary>
/// <param name="Title">The source's own name.</param>
/// <param name="Dialect">Of SQL that it is asked in.</param>
/// <param name="Kind">Such as base table, or view.</param>
/// <param name="SaidAt">Null: it has not said anything yet.</param>
public sealed record TableSourceFacts(
    string Title, string Dialect, string? Kind, string? PartitionedBy, IReadOnlyList<string> ClusteredBy, DateTime? SaidAt);

/// <summary>What is published.</summary>
public sealed record TablePublication(long Version, int Parts, string Digest, DateTime ExtractedAt, DateTime PublishedAt);

/// <summary>What to type, or to tell an agent, to work with the table.</summary>
public sealed record TableCommands(string Sql, string Query, string Remote, string Part)
{
    public const string Pull = "agnes pull";

    public static TableCommands For(string name, string? id = null)
    {
        // Strict names need no quotes, and read better in a prompt without them.
        var identifier = Identifiers.IsStrict(name) ? name : SqlText.Identifier(name);
        var sql = $"SELECT * FROM {identifier} LIMIT 10";
        var argument = Shell(sql);
        return new(
            $"SELECT *\nFROM {identifier}\nLIMIT 10", $"agnes query {argument}", $"agnes query --remote {argument}",
            $"agnes snapshot create {(Identifiers.IsStrict(id ??= name) ? id : Shell(id))} --where '…' --estimate");
    }

    /// <summary>One argument for a POSIX shell; double quotes where they are safe, since they work on Windows too.</summary>
    private static string Shell(string text) =>
        text.AsSpan().IndexOfAny("\"$`\\!") < 0 ? $"\"{text}\"" : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
