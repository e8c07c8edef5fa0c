using System.Text.Json.Nodes;

namespace Agnes.Connectors.Jira;

/// <summary>Which custom field of the site each column is read from, by column; <c>jira.fields</c> of the instance's configuration. Defaults: spec/02 §7.5.</summary>
public sealed record JiraFields(IReadOnlyDictionary<string, string> ByColumn)
{
    public static JiraFields Default { get; } = new(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["request"] = "customfield_10010",
        ["severity"] = "customfield_10004",
        ["triage"] = "customfield_10323",
        ["configuration_item"] = "customfield_10511",
        ["participants"] = "customfield_10156",
        ["organizations"] = "customfield_10002",
        ["spam"] = "customfield_10365",
        ["context"] = "customfield_10330",
        ["custom_url"] = "customfield_10325",
        ["slack_link"] = "customfield_10350",
        ["technical_issue_category"] = "customfield_10676",
        ["email_address"] = "customfield_10475",
        ["satisfaction"] = "customfield_10157",
        ["first_response"] = "customfield_10328",
        ["time_to_resolution"] = "customfield_10161",
        ["l3_team"] = "customfield_11831",
    });

    public string this[string column] => ByColumn[column];

    /// <summary>The defaults with some of them set otherwise; names that are none of theirs are left out.</summary>
    public static JiraFields With(IEnumerable<KeyValuePair<string, string>> set)
    {
        var fields = new Dictionary<string, string>(Default.ByColumn, StringComparer.Ordinal);
        foreach (var (column, field) in set)
        {
            if (fields.ContainsKey(column) && field.Length > 0) fields[column] = field;
        }

        return new JiraFields(fields);
    }

    /// <summary>An account that may not see a time of service is shown an error, or nothing, in its place.</summary>
    public static bool IsSlaValue(JsonNode? value) =>
        value is JsonObject sla && !sla.ContainsKey("errorMessage") && (sla.ContainsKey("name") || sla.ContainsKey("completedCycles") || sla.ContainsKey("ongoingCycle"));

    public bool IsSla(string field) => field == this["first_response"] || field == this["time_to_resolution"];
}
