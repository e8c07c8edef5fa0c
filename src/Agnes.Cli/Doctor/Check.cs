using System.Text.Json.Nodes;

namespace Agnes.Cli.Doctor;

/// <summary>What was looked at, how it stands, and what to do about it.</summary>
/// <param name="Status"><c>ok</c>, <c>info</c>, <c>warning</c>, <c>error</c> or <c>unknown</c>.</param>
/// <param name="Remedy">The next step, by a command where there is one; null where nothing is to be done.</param>
internal sealed record Check(string Name, string Status, string Detail, string? Remedy = null)
{
    public const string Good = "ok";
    public const string Info = "info";
    public const string Warning = "warning";
    public const string Error = "error";
    public const string Unknown = "unknown";

    /// <summary>Further fields of the JSON form.</summary>
    public JsonObject? More { get; init; }

    public static Check Ok(string name, string detail) => new(name, Good, detail);

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["name"] = Name, ["status"] = Status, ["detail"] = Detail };
        if (Remedy is not null) json["remedy"] = Remedy;
        foreach (var (key, value) in More ?? []) json.TryAdd(key, value?.DeepClone());
        return json;
    }
}
