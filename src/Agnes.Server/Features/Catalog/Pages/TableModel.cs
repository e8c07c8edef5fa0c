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

    /// <summary>Its rows stay at the source, which is asked for them.</summary>
    public bool IsAsked { get; init; }

    public string SampleHref => $"{Entry.Href}/sample";
}

/// <summary>What the registry says.</summary>
public sealed record TableOrigin(string? Bucket, string? SourceTable, string? Schedule, string? Strategy, IReadOnlyList<string> PrimaryKey);

/// <summary>What is published.</summary>
public sealed record TablePublication(long Version, int Parts, string Digest, DateTime ExtractedAt, DateTime PublishedAt);

/// <summary>What to type, or to tell an agent, to work with the table.</summary>
public sealed record TableCommands(string Sql, string Query, string Remote)
{
    public const string Pull = "agnes pull";

    public static TableCommands For(string name)
    {
        // Strict names need no quotes, and read better in a prompt without them.
        var identifier = Identifiers.IsStrict(name) ? name : SqlText.Identifier(name);
        var sql = $"SELECT * FROM {identifier} LIMIT 10";
        var argument = Shell(sql);
        return new($"SELECT *\nFROM {identifier}\nLIMIT 10", $"agnes query {argument}", $"agnes query --remote {argument}");
    }

    /// <summary>One argument for a POSIX shell; double quotes where they are safe, since they work on Windows too.</summary>
    private static string Shell(string text) =>
        text.AsSpan().IndexOfAny("\"$`\\!") < 0 ? $"\"{text}\"" : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
