using System.Text.RegularExpressions;
using Agnes.Emulators.OAuth;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

[assembly: AssemblyFixture(typeof(Agnes.Server.Tests.SignIn.IssuerWorld))]

namespace Agnes.Server.Tests.SignIn;

/// <summary>An issuer, and a server that lets people of example.com in through it, as Google and as an OpenID Connect issuer. Tests of one collection share it, one after the other.</summary>
public sealed partial class IssuerWorld : IAsyncDisposable
{
    private Task<(OAuthIssuer Issuer, TestServer Server)>? _made;

    internal async Task<SignInVisit> VisitAsync(Postgres postgres)
    {
        var (issuer, server) = await (_made ??= MakeAsync(postgres));
        issuer.Reset();
        return new SignInVisit(issuer, server);
    }

    internal static ServerOptions With(ServerOptions options, OAuthIssuer issuer, Func<GoogleOptions, GoogleOptions>? google = null, Func<OidcOptions, OidcOptions>? oidc = null)
    {
        var asGoogle = new GoogleOptions
        {
            ClientId = issuer.ClientId,
            ClientSecret = issuer.ClientSecret,
            Issuer = issuer.Address,
            MetadataAddress = new Uri(issuer.Address),
            SigningAddress = new Uri(issuer.Address),
            TokenAddress = new Uri($"{issuer.Address}/token"),
            DirectoryAddress = new Uri(issuer.Address),
        };
        var asOidc = new OidcOptions { Issuer = issuer.Address, ClientId = issuer.ClientId, ClientSecret = issuer.ClientSecret, GroupsClaim = "groups", AdminGroup = "platform-admins" };
        return options with
        {
            SignIn = new SignInOptions
            {
                AllowedDomains = ["example.com"],
                Google = google is null ? asGoogle : google(asGoogle),
                Oidc = oidc is null ? asOidc : oidc(asOidc),
            },
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_made is not { IsCompletedSuccessfully: true }) return;
        var (issuer, server) = await _made;
        await server.DisposeAsync();
        await issuer.DisposeAsync();
    }

    private static async Task<(OAuthIssuer Issuer, TestServer Server)> MakeAsync(Postgres postgres)
    {
        var issuer = await OAuthIssuer.StartAsync();
        return (issuer, await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => With(options, issuer)));
    }

    [GeneratedRegex("access_token=(?<value>[^;]+)", RegexOptions.ExplicitCapture)]
    internal static partial Regex SessionInCookie();

    [GeneratedRegex("(^|; )session=(?<value>[^;]*)", RegexOptions.ExplicitCapture)]
    internal static partial Regex StateInCookie();
}

/// <summary>A person's browser, on its way to the issuer and back.</summary>
internal sealed record SignInVisit(OAuthIssuer Issuer, TestServer Server)
{
    /// <summary>The whole way.</summary>
    public async Task<Answer> SignInAsync(string provider = "google", string? next = null)
    {
        var (state, callback) = await GoAsync(provider, next);
        return await ComeBackAsync(callback, state);
    }

    /// <summary>To the issuer and to its yes.</summary>
    public async Task<(string State, string Callback)> GoAsync(string provider = "google", string? next = null)
    {
        var start = await StartAsync(provider, next);
        return (start.State, new Uri(await Issuer.AgreeAsync(start.Authorization)).PathAndQuery);
    }

    public async Task<(string State, string Authorization)> StartAsync(string provider = "google", string? next = null)
    {
        var answer = await Server.SendAsync("GET", $"/auth/{provider}/login{(next is null ? "" : $"?next={Uri.EscapeDataString(next)}")}");
        answer.Status.ShouldBe(302, answer.Body);
        return (IssuerWorld.StateInCookie().Match(answer.Header("Set-Cookie")!).Groups["value"].Value, answer.Header("Location")!);
    }

    public Task<Answer> ComeBackAsync(string callback, string? state, string? session = null) => Server.SendAsync(
        "GET", callback, change: request =>
        {
            var cookies = string.Join("; ", new[] { state is null ? null : $"session={state}", session is null ? null : $"access_token={session}" }.OfType<string>());
            if (cookies.Length > 0) request.Headers.Add("Cookie", cookies);
        });

    /// <summary>The session that the answer set; null when it set none.</summary>
    public static string? SessionOf(Answer answer) => answer.Header("Set-Cookie") is { } cookies && IssuerWorld.SessionInCookie().Match(cookies) is { Success: true } match ? match.Groups["value"].Value : null;

    /// <summary>Groups as "name by source".</summary>
    public IReadOnlyList<string> GroupsOf(string email)
    {
        var snapshot = Server.State.Snapshot;
        return [.. snapshot.MembershipsOf(snapshot.UserByEmail(email)!.Id).Select(row => $"{snapshot.Group(row.GroupId)!.Name} by {row.Source}").Order(StringComparer.Ordinal)];
    }
}
