using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Agnes.Cli.Mcp;

/// <summary>What a client gave a tool, checked against what the tool takes.</summary>
internal sealed class McpArguments
{
    private readonly string _tool;
    private readonly IDictionary<string, JsonElement> _given;

    public McpArguments(string name, IDictionary<string, JsonElement>? given, Tool tool)
    {
        _tool = name;
        _given = given ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var known = tool.InputSchema.GetProperty("properties").EnumerateObject().Select(property => property.Name).ToList();
        if (_given.Keys.FirstOrDefault(key => !known.Contains(key, StringComparer.Ordinal)) is { } unknown)
            throw new CliException($"'{_tool}' takes no '{unknown}'. It takes: {(known.Count == 0 ? "nothing" : string.Join(", ", known))}.");
    }

    public string Required(string name) => Optional(name) is { Length: > 0 } text ? text : throw new CliException($"'{_tool}' needs '{name}'.");

    public string? Optional(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw new CliException($"'{name}' must be a text."),
    };

    public bool Boolean(string name) => Find(name) switch
    {
        null => false,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw new CliException($"'{name}' must be true or false."),
    };

    public int Whole(string name, int absent, int max) => Find(name) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= 1 => Math.Min(number, max),
        _ => throw new CliException($"'{name}' must be a whole number from 1 to {max}."),
    };

    public long? OptionalWhole(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out var number) && number >= 1 => number,
        _ => throw new CliException($"'{name}' must be a whole number from 1."),
    };

    public IReadOnlyList<string> Texts(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : throw new CliException($"'{name}' must be a list of texts with at least one.");

    public JsonElement? Object(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => value,
        _ => throw new CliException($"'{name}' must be an object."),
    };

    private JsonElement? Find(string name) => _given.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;
}
