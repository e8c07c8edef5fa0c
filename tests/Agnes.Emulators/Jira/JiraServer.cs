using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.Jira;

/// <summary>
/// The API of a Jira site: what pulls read of it, with its errors, limits and peculiarities, over a site of issues. The second host of
/// attachments is there too, and the gateway under <c>/ex/jira/{cloudId}</c>. Goes wrong where a test says so.
/// </summary>
public sealed class JiraServer : IAsyncDisposable
{
    public const string Email = "collector@example.com";
    public const string Token = "ATATT3xFfGF0-marker-token-of-the-emulator";
    public const string SlaEmail = "levels@serviceaccount.example.com";
    public const string SlaToken = "ATSTT3xFfGF0-marker-token-of-the-service-account";
    public const string CloudId = "11223344-a1b2-3b33-c444-def123456789";
    private const int CallsKept = 10_000;
    private readonly WebApplication _app;
    private readonly RateLimiter _limiter;
    private readonly ConcurrentDictionary<Step, ConcurrentQueue<Trouble>> _troubles = new();
    private readonly ConcurrentDictionary<Step, (TimeSpan Asked, long At)> _toldToWait = new();
    private readonly ConcurrentDictionary<Step, int> _counts = new();
    private readonly ConcurrentQueue<(Step Step, string Method, string Path, Viewer? Account)> _calls = new();
    private readonly CancellationTokenSource _ending = new();

    private JiraServer(WebApplication app, JiraSite site)
    {
        (_app, Site, Media) = (app, site, new MediaHost(this));
        _limiter = new RateLimiter(site);
    }

    public JiraSite Site { get; }

    /// <summary>
    /// Without a slash at its end: <c>http://127.0.0.1:…</c>, what a real site's <c>https://example.atlassian.net</c> is.
    /// </summary>
    public string Address { get; private set; } = "";

    /// <summary>Where the account for service levels asks, as at <c>https://api.atlassian.com</c>.</summary>
    public string Gateway => $"{Address}/ex/jira/{CloudId}";

    /// <summary>The second host, of attachments' contents.</summary>
    public MediaHost Media { get; }

    public JiraEdition Edition { get; set; }

    /// <summary>For each kind of request; null: none.</summary>
    public RateLimit? Limit
    {
        get => _limiter.Limit;
        set => _limiter.Limit = value;
    }

    /// <summary>How long a page token of the search is good, by the site's clock.</summary>
    public TimeSpan PageTokenLife { get; set; } = TimeSpan.FromDays(7);

    /// <summary>No page of a search that asks for fields has more issues, whatever is asked for: Jira promises no number.</summary>
    public int PageIssuesMax { get; set; } = 100;

    /// <summary>The last requests, oldest first.</summary>
    public IReadOnlyCollection<(Step Step, string Method, string Path, Viewer? Account)> Calls => _calls;

    /// <summary>How long a client that was told to wait waited before it asked for the same step again, and how long it was to.</summary>
    public ConcurrentQueue<(Step Step, TimeSpan Asked, TimeSpan Waited)> Waits { get; } = new();

    /// <summary>What the emulator itself could not do; a test that has some is none.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = new();

    /// <summary>How many requests of that step came, those that went wrong among them.</summary>
    public int Count(Step step) => _counts.GetValueOrDefault(step);

    /// <summary>Goes wrong at the next request of a step, and, where several are given, at those after it.</summary>
    public void Break(Step step, params Trouble[] troubles)
    {
        foreach (var trouble in troubles) _troubles.GetOrAdd(step, _ => new()).Enqueue(trouble);
    }

    /// <summary>Nothing goes wrong any more.</summary>
    public void Mend() => _troubles.Clear();

    /// <summary>Whether everything that was to go wrong did.</summary>
    public bool IsMended => _troubles.Values.All(queue => queue.IsEmpty);

    public static async Task<JiraServer> StartAsync(JiraSite? site = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new JiraServer(app, site ?? new JiraSite());
        app.Use(server.AnswerAsync);
        app.UseRouting();
        var endpoints = new JiraEndpoints(server);
        var api = endpoints.MapVersions(app);
        endpoints.Map(api);
        new SearchEndpoints(server).Map(api);
        await app.StartAsync();
        server.Address = server.Site.Address = app.Urls.First();
        await server.Media.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync(); // whoever is made to wait
        await Media.DisposeAsync();
        await _app.DisposeAsync();
        _ending.Dispose();
    }

    /// <summary>
    /// Whose request it is; null: nobody's whom Jira knows. A token with scopes, as the account for service levels has, is good at the
    /// gateway alone.
    /// </summary>
    internal static Viewer? AccountOf(HttpRequest request, bool isGateway)
    {
        string Basic(string email, string token) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{email}:{token}"))}";
        var authorization = request.Headers.Authorization.ToString();
        if (authorization == Basic(Email, Token)) return Viewer.Personal;
        return isGateway && authorization == Basic(SlaEmail, SlaToken) ? Viewer.Service : null;
    }

