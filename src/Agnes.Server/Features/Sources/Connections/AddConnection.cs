using System.Text.Json;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary><c>POST /api/admin/connections</c></summary>
internal static class AddConnection
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ConnectionStore connections, SourceKinds kinds, SecretStore secrets)
    {
        var body = await RequestBody.ReadAsync(context);
        var (name, kind) = (body.String("name").Trim(), body.String("kind").Trim());
        var settings = Settings(body).Where(one => one.Value is not null).ToDictionary(one => one.Key, one => one.Value!, StringComparer.Ordinal);
        body.ThrowIfInvalid();
        var row = await connections.AddAsync(context.Caller(), name, kind, settings, context.RequestAborted);
        return JsonBody.Of(ListConnections.Of(row, state.Snapshot, kinds, secrets), StatusCodes.Status201Created);
    }

    /// <summary>Values as texts; numbers and truth values are taken as they are written.</summary>
    public static Dictionary<string, string?> Settings(RequestBody body)
    {
        var given = body.Element("settings");
        if (given.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return [];
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (given.ValueKind != JsonValueKind.Object || given.GetPropertyCount() > 50) body.Refuse("settings", "settings must be an object of at most 50 settings");
        else
        {
            foreach (var setting in given.EnumerateObject())
            {
                if (setting.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array) body.Refuse("settings", $"{setting.Name} must be a text, a number, true or false");
                else settings[setting.Name] = setting.Value.ValueKind == JsonValueKind.Null ? null : setting.Value.ValueKind == JsonValueKind.String ? setting.Value.GetString()!.Trim() : setting.Value.GetRawText();
            }
        }

        return settings;
    }
}
