using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Microsoft.IdentityModel.Tokens;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>What an issuer says of itself.</summary>
internal sealed record IssuerDocument(Uri Authorization, Uri Token, Uri Keys, Uri? UserInfo, bool TakesSecretInForm);

/// <summary>Discovery documents and keys of the configured issuers, read when needed and kept for a while. A handful at most.</summary>
internal sealed class IssuerDocuments(IssuerHttp http, TimeProvider time)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    /// <summary>A key that is not known may be new; a flood of made-up ones must not become a flood of requests.</summary>
    private static readonly TimeSpan KeysAskedEvery = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, Kept<IssuerDocument>> _documents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Kept<IReadOnlyList<JsonWebKey>>> _keys = new(StringComparer.Ordinal);

    public async Task<IssuerDocument> DocumentAsync(OpenIdClient client, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (_documents.TryGetValue(client.Issuer, out var kept) && now - kept.At < KeptFor) return kept.Value;
        var document = Read(client, await http.GetAsync(new Uri($"{client.Issuer.TrimEnd('/')}/.well-known/openid-configuration"), null, stop));
        _documents[client.Issuer] = new(document, now);
        return document;
    }

    /// <summary>The keys that may have signed a token with that header.</summary>
    public async Task<IReadOnlyList<JsonWebKey>> KeysAsync(OpenIdClient client, string algorithm, string? keyId, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (_keys.TryGetValue(client.Issuer, out var kept) && now - kept.At < KeptFor)
        {
            var known = Matching(kept.Value, algorithm, keyId);
            if (known.Count > 0 || now - kept.At < KeysAskedEvery) return known;
        }

        var document = await DocumentAsync(client, stop);
        var keys = IssuerKeys.ReadAll(await http.GetAsync(document.Keys, null, stop));
        _keys[client.Issuer] = new(keys, now);
        return Matching(keys, algorithm, keyId);
    }

    private static List<JsonWebKey> Matching(IReadOnlyList<JsonWebKey> keys, string algorithm, string? keyId) =>
        [.. keys.Where(key => key.Fits(algorithm) && (keyId is null || key.Kid == keyId))];

    private static IssuerDocument Read(OpenIdClient client, JsonObject document)
    {
        if (Text(document, "issuer") != client.Issuer) throw new IssuerException($"The discovery document of {client.Issuer} names another issuer.");
        var methods = document["token_endpoint_auth_methods_supported"] as JsonArray;
        return new IssuerDocument(
            Address(document, "authorization_endpoint") ?? throw Missing(client, "authorization_endpoint"),
            Address(document, "token_endpoint") ?? throw Missing(client, "token_endpoint"),
            Address(document, "jwks_uri") ?? throw Missing(client, "jwks_uri"),
            Address(document, "userinfo_endpoint"),
            TakesSecretInForm: methods is not null && !methods.Any(method => IsText(method, "client_secret_basic")) && methods.Any(method => IsText(method, "client_secret_post")));
    }

    private static IssuerException Missing(OpenIdClient client, string name) => new($"The discovery document of {client.Issuer} has no usable {name}.");

    /// <summary>Only what credentials may be sent to; endpoints may have a query.</summary>
    private static Uri? Address(JsonObject document, string name) =>
        Uri.TryCreate(Text(document, name), UriKind.Absolute, out var uri) && SignInOptions.SettingReader.IsSafe(new UriBuilder(uri) { Query = "" }.Uri) ? uri : null;

    private static string? Text(JsonObject document, string name) => document[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool IsText(JsonNode? node, string text) => node is JsonValue value && value.TryGetValue<string>(out var found) && found == text;

    private sealed record Kept<T>(T Value, DateTimeOffset At);
}
