using System.Globalization;
using System.Text.Json.Serialization;

namespace Agnes.Protocol;

/// <summary>A question with an answer that an admin vouches for: <c>GET /api/verified-queries/{id}</c>.</summary>
/// <param name="Sql">Reads its parameters, if it has any, from a relation named <c>parameters</c> of one row.</param>
/// <param name="Canonical">An admin called it the one right way to answer the question.</param>
public sealed record VerifiedQuery(string Id, string Question, string? Description, string Sql, IReadOnlyList<QueryParameter> Parameters, bool Canonical, string UpdatedAt);

public sealed record VerifiedQueryList(IReadOnlyList<VerifiedQuery> Queries, int Count);

/// <param name="Type">One of <see cref="QueryParameters.Types"/>.</param>
/// <param name="Default">As text; without one the parameter must be given.</param>
public sealed record QueryParameter(
    string Name,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Default = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description = null);

/// <summary>Puts values into a verified query. They become literals of a relation beside the statement, so the statement itself is never edited.</summary>
public static class QueryParameters
{
    public const string Relation = "parameters";

    private static readonly Dictionary<string, (string Engine, string Sample)> ByType = new(StringComparer.Ordinal)
    {
        ["text"] = ("VARCHAR", "x"),
        ["integer"] = ("BIGINT", "1"),
        ["number"] = ("DOUBLE", "1"),
        ["date"] = ("DATE", "2026-01-01"),
        ["timestamp"] = ("TIMESTAMP", "2026-01-01 00:00:00"),
        ["boolean"] = ("BOOLEAN", "true"),
    };

    public static IReadOnlyCollection<string> Types => ByType.Keys;

    /// <summary>One statement that runs as it is, on the laptop or on the server.</summary>
    /// <param name="given">By the parameters' names.</param>
    /// <exception cref="FormatException">A value is missing, unknown, or not of its type; the message is for whoever gave it.</exception>
    public static string Compose(string sql, IReadOnlyList<QueryParameter> parameters, IReadOnlyDictionary<string, string> given)
    {
        if (given.Keys.FirstOrDefault(name => parameters.All(parameter => parameter.Name != name)) is { } unknown)
            throw new FormatException($"The query has no parameter '{unknown}'. {Known(parameters)}");
        return parameters.Count == 0 ? sql : $"{Prefix(parameters, given)}SELECT * FROM (\n{sql}\n)";
    }

    /// <summary>The clause that stands before the statement; empty without parameters.</summary>
    public static string Prefix(IReadOnlyList<QueryParameter> parameters, IReadOnlyDictionary<string, string> given) =>
        parameters.Count == 0 ? "" : $"WITH {Relation} AS (SELECT {string.Join(", ", parameters.Select(parameter => Column(parameter, Value(parameter, parameters, given))))})\n";

    /// <summary>Values of the right types, to try the statement with.</summary>
    public static IReadOnlyDictionary<string, string> Samples(IReadOnlyList<QueryParameter> parameters) =>
        parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Default ?? ByType[parameter.Type].Sample, StringComparer.Ordinal);

    /// <summary>Whether the text can be read as that type.</summary>
    public static bool Fits(string type, string value) => type switch
    {
        "integer" => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "number" => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number),
        "date" => DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "timestamp" => DateTime.TryParseExact(value, ["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "boolean" => value is "true" or "false",
        _ => !value.Contains('\0'),
    };

    private static string Value(QueryParameter parameter, IReadOnlyList<QueryParameter> all, IReadOnlyDictionary<string, string> given)
    {
        var value = given.GetValueOrDefault(parameter.Name) ?? parameter.Default ?? throw new FormatException($"The parameter '{parameter.Name}' ({parameter.Type}) is missing. {Known(all)}");
        if (!ByType.ContainsKey(parameter.Type)) throw new FormatException($"The parameter '{parameter.Name}' has a type that this version does not know: {parameter.Type}.");
        return Fits(parameter.Type, value) ? value : throw new FormatException($"The parameter '{parameter.Name}' must be {Article(parameter.Type)}, such as {ByType[parameter.Type].Sample}.");
    }

    private static string Column(QueryParameter parameter, string value) =>
        $"CAST({SqlText.Literal(value)} AS {ByType[parameter.Type].Engine}) AS {SqlText.Identifier(parameter.Name)}";

    private static string Known(IReadOnlyList<QueryParameter> parameters) => parameters.Count == 0
        ? "It has none."
        : $"It has: {string.Join(", ", parameters.Select(parameter => $"{parameter.Name} ({parameter.Type}{(parameter.Default is null ? ", must be given" : $", default {parameter.Default}")})"))}.";

    private static string Article(string type) => type is "integer" ? "an integer" : $"a {type}";
}
