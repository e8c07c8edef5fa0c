using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Http;

/// <summary>Collects what is wrong with a request, in the shape that clients of the original know: an array of <c>type, loc, msg, input</c>.</summary>
public sealed class Invalid
{
    private readonly JsonArray _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(string type, JsonArray location, string message, JsonNode? input, JsonObject? context = null)
    {
        var error = new JsonObject { ["type"] = type, ["loc"] = location, ["msg"] = message, ["input"] = Redactor.MaskValues(input) };
        if (context is not null) error["ctx"] = context;
        _errors.Add(error);
    }

    /// <summary>A rule of ours that no type expresses.</summary>
    public void AddValue(string part, string name, string message, JsonNode? input) =>
        Add("value_error", [part, name], $"Value error, {message}", Redactor.IsSecretKey(name) ? Redactor.Mask : input);

    public ProblemException Exception() => new(StatusCodes.Status422UnprocessableEntity, new ProblemResult(StatusCodes.Status422UnprocessableEntity, _errors, null, alwaysJson: true));

    public void ThrowIfAny()
    {
        if (Any) throw Exception();
    }
}
