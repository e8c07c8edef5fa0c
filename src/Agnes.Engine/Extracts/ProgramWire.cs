using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Engine.Extracts;

/// <summary>A program of the operator's that brings tables: started in its own process group, with next to no environment, inside walls.</summary>
/// <param name="File">The executable.</param>
/// <param name="Network">Whether the operator lets it make connections.</param>
public sealed record ExtractProgram(string File, bool Network)
{
    /// <summary>The option that tells the connector where the program's files lie.</summary>
    public const string HandedOption = "handed_over";
}

/// <summary>A table that the program is asked for.</summary>
/// <param name="Cursor">What it said of the table when it last brought it.</param>
/// <param name="Checkpoint">What it saved in a run that did not end well.</param>
public sealed record ProgramTable(string Name, string? Bucket, string? SourceTable, JsonElement? Settings, string? Cursor, string? Checkpoint);

/// <summary>The line that the program reads first.</summary>
public sealed record ProgramRequest(IReadOnlyList<ProgramTable> Tables, string? Connection = null, IReadOnlyDictionary<string, string>? Settings = null, int Version = 1);

/// <summary>A table that the program brought.</summary>
/// <param name="Files">In its working folder: CSV, TSV, NDJSON or Parquet. None: there is nothing new.</param>
/// <param name="MergeBy">The columns of the key by which rows replace those of before; null: the files are the whole table.</param>
/// <param name="PartitionBy">A column whose values are kept apart, so that a merge rewrites little.</param>
public sealed record HandedTable(string Table, IReadOnlyList<string>? Files = null, string? Cursor = null, IReadOnlyList<string>? MergeBy = null, string? PartitionBy = null);

public sealed record HandedProgress(string Table, long? Rows = null, string? Phase = null);

/// <summary>One line of the program; what is none is taken for a line of its log.</summary>
public sealed record ProgramLine(
    ExtractCheckpoint? Checkpoint = null, HandedProgress? Progress = null, string? Log = null, HandedTable? Done = null, FailedTable? Failed = null);

/// <param name="Error">Why the program did not end well; what it brought before counts all the same.</param>
public sealed record ProgramOutcome(IReadOnlyList<HandedTable> Done, IReadOnlyList<FailedTable> Failed, string? Error = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgramRequest))]
[JsonSerializable(typeof(ProgramLine))]
internal sealed partial class ProgramJson : JsonSerializerContext;
