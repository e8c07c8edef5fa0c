using Agnes.Engine.Parts;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// Secrets of connections: stored secrets under a name that says whose they are. Where they go is written in the connection's row by an admin, so that nothing of the
/// operator's environment is looked at here.
/// </summary>
internal static class ConnectionSecrets
{
    private const string Prefix = "AGNES_CONNECTION_";

    internal static readonly SettingGroup Settings = new("Connections")
    {
        Families =
        [
            new(
                Prefix,
                "",
                "Secrets of connections, with the connection's name and the setting's behind it; stored with `agnes admin secret set`, never read from " +
                "the environment."),
        ],
    };

    public static string NameOf(string connection, string setting) =>
        $"{Prefix}{connection.ToUpperInvariant()}_{setting.ToUpperInvariant()}";

    /// <summary>Those of the connection's secrets that are stored.</summary>
    public static IEnumerable<(string Setting, string Value)> Of(SecretStore secrets, Connection connection) =>
        from setting in connection.Kind.ConnectionSettings
        where setting.IsSecret
        let value = secrets.Find(NameOf(connection.Name, setting.Name))
        where value is not null
        select (setting.Name, value);

    /// <summary>Everything that is set for a connection. Holds secrets.</summary>
    public static Dictionary<string, string> OptionsOf(SecretStore secrets, Connection connection, DataFolder folder, ServerOptions options)
    {
        var given = connection.Kind.OptionsOf(connection, folder);
        foreach (var (setting, value) in Of(secrets, connection)) given[setting] = value;
        connection.Kind.AddOptions(given, connection, options, secrets);
        return given;
    }

    public static async Task ForgetAsync(SecretStore secrets, SourceKind kind, string connection, CancellationToken stop)
    {
        foreach (var setting in kind.ConnectionSettings.Where(setting => setting.IsSecret && secrets.Find(NameOf(connection, setting.Name)) is not null))
            await secrets.SetAsync(NameOf(connection, setting.Name), "", stop);
    }
}
