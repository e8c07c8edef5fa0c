using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Providers.OpenId;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;

namespace Agnes.Server.Features.SignIn.Providers.Google;

/// <summary>
/// Asks the Workspace directory for somebody's groups, as a service account on behalf of a Workspace user who may read the directory. With a key file the account signs for itself; without
/// one, the machine's own account has Google sign for it. Whatever goes wrong, or takes too long, is "unknown", never "in none".
/// </summary>
internal sealed partial class GoogleGroups(IssuerHttp http, ServerOptions options, TimeProvider time, ILogger<GoogleGroups> log) : IDisposable
{
    private const string Scope = "https://www.googleapis.com/auth/admin.directory.group.readonly";
    private const string GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    private const string AccountPath = "/computeMetadata/v1/instance/service-accounts/default";
    private const int PagesMax = 50;
    private const int PageSize = 200;
    private static readonly TimeSpan AssertionLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RenewedBefore = TimeSpan.FromMinutes(5);
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private (string Token, DateTimeOffset Until)? _token;

    /// <summary>Null when groups are not synced.</summary>
    public static DirectoryGroups? Rules(ServerOptions options) => options.SignIn.Google is not { SyncsGroups: true } google ? null : new DirectoryGroups(
        GroupOrigins.GoogleSource, GroupOrigins.GoogleCreator, google.GroupPrefix, options.GroupAdminEmail, options.GroupEveryoneEmail, JoinsForeign: true);

    public async Task<GroupAnswer> FetchAsync(string email, CancellationToken stop)
    {
        if (options.SignIn.Google is not { SyncsGroups: true } google) return new GroupAnswer.NotAsked();

        // An empty list in place of the directory says nothing of anybody.
        if (google.MockGroups is { } mock) return mock.Count == 0 ? new GroupAnswer.Unknown() : new GroupAnswer.Known(mock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(google.DirectoryTimeMax); // all of it together, also waiting for others who renew the token
        try
        {
            return new GroupAnswer.Known(await ListAsync(google, email, limit.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            LogFailed(log, $"no answer within {google.DirectoryTimeMax.TotalSeconds} seconds");
            return new GroupAnswer.Unknown();
        }
        catch (IssuerException fault) when (fault.Status == StatusCodes.Status404NotFound)
        {
            return new GroupAnswer.NoSuchPerson();
        }
        catch (Exception fault) when (fault is IssuerException or InvalidOperationException or FormatException)
        {
            LogFailed(log, fault.Message);
            return new GroupAnswer.Unknown();
        }
    }

    public void Dispose() => _renewing.Dispose();

    private async Task<IReadOnlyList<string>> ListAsync(GoogleOptions google, string email, CancellationToken stop)
    {
        var token = await TokenAsync(google, stop);
        var groups = new List<string>();
        string? page = null;
        for (var count = 0; count < PagesMax; count++)
        {
            var more = page is null ? "" : $"&pageToken={Uri.EscapeDataString(page)}";
            var answer = await http.GetAsync(new Uri(google.DirectoryAddress, $"/admin/directory/v1/groups?userKey={Uri.EscapeDataString(email)}&maxResults={PageSize}{more}"), token, stop);
            if (answer["groups"] is JsonArray list) groups.AddRange(list.OfType<JsonObject>().Select(group => IdTokens.Text(group, "email")).OfType<string>());
            page = IdTokens.Text(answer, "nextPageToken");
            if (string.IsNullOrEmpty(page)) return groups;
        }

        throw new IssuerException($"The directory names more than {PagesMax} pages of groups.");
    }

    private async Task<string> TokenAsync(GoogleOptions google, CancellationToken stop)
    {
        await _renewing.WaitAsync(stop);
        try
        {
            if (_token is { } kept && kept.Until > time.GetUtcNow()) return kept.Token;
            var answer = await http.SendAsync(
                new HttpRequestMessage(HttpMethod.Post, google.TokenAddress)
                {
                    Content = new FormUrlEncodedContent([new("grant_type", GrantType), new("assertion", await AssertionAsync(google, stop))]),
                },
                stop);
            var token = IdTokens.Text(answer, "access_token") ?? throw new IssuerException("Google gave no access token for the directory.");
            var seconds = answer["expires_in"] is JsonValue value && value.TryGetValue<int>(out var lasts) ? lasts : 0;
            _token = (token, time.GetUtcNow() + TimeSpan.FromSeconds(seconds) - RenewedBefore);
            return token;
        }
        finally
        {
            _renewing.Release();
        }
    }

    /// <summary>"The service account, as the directory's reader", signed with its key, or by Google for the machine's own account.</summary>
    private async Task<string> AssertionAsync(GoogleOptions google, CancellationToken stop)
    {
        if (google.KeyFile is { } file)
        {
            // Read each time, so that a new key needs no restart. The file may be another program's, or for another purpose.
            using var own = ServiceAccountKey.Read(file);
            if (own is not null && (google.ServiceAccount is null || google.ServiceAccount == own.Email)) return own.Sign(Claims(google, own.Email));
        }

        var metadata = new Uri(google.MetadataAddress, AccountPath);
        var account = google.ServiceAccount ?? (await http.TextAsync(MetadataRequest($"{metadata}/email"), stop)).Trim();
        var machine = IdTokens.Text(await http.SendAsync(MetadataRequest($"{metadata}/token"), stop), "access_token") ?? throw new IssuerException("The machine has no credentials.");
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(google.SigningAddress, $"/v1/projects/-/serviceAccounts/{Uri.EscapeDataString(account)}:signJwt"))
        {
            Content = new StringContent(new JsonObject { ["payload"] = Claims(google, account).ToJsonString() }.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", machine);
        return IdTokens.Text(await http.SendAsync(request, stop), "signedJwt") ?? throw new IssuerException("Google did not sign for the service account.");
    }

    private JsonObject Claims(GoogleOptions google, string account)
    {
        var now = time.GetUtcNow();
        return new JsonObject
        {
            ["iss"] = account,
            ["sub"] = google.DirectorySubject,
            ["scope"] = Scope,
            ["aud"] = google.TokenAddress.ToString(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + AssertionLifetime).ToUnixTimeSeconds(),
        };
    }

    private static HttpRequestMessage MetadataRequest(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Add("Metadata-Flavor", "Google");
        return request;
    }

    [LoggerMessage(EventId = 5411, Level = LogLevel.Warning, Message = "The groups of Google Workspace could not be asked for, and memberships stay as they are: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
