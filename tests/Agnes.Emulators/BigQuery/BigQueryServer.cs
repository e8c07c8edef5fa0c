using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.BigQuery;

/// <summary>
/// BigQuery's documented REST interface (version 2) on a port of its own: jobs, results in pages, data sets, tables, INFORMATION_SCHEMA,
/// tokens. Queries run on an engine
/// behind a small bridge of dialects; what the bridge does not know is refused. It counts bytes as they are billed, and goes wrong as a
/// test says.
/// </summary>
public sealed class BigQueryServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<Call, ConcurrentQueue<Trouble>> _troubles = new();
    private readonly ConcurrentQueue<BigQueryError> _failures = new();
    private readonly ConcurrentQueue<(Call Call, string Path)> _calls = new();
    private readonly Jobs _jobs;
    private volatile TaskCompletionSource? _held;

    private BigQueryServer(WebApplication app, TimeProvider time)
    {
        _app = app;
        Warehouse = new Warehouse();
        Tokens = new TokenEndpoints(time);
        _jobs = new Jobs(Warehouse, this, time);
    }

    public Uri Address { get; private set; } = new("http://localhost");

    public Warehouse Warehouse { get; }

    public TokenEndpoints Tokens { get; }

    /// <summary>No page has more rows, whatever is asked for.</summary>
    public int PageRowsMax { get; set; } = 10_000;

    /// <summary>Every job that was submitted, oldest first, with what it was billed.</summary>
    public IReadOnlyList<Job> Jobs => [.. _jobs.All];

    /// <summary>What was called, oldest first.</summary>
    public IReadOnlyCollection<(Call Call, string Path)> Calls => _calls;

    /// <summary>Billing projects that calls named in <c>X-Goog-User-Project</c>.</summary>
    public ConcurrentQueue<string> QuotaProjects { get; } = new();

    /// <summary>What the emulator itself could not do; a test that has some is none.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = new();

    public int Count(Call call) => _calls.Count(one => one.Call == call);

    public static async Task<BigQueryServer> StartAsync(TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new BigQueryServer(app, time ?? TimeProvider.System);
        app.Use(server.WatchAsync);
        app.Use(server.MisbehaveAsync);
        server.Tokens.Map(app);
        new Endpoints(server, server._jobs).Map(app);
        await app.StartAsync();
        server.Address = new Uri(app.Urls.First());
        return server;
    }

    /// <summary>The next calls of that kind go wrong so.</summary>
    public void Break(Call call, Trouble trouble, int times = 1)
    {
        for (var i = 0; i < times; i++) _troubles.GetOrAdd(call, _ => new ConcurrentQueue<Trouble>()).Enqueue(trouble);
    }

    /// <summary>As it was at the start; what is stored stays.</summary>
    public void Mend()
    {
        _troubles.Clear();
        _failures.Clear();
        ReleaseJobs();
    }

    /// <summary>The next jobs are accepted and fail when they run.</summary>
    public void FailJobs(string reason, int times = 1)
    {
        var error = Trouble.Of(reason);
        for (var i = 0; i < times; i++) _failures.Enqueue(new BigQueryError(error.Code, error.Reason, error.Message));
    }

    /// <summary>Jobs run and do not end until they are released or cancelled.</summary>
    public void HoldJobs() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseJobs() => _held?.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        ReleaseJobs();
        foreach (var job in _jobs.All.Where(job => job.State != "DONE"))
        {
            job.Cancel();
            await job.Done;
        }

        using var quickly = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(quickly.Token);
        await _app.DisposeAsync();
        Tokens.Dispose();
        Warehouse.Dispose();
    }

    internal async Task RunningAsync(CancellationToken cancelled)
    {
        if (_failures.TryDequeue(out var failure)) throw failure;
        if (_held is { } held) await held.Task.WaitAsync(cancelled);
    }

    private async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
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

    private async Task MisbehaveAsync(HttpContext context, RequestDelegate next)
    {
        var call = Endpoints.CallOf(context.Request);
        _calls.Enqueue((call, context.Request.Path.Value + context.Request.QueryString));
        if (context.Request.Headers["X-Goog-User-Project"] is [{ } project]) QuotaProjects.Enqueue(project);
        if (call is not (Call.Token or Call.Metadata) && !Tokens.IsGood(context.Request.Headers.Authorization))
        {
            await Trouble.Of("authError").ToError().ToResult().ExecuteAsync(context);
            return;
        }

        switch (Next(call))
        {
            case Trouble.Answer answer:
                await answer.ToError().ToResult().ExecuteAsync(context);
                return;
            case Trouble.Delay delay:
                await Task.Delay(delay.Time, context.RequestAborted);
                await next(context);
                return;
            case Trouble.Stall:
                await StallAsync(context);
                return;
            case Trouble.Drop:
                context.Abort();
                return;
            case Trouble.DropAfter:
                await PartAsync(context, next, 0);
                context.Abort();
                return;
            case Trouble.Cut cut:
                await PartAsync(context, next, cut.Share);
                context.Abort();
                return;
            case Trouble.StallHalfway half:
                await PartAsync(context, next, half.Share);
                await StallAsync(context);
                return;
            default:
                await next(context);
                return;
        }
    }

    private Trouble? Next(Call call)
    {
        if (_troubles.TryGetValue(call, out var own) && own.TryDequeue(out var trouble)) return trouble;
        return call is not (Call.Token or Call.Metadata) && _troubles.TryGetValue(Call.Any, out var any) && any.TryDequeue(out trouble)
            ? trouble : null;
    }

    private static Task StallAsync(HttpContext context) =>
        Task.Delay(Timeout.Infinite, context.RequestAborted)
            .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>Does the call, and sends the first part of its answer under the length of the whole.</summary>
    private static async Task PartAsync(HttpContext context, RequestDelegate next, double share)
    {
        var wire = context.Response.Body;
        using var whole = new MemoryStream();
        context.Response.Body = whole;
        await next(context);
        context.Response.Body = wire;
        if (share <= 0) return;
        context.Response.ContentLength = whole.Length;
        await wire.WriteAsync(whole.GetBuffer().AsMemory(0, (int)(whole.Length * share)));
        await wire.FlushAsync();
    }
}
