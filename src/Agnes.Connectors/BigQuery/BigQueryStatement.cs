using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Connectors.BigQuery;

/// <summary>A statement in BigQuery's SQL, to be run once.</summary>
/// <param name="JobId">
/// Chosen, and stored, before the statement is sent: whoever sends it again after a crash finds the job that runs or ran already, and
/// nothing is billed twice.
/// </param>
/// <param name="BytesBilledMax">More than that BigQuery refuses to read, before it has read anything.</param>
public sealed partial record BigQueryStatement(string Sql, string JobId, long BytesBilledMax)
{
    /// <summary>Values for the <c>@names</c> of the statement.</summary>
    public IReadOnlyList<BigQueryParameter> Parameters { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public StatementAuthor Author { get; init; } = StatementAuthor.Asker;

    /// <summary>Where it runs; null: as the connection says.</summary>
    public string? Location { get; init; }

    /// <summary>BigQuery ends the job by itself after so long.</summary>
    public TimeSpan? TimeMax { get; init; }

    /// <summary>A job id as BigQuery allows them, never used before.</summary>
    public static string NewJobId() => $"agnes_{Guid.NewGuid():N}";

    /// <summary>What a label's key or value may hold; the rest becomes a line.</summary>
    internal static string Label(string text)
    {
        var lower = NoLabel().Replace(text.ToLowerInvariant(), "_");
        return lower.Length > 63 ? lower[..63] : lower;
    }

    [GeneratedRegex("[^a-z0-9_-]")]
    private static partial Regex NoLabel();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,1000}\z")]
    internal static partial Regex JobIds();
}

/// <summary>A value that a statement names, sent beside its text.</summary>
/// <param name="Type">BigQuery's standard name, of a scalar.</param>
/// <param name="Value">As BigQuery writes it; null: NULL.</param>
public sealed record BigQueryParameter(string Name, string Type, string? Value)
{
    public static BigQueryParameter Text(string name, string? value) => new(name, "STRING", value);

    public static BigQueryParameter Int64(string name, long value) => new(name, "INT64", value.ToString(CultureInfo.InvariantCulture));

    internal ParameterMessage ToMessage() => new(Name, new ParameterType(Type), new ParameterValue(Value));
}

/// <summary>What a statement would do, without its being run.</summary>
/// <param name="Bytes">That it would read.</param>
/// <param name="StatementType">SELECT, INSERT, SCRIPT …</param>
/// <param name="Tables">All that it reads, also through views.</param>
/// <param name="Location">Where it would run.</param>
public sealed record BigQueryDryRun(
    long Bytes, string StatementType, IReadOnlyList<TableReference> Tables, IReadOnlyList<RoutineReference> Routines,
        IReadOnlyList<BigQueryField> Columns, string? Location);

/// <summary>A table's full name.</summary>
public sealed record TableReference(string ProjectId, string DatasetId, string TableId)
{
    public override string ToString() => $"{ProjectId}.{DatasetId}.{TableId}";
}

/// <summary>A function's or procedure's full name.</summary>
public sealed record RoutineReference(string ProjectId, string DatasetId, string RoutineId);
