using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Publishing;
using Agnes.Protocol;

namespace Agnes.Engine.Workers;

/// <summary>The one request of an extract worker: a JSON line on its standard input.</summary>
/// <param name="Op"><c>extract</c> (and then prepare, when <see cref="Known"/> is given), <c>preview</c>, <c>check</c>, <c>forecast</c>, <c>prepare</c>, <c>analytics</c> or <c>consolidate</c>.</param>
internal sealed record WorkerRequest(
    string Op,
    string DataFolder,
    Share Share,
    ExtractRequest? Extract = null,
    string? Source = null,
    string? RunId = null,
    IReadOnlyList<PublishedTable>? Known = null,
    IReadOnlyList<AnalyticsTable>? Analytics = null,
    IReadOnlyList<TablePart>? Parts = null);

/// <summary>One line of an extract worker's standard output; the last one holds a result or an error.</summary>
internal sealed record WorkerLine(
    ExtractEvent? Event = null,
    ExtractOutcome? Outcome = null,
    Publication? Publication = null,
    MadeWhole? Whole = null,
    string? Error = null,
    bool Done = false,
    SentCheckpoint? Checkpoint = null,
    ProgramRequest? Program = null,
    TablePreview? Preview = null,
    SourceCheck? Check = null,
    IReadOnlyList<TableForecast>? Forecasts = null);

/// <param name="Number">Of this run; the answer has the same.</param>
internal sealed record SentCheckpoint(long Number, ExtractCheckpoint Checkpoint);

/// <summary>One line of an extract worker's standard input after the request.</summary>
/// <param name="Saved">The number of a checkpoint that is stored now, and will be there whatever happens.</param>
/// <param name="Program">What the operator's program, which this worker asked for, brought.</param>
internal sealed record WorkerAnswer(long Saved = 0, ProgramOutcome? Program = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkerRequest))]
[JsonSerializable(typeof(WorkerLine))]
[JsonSerializable(typeof(WorkerAnswer))]
internal sealed partial class WorkerJson : JsonSerializerContext
{
    public static ReadOnlyMemory<byte> Line(WorkerLine line) => JsonSerializer.SerializeToUtf8Bytes(line, Default.WorkerLine);
}
