using System.Globalization;
using Agnes.Cli.Output;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary>How large a table is and how to query it, for people and agents who are about to.</summary>
internal static class TableAdvice
{
    private const string Remote = "remote";

    public static bool IsRemote(CatalogTable table) => table.QueryMode == Remote;

    /// <summary>Bytes for people; what the server only knows roughly in its word; a view has none.</summary>
    public static string Size(CatalogTable table) => table switch
    {
        { SizeBytes: { } bytes } => Columns.Bytes(bytes),
        { RoughSizeHint: { } hint } => hint,
        { EntityType: { } type } when type.Contains("VIEW", StringComparison.OrdinalIgnoreCase) => type.ToLowerInvariant(),
        _ => "-",
    };

    /// <summary>The right way to its rows, a command a line.</summary>
    public static IReadOnlyList<string> Commands(CatalogTable table) => IsRemote(table)
        ?
        [
            $"agnes query --remote \"SELECT … FROM {table.Name} WHERE …\"{(table.SqlFlavor == "bigquery" ? "  (in BigQuery's SQL)" : "")}",
            $"agnes snapshot create {table.Id} --where '{Example(table)}' --estimate",
        ]
        : [$"agnes query \"SELECT * FROM {table.Name} LIMIT 10\"  (after: agnes pull)"];

    /// <summary>What there is to say of one table before its columns.</summary>
    public static void Write(Host host, CatalogTable table)
    {
        var kind = table.EntityType is { } type ? $"{type.ToLowerInvariant()}, " : "";
        var rows = table.Rows is { } count ? $"{count.ToString("N0", CultureInfo.InvariantCulture)} rows, " : "";
        host.Out.WriteLine(DisplayText.OneLine($"{table.QueryMode}: {kind}{rows}{Size(table)}{Age(table)}"));
        if (table.WhereExamples is { Count: > 0 } examples) host.Out.WriteLine(DisplayText.OneLine($"Filter, for example: {string.Join("; ", examples)}"));
        foreach (var command in Commands(table)) host.Out.WriteLine(DisplayText.OneLine($"  {command}"));
    }

    private static string Age(CatalogTable table) => table.MetadataFreshness switch
    {
        "stale" => " (as the source said some time ago)",
        "never_fetched" => " (its source has not been asked yet)",
        "error" => " (its source could not be asked; ask an admin)",
        _ => "",
    };

    private static string Example(CatalogTable table) =>
        table.WhereExamples is [var first, ..] && !first.Contains('\'') ? first : table.PartitionBy is { } column ? $"{column} >= …" : "…";
}
