using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Connectors.Records;

namespace Agnes.Connectors;

/// <summary>How the events of each kind of source become rows, one line each.</summary>
public static class EventSchemaList
{
    /// <inheritdoc cref="OpenEventSchema"/>
    public static EventSchema Open(string schema, IReadOnlyDictionary<string, string> options, string root) => schema switch
    {
        JiraSchema.SchemaName => JiraSchema.From(options, root),
        RecordSchema.SchemaName => new RecordSchema(RecordSettings.Parse(options, Path.GetFileName(root))),
        _ => throw new ArgumentException($"There is no schema '{schema}'.", nameof(schema)),
    };
}
