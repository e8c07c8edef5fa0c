using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Import;

/// <summary>What the other installation's configuration says about its tables; the environment of this command goes before.</summary>
/// <param name="Project">Of BigQuery.</param>
/// <param name="SourceType">Of tables that say none.</param>
internal sealed partial record ForeignSettings(string? Project, string? SourceType)
{
    public static readonly ForeignSettings None = new(null, null);

    public static ForeignSettings Of(Installation from, Func<string, string?> variables) =>
        new(Find(from, variables, "BIGQUERY_PROJECT", "data_source.bigquery.project"), Find(from, variables, "DATA_SOURCE", "data_source.type"));

    /// <summary>
    /// What a table that says no source type is of. An id of Keboola's makes it one of Keboola's whatever the installation's own type is; without any sign it is unknown, never
    /// a file by that alone.
    /// </summary>
    public string? TypeOf(string? sourceType, string? queryMode, string? sourceQuery, string id, string? bucket)
    {
        if (sourceType is not null) return sourceType;
        if (queryMode == "materialized" && sourceQuery is not null) return "bigquery";
        return KeboolaBucket().IsMatch(bucket ?? id) ? "keboola" : SourceType;
    }

    /// <summary>The environment's, else that of the other installation's configuration.</summary>
    private static string? Find(Installation from, Func<string, string?> variables, string variable, string key)
    {
        if (variables(variable) is { Length: > 0 } given) return given;
        var overlay = Path.Combine(from.StateDir, InstanceConfig.FileName);
        foreach (var file in ((string?[])[overlay, from.ConfigFile]).OfType<string>().Where(Installation.IsPlain))
        {
            try
            {
                var known = file == overlay ? static _ => null : variables; // the overlay's texts are the admins' of that installation
                var found = InstanceConfig.At(InstanceConfig.ReadFile(file) ?? [], key) as JsonValue;
                if (References.Resolve(found, known, static _ => { })?.ToString() is { Length: > 0 } text) return text;
            }
            catch (FormatException)
            {
                // Said where the configuration is taken.
            }
        }

        return null;
    }

    [GeneratedRegex(@"\A(?:in|out)\.c-[^.]+(?:\.|\z)")]
    private static partial Regex KeboolaBucket();
}
