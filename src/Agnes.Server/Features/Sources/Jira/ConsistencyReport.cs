using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What a check of consistency found and did: the file of spec/02 §7.7.</summary>
internal sealed class ConsistencyReport(DateTimeOffset at, int days, bool isDeep)
{
    public const string FileName = "_consistency_report.json";
    public const string Error = "ERROR";
    private const int InfoMax = 5;
    private const int WarningMax = 10;
    private const int NamedMax = 1_000;
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    public HashSet<string> InApi { get; set; } = new(StringComparer.Ordinal);

    public HashSet<string> InFiles { get; set; } = new(StringComparer.Ordinal);

    public HashSet<string> InTables { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Known to be deleted.</summary>
    public HashSet<string> Deleted { get; } = new(StringComparer.Ordinal);

    /// <summary>Jira has them and nothing is known of them here.</summary>
    public List<string> Missing { get; set; } = [];

    /// <summary>Known, and in no table.</summary>
    public List<string> NotInTables { get; set; } = [];

    /// <summary>Known here, and not in Jira any more.</summary>
    public List<string> Gone { get; set; } = [];

    public List<string> Fixed { get; } = [];

    public List<string> FailedToFix { get; } = [];

    public List<string> FailedToFold { get; } = [];

    public double Seconds { get; set; }

    public bool IsWhole => FailedToFix.Count == 0 && FailedToFold.Count == 0;

    public string AlertLevel => Missing.Count <= InfoMax ? "INFO" : Missing.Count <= WarningMax ? "WARNING" : Error;

    public JsonObject Write() => new()
    {
        ["timestamp"] = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", System.Globalization.CultureInfo.InvariantCulture),
        ["check_type"] = isDeep ? "deep" : "incremental",
        ["max_age_days"] = days,
        ["duration_seconds"] = Math.Round(Seconds, 1),
        ["counts"] = new JsonObject { ["jira_api"] = InApi.Count, ["raw_json"] = InFiles.Count, ["parquet"] = InTables.Count },
        ["discrepancies"] = new JsonObject
        {
            ["missing_in_json"] = Names(Missing),
            ["missing_in_parquet"] = Names(NotInTables),
            ["deleted_in_jira"] = Gone.Count,
            ["deleted_keys"] = Names(Gone),
        },
        ["actions"] = new JsonObject
        {
            ["auto_backfilled"] = Names(Fixed),
            ["backfill_failed"] = Names(FailedToFix),
            ["transform_failed"] = Names(FailedToFold),
        },
        ["status"] = IsWhole ? "success" : "partial_success",
        ["alert_level"] = AlertLevel,
    };

    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName);
        using (var file = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None))
        using (var writer = new Utf8JsonWriter(file, Indented)) Write().WriteTo(writer);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static JsonArray Names(List<string> keys) => new([.. keys.Take(NamedMax).Select(key => (JsonNode)JsonValue.Create(key))]);
}
