using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary><c>GET /api/admin/connections</c></summary>
internal static class ListConnections
{
    public static IResult Handle(HttpContext context, SourceKinds kinds, SecretStore secrets)
    {
        var snapshot = context.Snapshot();
        return JsonBody.Of(new JsonObject
        {
            ["kinds"] = new JsonArray([.. kinds.All.Where(kind => kind.OfferedAs is not null).Select(kind => (JsonNode)Of(kind))]),
            ["connections"] = new JsonArray([.. snapshot.Connections.Values.OrderBy(row => row.Name, StringComparer.Ordinal).Select(row => (JsonNode)Of(row, snapshot, kinds, secrets))]),
        });
    }

    public static JsonObject Of(ConnectionRow row, Snapshot snapshot, SourceKinds kinds, SecretStore secrets) => new()
    {
        ["name"] = row.Name,
        ["kind"] = row.Kind,
        ["settings"] = JsonNode.Parse(row.Settings),
        ["secrets"] = new JsonArray([.. (kinds.OfType(row.Kind)?.ConnectionSettings ?? []).Where(setting => setting.IsSecret).Select(setting => (JsonNode)Secret(row, setting, secrets))]),
        ["tables"] = snapshot.TablesById.Values.Count(table => table.Connection == row.Name),
        ["created_by"] = row.CreatedBy,
        ["created_at"] = Timestamps.Naive(row.CreatedAt),
    };

    private static JsonObject Secret(ConnectionRow row, SourceSetting setting, SecretStore secrets)
    {
        var name = ConnectionSecrets.NameOf(row.Name, setting.Name);
        return new JsonObject { ["setting"] = setting.Name, ["stored_as"] = name, ["is_stored"] = secrets.Find(name) is not null };
    }

    private static JsonObject Of(SourceKind kind) => new()
    {
        ["name"] = kind.Name,
        ["title"] = kind.Title,
        ["aliases"] = new JsonArray([.. kind.Aliases.Select(alias => (JsonNode)alias)]),
        ["query_modes"] = new JsonArray([.. kind.Modes.Select(mode => (JsonNode)mode)]),
        ["sql_flavor"] = kind.SqlFlavor,
        ["is_pulled"] = kind.Connector is not null,
        ["is_asked"] = kind.IsAsked,
        ["connection_settings"] = new JsonArray([.. kind.ConnectionSettings.Select(setting => (JsonNode)Of(setting))]),
    };

    private static JsonObject Of(SourceSetting setting)
    {
        var field = setting.Under("connection").Field();
        field.Insert(0, "name", setting.Name);
        field["is_required"] = setting.IsRequired;
        return field;
    }
}

/// <summary>For the description, as are the records below: written by <see cref="ListConnections"/>.</summary>
internal sealed record ConnectionsAnswer(IReadOnlyList<SourceKindAnswer> Kinds, IReadOnlyList<ConnectionAnswer> Connections);

internal sealed record SourceKindAnswer(
    string Name, string Title, IReadOnlyList<string> Aliases, IReadOnlyList<string> QueryModes, string SqlFlavor, bool IsPulled,
    bool IsAsked,
    IReadOnlyList<SettingFieldAnswer> ConnectionSettings);

/// <param name="Kind">string, secret, bool, int, float, select, array, map or object; what belongs to it follows.</param>
internal sealed record SettingFieldAnswer(
    string Name, string Kind, bool IsRequired, IReadOnlyList<string>? Options = null, string? ItemKind = null, string? KeyKind = null,
    string? ValueKind = null, string? PlaceholderFrom = null, JsonNode? Default = null, string? Hint = null);

internal sealed record ConnectionAnswer(
    string Name, string Kind, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<StoredSecretAnswer> Secrets, int Tables,
    string? CreatedBy, string CreatedAt);

internal sealed record StoredSecretAnswer(string Setting, string StoredAs, bool IsStored);
