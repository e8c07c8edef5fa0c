using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>Which connections there are besides the default ones. Secrets are no part of a row: see <see cref="ConnectionSecrets"/>.</summary>
internal sealed class ConnectionStore(StateDb state, SourceKinds kinds, DataFolder folder, ServerOptions options)
{
    private const int ConnectionsMax = 200;
    private const int ValueCharsMax = 1_000;

    /// <exception cref="ProblemException">409: the name is taken. 422: it cannot be.</exception>
    public Task<ConnectionRow> AddAsync(Caller caller, string name, string kindName, IReadOnlyDictionary<string, string> settings, CancellationToken stop) => state.WriteAsync(
        async write =>
        {
            var kind = kinds.Named(kindName);
            if (kind is not { ConnectionSettings.Count: > 0 })
                throw Unfit($"kind must be one of {string.Join(", ", kinds.All.Where(one => one.ConnectionSettings.Count > 0).Select(one => one.Name))}");
            RefuseName(write.Current, name);
            Check(kind, settings);
            if (write.Current.Connections.Count >= ConnectionsMax) throw new ProblemException(StatusCodes.Status409Conflict, $"There can be at most {ConnectionsMax} connections");
            var row = new ConnectionRow { Name = name, Kind = kind.Name, Settings = Text(settings), CreatedAt = write.Now, CreatedBy = caller.Email };
            await write.ExecuteAsync("INSERT INTO source_connections (name, kind, settings, created_at, created_by) VALUES (@Name, @Kind, @Settings, @CreatedAt, @CreatedBy)", row);
            write.Audit(caller.UserId, "connection.added", name, Audited(row));
            write.Apply(snapshot => snapshot.WithConnection(row));
            return row;
        },
        stop);

    /// <param name="settings">What is absent stays; null clears.</param>
    /// <exception cref="ProblemException">404 or 422.</exception>
    public Task<ConnectionRow> UpdateAsync(Caller caller, string name, IReadOnlyDictionary<string, string?> settings, CancellationToken stop) => state.WriteAsync(
        async write =>
        {
            var before = Row(write.Current, name);
            var merged = new Dictionary<string, string>(before.Values, StringComparer.Ordinal);
            foreach (var (key, value) in settings)
            {
                if (value is null) merged.Remove(key);
                else merged[key] = value;
            }

            Check(kinds.OfType(before.Kind)!, merged);
            var row = before with { Settings = Text(merged) };
            await write.ExecuteAsync("UPDATE source_connections SET settings = @Settings WHERE name = @Name", row);
            write.Audit(caller.UserId, "connection.changed", name, Audited(row));
            write.Apply(snapshot => snapshot.WithConnection(row));
            return row;
        },
        stop);

    /// <exception cref="ProblemException">404, or 409: tables are pulled through it.</exception>
    public Task RemoveAsync(Caller caller, string name, CancellationToken stop) => state.WriteAsync(
        async write =>
        {
            var row = Row(write.Current, name);
            var tables = write.Current.TablesById.Values.Where(table => table.Connection == name).Select(table => table.Id).Order(StringComparer.Ordinal).ToList();
            if (tables.Count > 0) throw new ProblemException(StatusCodes.Status409Conflict, $"{tables.Count} tables come through '{name}', such as {tables[0]}: unregister them first");
            if (!write.Current.PublishedNamesOf(name).IsEmpty) throw new ProblemException(StatusCodes.Status409Conflict, $"Tables of '{name}' are just being taken away: try again in a moment");
            await write.ExecuteAsync("DELETE FROM source_connections WHERE name = @name", new { name });
            write.Audit(caller.UserId, "connection.removed", name, Audited(row));
            write.Apply(snapshot => snapshot.WithoutConnection(name));
        },
        stop);

    private static ConnectionRow Row(Snapshot snapshot, string name) =>
        snapshot.Connections.GetValueOrDefault(name) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Connection not found");

    private void RefuseName(Snapshot snapshot, string name)
    {
        if (!Identifiers.IsSource(name)) throw Unfit("name must be letters, digits and underscores, at most 64, not starting with a digit");
        if (kinds.Named(name) is not null || snapshot.Connections.Keys.Contains(name, StringComparer.OrdinalIgnoreCase))
            throw new ProblemException(StatusCodes.Status409Conflict, $"There is a connection '{name}' already");
        // What lies there is another program's, and is served as it is.
        if (Directory.Exists(folder.Source(name))) throw new ProblemException(StatusCodes.Status409Conflict, $"The folder extracts/{name} is there already: choose another name, or remove it");
    }

    private void Check(SourceKind kind, IReadOnlyDictionary<string, string> settings)
    {
        foreach (var (key, value) in settings)
        {
            var setting = kind.ConnectionSettings.FirstOrDefault(one => one.Name == key)
                ?? throw Unfit($"'{key}' is no setting of {kind.Name}. There are {string.Join(", ", kind.ConnectionSettings.Select(one => one.Name))}");
            if (setting.IsSecret) throw Unfit($"{key} is a secret, and is stored apart: agnes admin secret set {ConnectionSecrets.NameOf("NAME", key)}, with the connection's name");
            if (value.Length is 0 or > ValueCharsMax || value.Any(char.IsControl)) throw Unfit($"{key} must have 1 to {ValueCharsMax} characters, and no line end");
            if (setting.Kind == "int" && !long.TryParse(value, out _)) throw Unfit($"{key} must be a whole number");
            if (setting.Kind == "bool" && value is not ("true" or "false")) throw Unfit($"{key} must be true or false");
        }

        if (kind.ConnectionSettings.FirstOrDefault(one => one is { IsRequired: true, IsSecret: false } && !settings.ContainsKey(one.Name)) is { } missing) throw Unfit($"{missing.Name} is missing: {missing.Hint}");
        if (kind.ConnectionFault(settings, options) is { } fault) throw Unfit(fault);
    }

    private static ProblemException Unfit(string why) => new(StatusCodes.Status422UnprocessableEntity, why);

    private static string Text(IReadOnlyDictionary<string, string> settings) =>
        new JsonObject(settings.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))).ToJsonString();

    private static JsonObject Audited(ConnectionRow row) => new() { ["kind"] = row.Kind, ["settings"] = JsonNode.Parse(row.Settings) };
}
