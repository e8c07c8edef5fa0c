using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.BigQuery;

/// <summary>
/// Where access tokens come from: the metadata server of a machine, and the token endpoint for assertions of service accounts and for
/// refresh tokens.
/// </summary>
public sealed class TokenEndpoints : IDisposable
{
    public const string Email = "agnes@emulated-project.iam.example.com";
    public const string KeyId = "key-1";
    public const string ClientId = "client-1.apps.example.com";
    public const string ClientSecret = "marker-secret-of-the-client";
    public const string RefreshToken = "marker-refresh-token-of-a-person";
    public const string Audience = "https://oauth2.googleapis.com/token"; // whatever address it is reached at
    public const string Scope = "https://www.googleapis.com/auth/cloud-platform";
    private readonly RSA _key = RSA.Create(2048);
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _grants = new();

    internal TokenEndpoints(TimeProvider time) => _time = time;

    /// <summary>How long a token is good; what an answer says of it.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromSeconds(3599);

    /// <summary>Whether there is a metadata server.</summary>
    public bool HasMetadata { get; set; } = true;

    /// <summary>Ways by which tokens were given, oldest first: <c>metadata</c>, <c>assertion</c>, <c>refresh</c>.</summary>
    public IReadOnlyCollection<string> Grants => _grants;

    /// <summary>The key file of the service account.</summary>
    public string KeyFile(string address) => new JsonObject
    {
        ["type"] = "service_account",
        ["project_id"] = "emulated-project",
        ["private_key_id"] = KeyId,
        ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = Email,
        ["client_id"] = "100000000000000000001",
        ["token_uri"] = $"{address}/token",
    }.ToJsonString();

    /// <summary>What a person's sign-in leaves on a laptop.</summary>
    public static string PersonFile() => new JsonObject
    {
        ["type"] = "authorized_user",
        ["client_id"] = ClientId,
        ["client_secret"] = ClientSecret,
        ["refresh_token"] = RefreshToken,
    }.ToJsonString();

    /// <summary>No token given so far is good any more.</summary>
    public void RevokeAll() => _tokens.Clear();

    internal bool IsGood(string? authorization) => authorization is { } header && header.StartsWith("Bearer ", StringComparison.Ordinal)
        && _tokens.TryGetValue(header["Bearer ".Length..], out var end) && end > _time.GetUtcNow();

    internal void Map(WebApplication app)
    {
        app.MapGet(
            "/computeMetadata/v1/instance/service-accounts/default/token", (HttpContext context) =>
            Metadata(context, () => Token("metadata")));
        app.MapGet(
            "/computeMetadata/v1/instance/service-accounts/default/{**rest}", (HttpContext context) =>
            Metadata(context, () => Results.Text(Email)));
        app.MapGet(
            "/computeMetadata/v1/project/project-id", (HttpContext context) => Metadata(context, () => Results.Text("emulated-project")));
        app.MapGet("/computeMetadata/v1/universe/{**rest}", (HttpContext context) => Metadata(context, () => Results.NotFound()));
        app.MapGet(
            "/computeMetadata/v1/instance", (HttpContext context) =>
            Metadata(context, () => Results.Text("attributes/\nservice-accounts/\n")));
        app.MapPost("/token", (Delegate)ExchangeAsync);
    }

    public void Dispose() => _key.Dispose();

    private IResult Metadata(HttpContext context, Func<IResult> answer)
    {
        if (!HasMetadata) return Results.NotFound();
        context.Response.Headers["Metadata-Flavor"] = "Google";
        return context.Request.Headers["Metadata-Flavor"] == "Google" ? answer() : Results.StatusCode(StatusCodes.Status403Forbidden);
    }

    private async Task<IResult> ExchangeAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        switch (form["grant_type"].ToString())
        {
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return Fault(form["assertion"].ToString()) is { } fault
                    ? Refused("invalid_grant", fault)
                    : Token("assertion");
            case "refresh_token":
                if (form["client_id"] != ClientId || form["client_secret"] != ClientSecret)
                {
                    return Refused("invalid_client", "The OAuth client was not found.");
                }
                return form["refresh_token"] == RefreshToken
                    ? Token("refresh") : Refused("invalid_grant", "Token has been expired or revoked.");
            default:
                return Refused("unsupported_grant_type", "Invalid grant_type");
        }
    }

    /// <summary>Why an assertion is none of the service account's, or null.</summary>
    private string? Fault(string assertion)
    {
        if (assertion.Split('.') is not [var head, var body, var signature]) return "Invalid JWT.";
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(head));
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body));
            if (header.RootElement.GetProperty("alg").GetString() != "RS256") return "Invalid JWT: the algorithm must be RS256.";
            var signed = Encoding.ASCII.GetBytes($"{head}.{body}");
            if (!_key.VerifyData(signed, Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            {
                return "Invalid JWT Signature.";
            }
            var now = _time.GetUtcNow().ToUnixTimeSeconds();
            var (issued, ends) = (claims.RootElement.GetProperty("iat").GetInt64(), claims.RootElement.GetProperty("exp").GetInt64());
            if (issued > now + 300 || ends < now || ends - issued > 3600)
            {
                return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
            }
            if (claims.RootElement.GetProperty("iss").GetString() != Email) return "Invalid grant: account not found";
            if (claims.RootElement.GetProperty("aud").GetString() != Audience) return "Invalid JWT: Failed audience check.";
            return claims.RootElement.GetProperty("scope").GetString()!.Split(' ').Contains(Scope, StringComparer.Ordinal)
                ? null : "Invalid OAuth scope or ID token audience provided.";
        }
        catch (Exception malformed)
            when (malformed is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "Invalid JWT.";
        }
    }

    private IResult Token(string grant)
    {
        _grants.Enqueue(grant);
        var token = $"ya29.marker-{Guid.NewGuid():N}";
        _tokens[token] = _time.GetUtcNow() + Lifetime;
        return Results.Json(
            new JsonObject { ["access_token"] = token, ["expires_in"] = (long)Lifetime.TotalSeconds, ["token_type"] = "Bearer" });
    }

    private static IResult Refused(string error, string description) =>
        Results.Json(
            new JsonObject { ["error"] = error, ["error_description"] = description }, statusCode: StatusCodes.Status400BadRequest);
}
