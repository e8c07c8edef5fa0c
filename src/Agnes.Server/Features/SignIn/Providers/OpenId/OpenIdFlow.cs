using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>The authorization code flow with PKCE, state and nonce, from our button to the checked claims of the ID token.</summary>
internal sealed class OpenIdFlow(IssuerDocuments issuers, IssuerHttp http, IdTokens idTokens, SessionKey key, ServerOptions options, StateDb state, TimeProvider time)
{
    private const int CodeCharsMax = 4096;

    /// <summary>Where to send the browser; what has to be remembered goes into its cookie.</summary>
    /// <exception cref="IssuerException">The issuer cannot be asked at the moment.</exception>
    public async Task<string> StartAsync(HttpContext context, OpenIdClient client, string? next, params IReadOnlyList<(string Name, string Value)> more)
    {
        var document = await issuers.DocumentAsync(client, context.RequestAborted);
        var begun = SignInState.New(client.Key, next, PublicAddress.Of(options, context) + client.CallbackPath, time);
        begun.Keep(context, options, key);
        var query = new List<(string Name, string Value)>
        {
            ("response_type", "code"),
            ("client_id", client.ClientId),
            ("redirect_uri", begun.RedirectUri),
            ("scope", client.Scopes),
            ("state", begun.State),
            ("nonce", begun.Nonce),
            ("code_challenge", begun.Challenge),
            ("code_challenge_method", "S256"),
        };
        query.AddRange(more);
        var text = string.Join('&', query.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}"));
        return $"{document.Authorization}{(document.Authorization.Query.Length > 0 ? '&' : '?')}{text}";
    }

    /// <summary>What the issuer says of the person who came back.</summary>
    /// <exception cref="SignInRefusedException">Not let through, with the reason.</exception>
    public async Task<(JsonObject Claims, string? Next)> FinishAsync(HttpContext context, OpenIdClient client, string emailClaim)
    {
        var stop = context.RequestAborted;
        var begun = SignInState.Take(context, options, key, client.Key, time) ?? throw Failed("No sign-in is under way in this browser, or it took too long.");
        var query = context.Request.Query;
        if (!begun.Matches(query["state"])) throw Failed("The state is not the one that was sent out.");
        if (query["iss"].ToString() is { Length: > 0 } issuer && issuer != client.Issuer && !client.OtherIssuers.Contains(issuer, StringComparer.Ordinal)) throw Failed("Another issuer answered.");
        if (!await state.WriteAsync(write => Identities.TakeStateAsync(write, begun.Hash, SignInState.Lifetime), stop)) throw Failed("The state came back before.");
        if (query["error"].Count > 0) throw Failed("The issuer did not let the person through.");
        if (query["code"].ToString() is not { Length: > 0 and <= CodeCharsMax } code) throw Failed("The issuer sent no code.");
        try
        {
            var document = await issuers.DocumentAsync(client, stop);
            var tokens = await http.SendAsync(Exchange(client, document, begun, code), stop);
            if (IdTokens.Text(tokens, "id_token") is not { } idToken) throw Failed("The issuer sent no ID token.");
            var claims = await idTokens.CheckAsync(client, idToken, begun.Nonce, stop);
            if (IdTokens.Text(claims, emailClaim) is null && document.UserInfo is { } address && IdTokens.Text(tokens, "access_token") is { } access) await AddUserInfoAsync(claims, address, access, stop);
            return (claims, begun.Next);
        }
        catch (Exception fault) when (fault is IssuerException or CryptographicException)
        {
            throw new SignInRefusedException(SignInRefusedException.Failed, fault.Message, fault);
        }
    }

    private static HttpRequestMessage Exchange(OpenIdClient client, IssuerDocument document, SignInState begun, string code)
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", begun.RedirectUri),
            new("code_verifier", begun.Verifier),
        };
        var request = new HttpRequestMessage(HttpMethod.Post, document.Token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (document.TakesSecretInForm)
        {
            form.Add(new("client_id", client.ClientId));
            form.Add(new("client_secret", client.ClientSecret));
        }
        else
        {
            var pair = $"{WebUtility.UrlEncode(client.ClientId)}:{WebUtility.UrlEncode(client.ClientSecret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }

        request.Content = new FormUrlEncodedContent(form);
        return request;
    }

    /// <summary>Userinfo adds what the ID token left out, when it speaks of the same person; it never replaces what was signed.</summary>
    private async Task AddUserInfoAsync(JsonObject claims, Uri address, string access, CancellationToken stop)
    {
        var more = await http.GetAsync(address, access, stop);
        if (IdTokens.Text(more, "sub") != IdTokens.Text(claims, "sub")) throw Failed("Userinfo speaks of somebody else.");
        foreach (var (name, value) in more)
        {
            if (!claims.ContainsKey(name)) claims[name] = value?.DeepClone();
        }
    }

    private static SignInRefusedException Failed(string reason) => new(SignInRefusedException.Failed, reason);
}
