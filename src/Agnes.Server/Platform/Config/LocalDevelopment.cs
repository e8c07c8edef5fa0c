using System.Net;
using System.Text.Json;

namespace Agnes.Server.Platform.Config;

/// <summary>A group that the developer is told to be in.</summary>
public sealed record LocalGroup(string Id, string Name);

/// <summary>
/// One developer, an admin, who signs in by opening an address that is shown at the start. The server listens on this machine alone, and answers only to this machine's own
/// names: see <see cref="Access.LocalOnly"/>.
/// </summary>
public sealed record LocalDevelopment(string Email, IReadOnlyList<LocalGroup> Groups)
{
    private const string EmailDefault = "dev@localhost";

    internal static readonly SettingGroup Settings = new(
        "Local development",
        new(null, "LOCAL_DEV_MODE")
        {
            Kind = "bool",
            Means = "`1` makes an admin of whoever opens one address: [sign-in.md](sign-in.md#trying-things-out-local-development).",
        },
        new(null, "LOCAL_DEV_USER_EMAIL") { Default = EmailDefault, Means = "The address of that admin." },
        new(null, "LOCAL_DEV_GROUPS") { Means = "The groups that they are in, as JSON." });

    /// <summary>What was wrong with <c>LOCAL_DEV_GROUPS</c>.</summary>
    public string? Problem { get; init; }

    /// <summary>Null when the mode is off.</summary>
    /// <exception cref="OptionsException">It is on, and the server would be reachable from elsewhere.</exception>
    public static LocalDevelopment? From(ServerOptions options, Func<string, string?> environment)
    {
        if (environment("LOCAL_DEV_MODE")?.Trim().ToLowerInvariant() is not ("1" or "true" or "yes")) return null;
        if (options.Domain is not null) throw new OptionsException("LOCAL_DEV_MODE makes an admin of whoever opens one address: it does not go with DOMAIN. Unset one of them.");
        RefuseReachable(options.Urls);
        var email = environment("LOCAL_DEV_USER_EMAIL")?.Trim() is { Length: > 0 } given ? given : EmailDefault;
        var (groups, problem) = ReadGroups(environment("LOCAL_DEV_GROUPS"));
        return new LocalDevelopment(email, groups) { Problem = problem };
    }

    /// <summary>Whether a host name, as in a <c>Host</c> header or an address to listen on, means this machine and nothing else.</summary>
    public static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <exception cref="OptionsException">One of the addresses is not of this machine alone.</exception>
    public static void RefuseReachable(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !IsThisMachine(uri.Host))
            {
                throw new OptionsException($"LOCAL_DEV_MODE makes an admin of whoever opens one address: it listens on localhost or 127.0.0.1 only, not on '{url}'.");
            }
        }
    }

    private static (IReadOnlyList<LocalGroup> Groups, string? Problem) ReadGroups(string? text)
    {
        const string Wrong = "LOCAL_DEV_GROUPS must be a JSON array of objects with an id; it is ignored.";
        if (string.IsNullOrWhiteSpace(text)) return ([], null);
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Array) return ([], Wrong);
            var groups = new List<LocalGroup>();
            foreach (var item in document.RootElement.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Object || Field(item, "id") is not { } id) continue;
                groups.Add(new LocalGroup(id, Field(item, "name") ?? id));
            }

            return (groups, null);
        }
        catch (JsonException)
        {
            return ([], Wrong);
        }
    }

    private static string? Field(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString()?.Trim() is { Length: > 0 } text ? text : null;
}
