using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.BigQuery;

/// <summary>A query that was submitted: its state, its result, and what it costs.</summary>
public sealed class Job
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Job(string project, string id, string location, JsonObject configuration, string sql, DateTimeOffset created) =>
        (Project, Id, Location, Configuration, Sql, Created) = (project, id, location, configuration, sql, created);

    public string Project { get; }

    public string Id { get; }

    public string Location { get; }

    public string Sql { get; }

    public DateTimeOffset Created { get; }

    public JsonObject Configuration { get; }

    public IReadOnlyDictionary<string, string> Labels => Configuration["labels"] is JsonObject labels
        ? labels.ToDictionary(label => label.Key, label => (string)label.Value!, StringComparer.Ordinal)
        : [];

    /// <summary>PENDING, RUNNING or DONE.</summary>
    public string State { get; internal set; } = "PENDING";

    /// <summary>Why it failed, or null.</summary>
    public BigQueryError? Error { get; private set; }

    public long BytesProcessed { get; internal set; }

    /// <summary>0 until it is done, and for one that failed or was cancelled.</summary>
    public long BytesBilled { get; internal set; }

    /// <summary>Whether somebody asked that it end.</summary>
    public bool IsCancelled => _cancel.IsCancellationRequested;

    internal IReadOnlyList<Field> Fields { get; set; } = [];

    internal IReadOnlyList<Table> Tables { get; set; } = [];

    /// <summary>The engine's table that holds the result.</summary>
    internal string? Result { get; set; }

    internal long Rows { get; set; }

    internal CancellationToken Cancelled => _cancel.Token;

    internal Task Done => _done.Task;

    internal void Cancel() => _cancel.Cancel();

    internal void Finish(BigQueryError? error)
    {
        Error = error;
        State = "DONE";
        _done.TrySetResult();
    }

    internal JsonObject Reference => new() { ["projectId"] = Project, ["jobId"] = Id, ["location"] = Location };

    internal JsonObject ToJson()
    {
        var status = new JsonObject { ["state"] = State };
        if (Error is not null) (status["errorResult"], status["errors"]) = (Error.ToProto(), new JsonArray(Error.ToProto()));
        return new JsonObject
        {
            ["kind"] = "bigquery#job",
            ["etag"] = "\"emulated\"",
            ["id"] = $"{Project}:{Location}.{Id}",
            ["selfLink"] = $"https://bigquery.example.com/bigquery/v2/projects/{Project}/jobs/{Id}?location={Location}",
            ["user_email"] = "agnes@emulated-project.iam.example.com",
            ["configuration"] = Configuration.DeepClone(),
            ["jobReference"] = Reference,
            ["statistics"] = Statistics(isDryRun: false),
            ["status"] = status,
        };
    }

    internal JsonObject Statistics(bool isDryRun)
    {
        var millis = Created.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        var bytes = Text(BytesProcessed);
        var query = new JsonObject
        {
            ["totalBytesProcessed"] = bytes,
            ["totalBytesBilled"] = Text(BytesBilled),
            ["cacheHit"] = false,
            ["statementType"] = "SELECT",
            ["referencedTables"] = new JsonArray([.. Tables.Select(table => (JsonNode)table.Reference)]),
        };
        if (isDryRun)
        {
            query["totalBytesProcessedAccuracy"] = "PRECISE";
            query["schema"] = Schema();
        }

        var statistics = new JsonObject { ["creationTime"] = millis, ["totalBytesProcessed"] = bytes, ["query"] = query };
        if (!isDryRun && State != "PENDING") statistics["startTime"] = millis;
        if (State == "DONE" && !isDryRun) statistics["endTime"] = millis;
        return statistics;
    }

    internal JsonObject Schema() => new() { ["fields"] = new JsonArray([.. Fields.Select(field => (JsonNode)field.ToJson())]) };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
