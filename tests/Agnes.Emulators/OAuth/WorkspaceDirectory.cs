using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Agnes.Emulators.OAuth;

/// <summary>
/// What the Workspace group sync needs of Google: the machine's metadata server, the service that signs for a service account, the exchange of the signed text for a
/// token, and the directory of groups.
/// </summary>
public sealed class WorkspaceDirectory
{
    internal const string GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    private const string GroupScope = "https://www.googleapis.com/auth/admin.directory.group.readonly";
    private readonly OAuthIssuer _issuer;
    private readonly RSA _key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, string[]> _groups = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _tokens = new(StringComparer.Ordinal);

    internal WorkspaceDirectory(OAuthIssuer issuer) => _issuer = issuer;

    /// <summary>The account that the machine runs as.</summary>
    public string ServiceAccount => "agnes@project.iam.example.com";

    /// <summary>The only person that the directory lets be impersonated.</summary>
    public string Subject => "directory-reader@example.com";

    /// <summary>How many groups an answer holds before it names a next page.</summary>
    public int PageSize { get; set; } = 200;

    /// <summary>A person without an entry is unknown to the directory: it answers 404.</summary>
    public void Put(string email, params string[] groups) => _groups[email] = groups;

    public void Remove(string email) => _groups.TryRemove(email, out _);

    internal void Reset()
    {
        _groups.Clear();
        PageSize = 200;
    }

    internal void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/computeMetadata/v1/instance/service-accounts/default/{what}", Metadata);
        routes.MapPost("/v1/projects/-/serviceAccounts/{rest}", SignAsync);
        routes.MapGet("/admin/directory/v1/groups", List);
    }

    internal IResult Exchange(string assertion)
    {
        var parts = assertion.Split('.');
        if (parts.Length != 3 || (parts[2] != "signed-by-the-service" && !IsSignedByKey(parts))) return OpenIdEndpoints.Refuse(StatusCodes.Status400BadRequest, "invalid_grant");
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        var now = _issuer.Time.GetUtcNow().ToUnixTimeSeconds();
        var good = (string?)claims["iss"] == ServiceAccount && (string?)claims["sub"] == Subject && (string?)claims["scope"] == GroupScope
            && (string?)claims["aud"] == $"{_issuer.Address}/token" && (long?)claims["exp"] > now && (long?)claims["exp"] <= (long?)claims["iat"] + 3600;
        if (!good) return OpenIdEndpoints.Refuse(StatusCodes.Status400BadRequest, "invalid_grant");
        var token = OpenIdEndpoints.Random();
        _tokens[token] = true;
        return OpenIdEndpoints.Json(new JsonObject { ["access_token"] = token, ["token_type"] = "Bearer", ["expires_in"] = 3599 });
    }

    /// <summary>A key file of the service account, as Google's console hands one out.</summary>
    public JsonObject KeyFile() => new()
    {
        ["type"] = "service_account",
        ["project_id"] = "project",
        ["private_key_id"] = "key-1",
        ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = ServiceAccount,
        ["client_id"] = "100000000000000000001",
        ["token_uri"] = $"{_issuer.Address}/token",
    };

    private bool IsSignedByKey(string[] parts) =>
        (string?)JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))?["alg"] == "RS256" && Base64Url.IsValid(parts[2])
        && _key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    private IResult Metadata(HttpContext context, string what)
    {
        if (context.Request.Headers["Metadata-Flavor"] != "Google") return Results.StatusCode(StatusCodes.Status403Forbidden);
        return what switch
        {
            "email" => Results.Text(ServiceAccount),
            "token" => OpenIdEndpoints.Json(new JsonObject { ["access_token"] = "the machine's token", ["token_type"] = "Bearer", ["expires_in"] = 3599 }),
            _ => Results.NotFound(),
        };
    }

    private async Task<IResult> SignAsync(HttpContext context, string rest)
    {
        if (context.Request.Headers.Authorization != "Bearer the machine's token") return Results.Unauthorized();
        if (Uri.UnescapeDataString(rest) != $"{ServiceAccount}:signJwt") return Results.StatusCode(StatusCodes.Status403Forbidden);
        var body = await JsonNode.ParseAsync(context.Request.Body);
        var payload = (string)body!["payload"]!;
        return OpenIdEndpoints.Json(new JsonObject { ["keyId"] = "k", ["signedJwt"] = $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.signed-by-the-service" });
    }

    private IResult List(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal) || !_tokens.ContainsKey(header["Bearer ".Length..])) return Results.Unauthorized();
        if (!_groups.TryGetValue(context.Request.Query["userKey"].ToString(), out var groups)) return Results.NotFound();
        var from = int.TryParse(context.Request.Query["pageToken"], out var start) ? start : 0;
        var answer = new JsonObject { ["kind"] = "admin#directory#groups" };
        if (groups.Length > 0) answer["groups"] = new JsonArray([.. groups.Skip(from).Take(PageSize).Select(group => (JsonNode)new JsonObject { ["email"] = group, ["name"] = group })]);
        if (from + PageSize < groups.Length) answer["nextPageToken"] = (from + PageSize).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return OpenIdEndpoints.Json(answer);
    }
}
