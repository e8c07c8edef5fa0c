using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.OAuth;

/// <summary>
/// An OpenID Connect issuer on a port of its own, true to the protocol: discovery, a page on which a person agrees, codes with PKCE that are good once, tokens, keys,
/// userinfo; and beside it what Google adds, the machine's own credentials and the directory of groups. It can be told to lie and to fail.
/// </summary>
public sealed class OAuthIssuer : IAsyncDisposable
{
    internal readonly ConcurrentDictionary<string, Grant> Codes = new(StringComparer.Ordinal);
    internal readonly ConcurrentDictionary<string, Grant> AccessTokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Fault> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly WebApplication _app;

    private OAuthIssuer(WebApplication app, TimeProvider time)
    {
        _app = app;
        Time = time;
        Directory = new WorkspaceDirectory(this);
    }

    public TimeProvider Time { get; }

    /// <summary>Its name, and the base of its addresses.</summary>
    public string Address { get; private set; } = "";

    public string ClientId => "client-1.apps.example.com";

    public string ClientSecret => "a client's secret of some length";

    /// <summary>Who agrees on the next page.</summary>
    public Person Person { get; set; } = new("subject-1", "pat@example.com");

    public Lie Lie { get; set; }

    /// <summary>RS256 or ES256.</summary>
    public string Algorithm { get; set; } = "RS256";

    /// <summary>Whether ID tokens carry the e-mail, or userinfo has to be asked.</summary>
    public bool EmailInIdToken { get; set; } = true;

    /// <summary>What the discovery document calls the issuer; null: its address.</summary>
    public string? ClaimedIssuer { get; set; }

    public WorkspaceDirectory Directory { get; }

    /// <summary>Paths that were asked for, oldest first.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public static async Task<OAuthIssuer> StartAsync(TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var issuer = new OAuthIssuer(app, time ?? TimeProvider.System);
        app.Use(issuer.MisbehaveAsync);
        OpenIdEndpoints.Map(app, issuer);
        issuer.Directory.Map(app);
        await app.StartAsync();
        issuer.Address = app.Urls.First();
        return issuer;
    }

    /// <param name="path">E.g. <c>/token</c>.</param>
    public void Break(string path, Fault fault) => _faults[path] = fault;

    /// <summary>As it was at the start.</summary>
    public void Reset()
    {
        _faults.Clear();
        _requests.Clear();
        (Lie, Algorithm, EmailInIdToken, ClaimedIssuer) = (Lie.None, "RS256", true, null);
        Person = new Person("subject-1", "pat@example.com");
        Directory.Reset();
    }

    /// <summary>What a person's browser does on the page that the authorization address shows: agree.</summary>
    /// <returns>The address that the browser is sent back to.</returns>
    /// <exception cref="InvalidOperationException">The issuer refused; the message says why.</exception>
    public async Task<string> AgreeAsync(string authorizationAddress)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var page = await browser.GetAsync(authorizationAddress);
        var text = await page.Content.ReadAsStringAsync();
        if (!page.IsSuccessStatusCode) throw new InvalidOperationException($"The issuer's page answered {(int)page.StatusCode}: {text}");
        using var agreed = await browser.PostAsync($"{Address}/authorize/agree{new Uri(authorizationAddress).Query}", new FormUrlEncodedContent([]));
        return agreed.Headers.Location?.ToString() ?? throw new InvalidOperationException($"The issuer did not send the browser back: {(int)agreed.StatusCode}");
    }

    public async ValueTask DisposeAsync()
    {
        using var quickly = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(quickly.Token);
        await _app.DisposeAsync();
    }

    private async Task MisbehaveAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value ?? "";
        _requests.Enqueue(path);
        switch (_faults.GetValueOrDefault(path))
        {
            case Fault.Unavailable:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            case Fault.Forbidden:
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            case Fault.Redirect:
                context.Response.Redirect("http://127.0.0.1:1/");
                return;
            case Fault.Stall:
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            case Fault.HalfBody:
                context.Response.ContentLength = 1000;
                await context.Response.WriteAsync("{\"access_token\":");
                context.Abort();
                return;
            case Fault.Huge:
                await context.Response.WriteAsync(new string(' ', 4 << 20));
                return;
            default:
                await next(context);
                return;
        }
    }

    /// <summary>What a code, and the access token after it, stand for.</summary>
    internal sealed record Grant(Person Person, string RedirectUri, string Challenge, string? Nonce, string Scope);
}