    /// <summary>Counts, lets wait and breaks, and has the rest answered.</summary>
    internal async Task StepAsync(HttpContext context, Step step, Viewer? account, RequestDelegate answer)
    {
        _counts.AddOrUpdate(step, 1, (_, count) => count + 1);
        _calls.Enqueue((step, context.Request.Method, $"{context.Request.Path}{context.Request.QueryString}", account));
        while (_calls.Count > CallsKept) _calls.TryDequeue(out _);
        if (_toldToWait.TryRemove(step, out var told)) Waits.Enqueue((step, told.Asked, Stopwatch.GetElapsedTime(told.At)));
        if (_limiter.Take(step, context) is { } wait)
        {
            _toldToWait[step] = (wait, Stopwatch.GetTimestamp());
            await JiraError.ToResult(StatusCodes.Status429TooManyRequests, "Rate limit exceeded.").ExecuteAsync(context);
            return;
        }

        Trouble? trouble = null;
        if (_troubles.TryGetValue(step, out var queue)) queue.TryDequeue(out trouble);
        await (trouble is null ? answer(context) : MisbehaveAsync(context, step, trouble, answer));
    }

    internal async Task StallAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _ending.Token);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            var isGateway = context.Request.Path.StartsWithSegments($"/ex/jira/{CloudId}", out var rest);
            if (isGateway) context.Request.Path = rest;
            if (AccountOf(context.Request, isGateway) is not { } account)
            {
                context.Response.Headers.WWWAuthenticate = "OAuth realm=\"https%3A%2F%2Fexample.atlassian.net\"";
                await Results.Text("Client must be authenticated to access this resource.", statusCode: 401).ExecuteAsync(context);
                return;
            }

            context.Items[typeof(Viewer)] = account;
            context.Response.Headers["X-AACCOUNTID"] = account == Viewer.Personal ? JiraSite.People[0].AccountId
                : JiraSite.People[7].AccountId;
            await StepAsync(context, JiraEndpoints.StepOf(context.Request.Path), account, inner => CatchAsync(inner, next));
        }
        catch (Exception fault) when (!context.RequestAborted.IsCancellationRequested)
        {
            Faults.Enqueue(fault);
            throw;
        }
        catch (OperationCanceledException)
        {
            context.Abort(); // the caller has left
        }
    }

    private static async Task CatchAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (JiraError error)
        {
            await error.ToResult().ExecuteAsync(context);
        }
    }

    private async Task MisbehaveAsync(HttpContext context, Step step, Trouble trouble, RequestDelegate answer)
    {
        if (trouble.Delay > TimeSpan.Zero) await Task.Delay(trouble.Delay, context.RequestAborted);
        if (trouble.Resets) context.Abort();
        else if (trouble.Stalls) await StallAsync(context);
        else if (trouble.IsNoJson) await Results.Text("<!DOCTYPE html><title>Log in</title>", "text/html").ExecuteAsync(context);
        else if (trouble.IsEmpty) await Results.Text("{}", "application/json").ExecuteAsync(context);
        else if (trouble.StallsHalfway || trouble.BreaksOff)
        {
            await HalfAsync(context, answer);
            if (trouble.StallsHalfway) await StallAsync(context);
            context.Abort();
        }
        else if (trouble.Status == 0) await answer(context);
        else
        {
            if (trouble.RetryAfterSeconds is { } seconds)
            {
                RateLimiter.Tell(context, TimeSpan.FromSeconds(seconds), Site.Now);
                if (trouble.Status != StatusCodes.Status429TooManyRequests) context.Response.Headers.Remove("RateLimit-Reason");
                _toldToWait[step] = (TimeSpan.FromSeconds(seconds), Stopwatch.GetTimestamp());
            }

            await JiraError.ToResult(trouble.Status, MessageOf(trouble.Status)).ExecuteAsync(context);
        }
    }

    private static string MessageOf(int status) => status switch
    {
        StatusCodes.Status403Forbidden => "You do not have permission to view this issue.",
        StatusCodes.Status404NotFound => JiraError.NoIssue().Message,
        StatusCodes.Status429TooManyRequests => "Rate limit exceeded.",
        _ => $"Internal server error, with the token {Token} in it.",
    };

    /// <summary>Sends half of the answer under the length of the whole.</summary>
    private static async Task HalfAsync(HttpContext context, RequestDelegate answer)
    {
        var wire = context.Response.Body;
        using var whole = new MemoryStream();
        context.Response.Body = whole;
        await answer(context);
        context.Response.Body = wire;
        context.Response.ContentLength = whole.Length;
        await wire.WriteAsync(whole.GetBuffer().AsMemory(0, (int)(whole.Length / 2)));
        await wire.FlushAsync();
    }
}
