using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Agnes.Emulators.OAuth;

/// <summary>The addresses of OpenID Connect Core and Discovery.</summary>
internal static class OpenIdEndpoints
{
    private const int TokenBytes = 24;
    private static readonly TimeSpan IdTokenLifetime = TimeSpan.FromMinutes(5);

    public static void Map(IEndpointRouteBuilder routes, OAuthIssuer issuer)
    {
        routes.MapGet("/.well-known/openid-configuration", () => Json(Discovery(issuer)));
        routes.MapGet("/jwks", () => Json(SigningKeys.Document()));
        routes.MapGet("/authorize", (HttpContext context) => Page(context, issuer));
        routes.MapPost("/authorize/agree", (HttpContext context) => Agree(context, issuer));
        routes.MapPost("/token", (Delegate)((HttpContext context) => TokenAsync(context, issuer))); // as a RequestDelegate its result would be dropped
        routes.MapGet("/userinfo", (HttpContext context) => UserInfo(context, issuer));
    }

    private static JsonObject Discovery(OAuthIssuer issuer) => new()
    {
        ["issuer"] = issuer.ClaimedIssuer ?? issuer.Address,
        ["authorization_endpoint"] = $"{issuer.Address}/authorize",
        ["token_endpoint"] = $"{issuer.Address}/token",
        ["jwks_uri"] = $"{issuer.Address}/jwks",
        ["userinfo_endpoint"] = $"{issuer.Address}/userinfo",
        ["response_types_supported"] = new JsonArray("code"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256", "ES256"),
        ["code_challenge_methods_supported"] = new JsonArray("S256"),
        ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_basic", "client_secret_post"),
    };

    /// <summary>Refuses, as issuers do, what is not a proper request of the client that it knows.</summary>
    private static string? Fault(IQueryCollection query, OAuthIssuer issuer)
    {
        if (query["client_id"] != issuer.ClientId) return "unknown client_id";
        if (query["response_type"] != "code") return "response_type must be code";
        if (!Uri.TryCreate(query["redirect_uri"], UriKind.Absolute, out _)) return "redirect_uri must be absolute";
        if (!query["scope"].ToString().Split(' ').Contains("openid", StringComparer.Ordinal)) return "scope must hold openid";
        if (query["state"].ToString().Length < 16) return "state is missing or too short";
        if (query["nonce"].ToString().Length < 16) return "nonce is missing or too short";
        return query["code_challenge_method"] != "S256" || query["code_challenge"].ToString().Length != 43 ? "PKCE with S256 is required" : null;
    }

    private static IResult Page(HttpContext context, OAuthIssuer issuer) => Fault(context.Request.Query, issuer) is { } fault
        ? Results.Text(fault, statusCode: StatusCodes.Status400BadRequest)
        : Results.Text(
            $"""<!DOCTYPE html><title>Issuer</title><link rel="icon" href="data:,"><h1>Continue as {issuer.Person.Name}?</h1><form method="post" action="/authorize/agree{System.Net.WebUtility.HtmlEncode(context.Request.QueryString.Value)}"><button>Continue</button></form>""",
            "text/html");

    private static IResult Agree(HttpContext context, OAuthIssuer issuer)
    {
        var query = context.Request.Query;
        if (Fault(query, issuer) is { } fault) return Results.Text(fault, statusCode: StatusCodes.Status400BadRequest);
        var code = Random();
        issuer.Codes[code] = new OAuthIssuer.Grant(issuer.Person, query["redirect_uri"].ToString(), query["code_challenge"].ToString(), query["nonce"], query["scope"].ToString());
        var separator = query["redirect_uri"].ToString().Contains('?', StringComparison.Ordinal) ? '&' : '?';
        return Results.Redirect($"{query["redirect_uri"]}{separator}code={code}&state={Uri.EscapeDataString(query["state"].ToString())}&iss={Uri.EscapeDataString(issuer.ClaimedIssuer ?? issuer.Address)}");
    }

    private static async Task<IResult> TokenAsync(HttpContext context, OAuthIssuer issuer)
    {
        var form = await context.Request.ReadFormAsync();
        if (form["grant_type"] == WorkspaceDirectory.GrantType) return issuer.Directory.Exchange(form["assertion"].ToString());
        if (!IsClient(context, form, issuer)) return Refuse(StatusCodes.Status401Unauthorized, "invalid_client");
        if (form["grant_type"] != "authorization_code") return Refuse(StatusCodes.Status400BadRequest, "unsupported_grant_type");
        if (!issuer.Codes.TryRemove(form["code"].ToString(), out var grant)) return Refuse(StatusCodes.Status400BadRequest, "invalid_grant");
        var verifier = form["code_verifier"].ToString();
        if (verifier.Length is < 43 or > 128 || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))) != grant.Challenge) return Refuse(StatusCodes.Status400BadRequest, "invalid_grant");
        if (form["redirect_uri"] != grant.RedirectUri) return Refuse(StatusCodes.Status400BadRequest, "invalid_grant");
        var access = Random();
        issuer.AccessTokens[access] = grant;
        context.Response.Headers.CacheControl = "no-store";
        return Json(new JsonObject
        {
            ["access_token"] = access,
            ["token_type"] = "Bearer",
            ["expires_in"] = 3600,
            ["id_token"] = SigningKeys.Sign(Claims(issuer, grant), issuer.Algorithm, issuer.Lie, issuer.ClientSecret),
        });
    }

    private static bool IsClient(HttpContext context, IFormCollection form, OAuthIssuer issuer)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Basic ", StringComparison.Ordinal)) return form["client_id"] == issuer.ClientId && form["client_secret"] == issuer.ClientSecret;
        var parts = Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..])).Split(':', 2);
        return parts.Length == 2 && Decoded(parts[0]) == issuer.ClientId && Decoded(parts[1]) == issuer.ClientSecret;
    }

    private static string Decoded(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static JsonObject Claims(OAuthIssuer issuer, OAuthIssuer.Grant grant)
    {
        var now = issuer.Time.GetUtcNow();
        var lie = issuer.Lie;
        var issued = lie == Lie.Expired ? now - TimeSpan.FromHours(1) : lie == Lie.IssuedInTheFuture ? now + TimeSpan.FromHours(1) : now;
        var claims = new JsonObject
        {
            ["iss"] = lie == Lie.WrongIssuer ? "https://evil.example.com" : issuer.ClaimedIssuer ?? issuer.Address,
            ["aud"] = lie switch
            {
                Lie.WrongAudience => "another-client",
                Lie.SecondAudience => new JsonArray(issuer.ClientId, "another-client"),
                _ => issuer.ClientId,
            },
            ["iat"] = issued.ToUnixTimeSeconds(),
            ["exp"] = (issued + IdTokenLifetime).ToUnixTimeSeconds(),
        };
        if (lie == Lie.SecondAudience) claims["azp"] = "another-client";
        if (lie != Lie.NoSubject) claims["sub"] = grant.Person.Subject;
        if (grant.Nonce is not null && lie != Lie.NoNonce) claims["nonce"] = lie == Lie.WrongNonce ? "a nonce of another sign-in" : grant.Nonce;
        if (issuer.EmailInIdToken && lie != Lie.OtherUserinfo) AddProfile(claims, grant.Person);
        return claims;
    }

    private static IResult UserInfo(HttpContext context, OAuthIssuer issuer)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal) || !issuer.AccessTokens.TryGetValue(header["Bearer ".Length..], out var grant)) return Results.Unauthorized();
        var claims = new JsonObject { ["sub"] = issuer.Lie == Lie.OtherUserinfo ? "somebody-else" : grant.Person.Subject };
        AddProfile(claims, grant.Person);
        return Json(claims);
    }

    private static void AddProfile(JsonObject claims, Person person)
    {
        claims["name"] = person.Name;
        if (person.Email is not null) claims["email"] = person.Email;
        if (person.EmailVerified is { } verified) claims["email_verified"] = verified;
        if (person.HostedDomain is not null) claims["hd"] = person.HostedDomain;
        if (person.Groups is { } groups) claims["groups"] = new JsonArray([.. groups.Select(group => (JsonNode)group)]);
        foreach (var (name, value) in person.More) claims[name] = value;
    }

    internal static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));

    internal static IResult Json(JsonObject value) => Results.Text(value.ToJsonString(), "application/json");

    internal static IResult Refuse(int status, string error) => Results.Text(new JsonObject { ["error"] = error }.ToJsonString(), "application/json", statusCode: status);
}
