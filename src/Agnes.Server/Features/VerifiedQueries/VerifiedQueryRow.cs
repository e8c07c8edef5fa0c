using System.Text.Json;
using Agnes.Protocol;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>A row of <c>verified_queries</c>.</summary>
internal sealed record VerifiedQueryRow
{
    public required string Id { get; init; }
    public required string Question { get; init; }
    public string? Description { get; init; }
    public required string Sql { get; init; }

    /// <summary>A JSON array as text.</summary>
    public required string Parameters { get; init; }

    /// <summary>Every table that the engine bound it to, as long as <see cref="Bound"/> holds.</summary>
    public string SqlTables { get; init; } = "[]";

    /// <summary>The engine has bound it, so that what it reads is known.</summary>
    public bool Bound { get; init; }
    public string? CanonicalBy { get; init; }
    public DateTime? CanonicalAt { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime UpdatedAt { get; init; }

    public bool IsCanonical => CanonicalAt is not null;

    public static string Write(IReadOnlyList<QueryParameter> parameters) => JsonSerializer.Serialize(parameters, ProtocolJson.Default.IReadOnlyListQueryParameter);

    public IReadOnlyList<QueryParameter> ReadParameters() => JsonSerializer.Deserialize(Parameters, ProtocolJson.Default.IReadOnlyListQueryParameter) ?? [];

    public VerifiedQuery ToView() => new(Id, Question, Description, Sql, ReadParameters(), IsCanonical, Timestamps.Spaced(UpdatedAt));
}
