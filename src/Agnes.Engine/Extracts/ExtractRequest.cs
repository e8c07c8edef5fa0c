namespace Agnes.Engine.Extracts;

/// <summary>What one run of a connector is to do.</summary>
/// <param name="Source">Folder below <c>extracts/</c>.</param>
/// <param name="Connector">Name of the connector, e.g. <c>files</c>, <c>samples</c>.</param>
/// <param name="Registered">Names of all tables registered for this source: tables of earlier runs that are not among them are dropped. Null keeps all.</param>
/// <param name="Options">What the connector documents, e.g. <c>root</c> of files; <c>size</c> and <c>seed</c> of samples. May hold credentials: it travels by pipe only.</param>
public sealed record ExtractRequest(
    string RunId,
    string Source,
    string Connector,
    IReadOnlyList<TableConfig> Tables,
    IReadOnlyList<string>? Registered = null,
    IReadOnlyDictionary<string, string>? Options = null)
{
    /// <summary>What earlier runs saved and did not end: by table. See <see cref="ExtractWriter.SaveCheckpointAsync"/>.</summary>
    public IReadOnlyDictionary<string, string>? Checkpoints { get; init; }

    /// <summary>The operator's program that brings the tables; null where the connector brings them itself.</summary>
    public ExtractProgram? Program { get; init; }

    /// <summary>Whether every registered table is written by this run, so that nothing is carried over.</summary>
    public bool WritesAll => Registered is not null && Registered.All(name => Tables.Any(table => string.Equals(table.Name, name, StringComparison.OrdinalIgnoreCase)));

    public string? Option(string name) => Options?.GetValueOrDefault(name);
}

/// <summary>A registered table, as far as connectors care.</summary>
/// <param name="Settings">What the kind of source lets people set for a table, as a JSON object; the connector says what it knows.</param>
public sealed record TableConfig(
    string Id, string Name, string? Bucket = null, string? SourceTable = null, string? Description = null, string QueryMode = "local", System.Text.Json.JsonElement? Settings = null);

/// <summary>What a writer committed.</summary>
/// <param name="Ok">Written, or found unchanged.</param>
public sealed record ExtractCommit(IReadOnlyList<ExtractedTable> Ok, IReadOnlyList<FailedTable> Failed, IReadOnlyList<string> Warnings);

/// <param name="Changed">False when the source had nothing new.</param>
public sealed record ExtractedTable(string Name, long Rows, long Bytes, bool Changed);

/// <summary>What a connector must find again after it was killed, such as the id of a job that it is about to start elsewhere.</summary>
public sealed record ExtractCheckpoint(string Table, string Value);

public sealed record FailedTable(string Name, string Error)
{
    /// <summary>Where the table's contract forbids the columns that its source has: how they differ.</summary>
    public SchemaDrift? Drift { get; init; }
}

/// <param name="Kind"><c>table_started</c>, <c>table_progress</c>, <c>table_done</c>, <c>table_failed</c>, <c>warning</c> or <c>log</c>.</param>
public sealed record ExtractEvent(string Kind, string? Table = null, long? Rows = null, long? Bytes = null, string? Phase = null, string? Message = null);
