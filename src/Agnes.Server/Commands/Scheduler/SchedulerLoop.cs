using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Commands.Scheduler;

/// <summary>
/// Calls a server when its jobs are due. It opens no state: what it did last it tells the server, and asks for at its start. A call that is
/// still under way is not made again.
/// </summary>
internal sealed partial class SchedulerLoop(SchedulerOptions options, IHttpClientFactory clients, TimeProvider time, ILogger<SchedulerLoop> log) : BackgroundService
{
    public const string ClientName = "scheduler";
    private const string ReportPath = "api/admin/scheduler/report";
    private const int SaidCharsMax = 200;
    private const int AnswerBytesMax = 256 << 10;
    private const int DoublingsMax = 10;
    private static readonly TimeSpan ReportTimeMax = TimeSpan.FromSeconds(30);

    /// <summary>However often a call failed.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);

    private readonly Dictionary<string, (DateTime Last, int Failures)> _known = new(StringComparer.Ordinal); // a call each
    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal); // a call each
    private readonly Lock _gate = new();
    private bool _isLoaded;

    /// <summary>Null: there was none yet.</summary>
    public DateTime? LastTick { get; private set; }

    /// <summary>Waits for what is under way.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await IdleAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Ends when what is under way has.</summary>
    public Task IdleAsync() => Task.WhenAll(_running.Values);

    /// <summary>Starts what is due.</summary>
    public async Task TickAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow().UtcDateTime;
        LastTick = now;
        if (!_isLoaded) _isLoaded = await TryLoadAsync(now, stopping);
        if (!_isLoaded) return; // else all would be made at once that were made a moment before the start
        foreach (var call in options.Calls.Where(call => !_running.ContainsKey(call.Name) && IsDue(call, now))) Start(call, now);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Token is null) LogNoToken(log);
        await Task.Delay(options.Grace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            await TickAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(options.Tick, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Start(ScheduledCall call, DateTime now)
    {
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[call.Name] = running.Task; // before it can end
        _ = RunAsync(call, now, running);
    }

    private bool IsDue(ScheduledCall call, DateTime now)
    {
        lock (_gate)
        {
            if (!_known.TryGetValue(call.Name, out var known)) return true;
            if (!SyncSchedule.TryParse(call.Schedule, out var schedule) || !schedule.IsDue(known.Last, now)) return false;
            if (known.Failures < 2 || schedule.Interval is not { } interval) return true;
            var wait = interval * Math.Pow(2, Math.Min(known.Failures - 1, DoublingsMax)); // less and less often, as long as it fails
            return now - known.Last >= (wait < WaitMax ? wait : interval > WaitMax ? interval : WaitMax);
        }
    }

    /// <summary>Never ends by exception. An end of the process waits for it.</summary>
    private async Task RunAsync(ScheduledCall call, DateTime ticked, TaskCompletionSource ended)
    {
        var (status, fault) = await CallAsync(call);
        if (fault is not null) LogFailed(log, call.Name, fault);
        lock (_gate) _known[call.Name] = (ticked, fault is null ? 0 : _known.GetValueOrDefault(call.Name).Failures + 1);
        var report = new JsonObject
        {
            ["name"] = call.Name,
            ["started_at"] = ticked.ToString("O", CultureInfo.InvariantCulture),
            ["finished_at"] = time.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["status"] = fault is null ? "ok" : "failed",
            ["http_status"] = status,
            ["error"] = fault,
        };
        if (await SendAsync(HttpMethod.Post, ReportPath, report, ReportTimeMax) is { Fault: { } lost }) LogNotReported(log, call.Name, lost);
        _running.TryRemove(call.Name, out _);
        ended.SetResult();
    }

    private async Task<(int? Status, string? Fault)> CallAsync(ScheduledCall call)
    {
        var (status, answer, fault) = await SendAsync(call.Method, call.Path, null, call.TimeMax);
        if (fault is not null) return (null, fault);
        if (status is < HttpStatusCode.BadRequest or HttpStatusCode.Conflict) return ((int)status, null); // 409: it is under way already
        return ((int)status!, $"HTTP {(int)status}: {answer}");
    }

    /// <returns>The answer's beginning, or why there was none.</returns>
    private async Task<(HttpStatusCode? Status, string? Answer, string? Fault)> SendAsync(HttpMethod method, string path, JsonObject? body, TimeSpan within, bool isWhole = false)
    {
        using var limit = new CancellationTokenSource(within, time);
        try
        {
            using var client = clients.CreateClient(ClientName);
            client.Timeout = Timeout.InfiniteTimeSpan; // each has its own
            using var request = new HttpRequestMessage(method, new Uri(options.Api, path));
            if (options.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var answer = await BeginningAsync(response, isWhole ? AnswerBytesMax : SaidCharsMax, limit.Token);
            return (response.StatusCode, isWhole ? answer : Redactor.Redact(answer), null);
        }
        catch (OperationCanceledException)
        {
            return (null, null, $"no answer within {within.TotalSeconds:0} seconds");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return (null, null, Redactor.Redact(fault.Message));
        }
    }

    private static async Task<string> BeginningAsync(HttpResponseMessage response, int bytesMax, CancellationToken stop)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[bytesMax];
        return Encoding.UTF8.GetString(buffer, 0, await stream.ReadAtLeastAsync(buffer, bytesMax, throwOnEndOfStream: false, stop));
    }

    /// <returns>False: the server does not answer; it is asked again.</returns>
    private async Task<bool> TryLoadAsync(DateTime now, CancellationToken stopping)
    {
        var (status, answer, fault) = await SendAsync(HttpMethod.Get, ReportPath, null, ReportTimeMax, isWhole: true).WaitAsync(stopping);
        if (fault is not null || status >= HttpStatusCode.InternalServerError)
        {
            LogNotLoaded(log, fault ?? $"HTTP {(int)status!}");
            return false;
        }

        if (status is HttpStatusCode.OK) Load(answer!);
        else LogNothingLoaded(log, (int)status!); // an older server, or one that takes no secret: what is in memory has to do
        lock (_gate)
        {
            foreach (var call in options.Calls.Where(call => call.SoonerMax > TimeSpan.Zero))
                _known.TryAdd(call.Name, (now - (call.SoonerMax * Random.Shared.NextDouble()), 0));
        }

        return true;
    }

    private void Load(string answer)
    {
        try
        {
            using var report = JsonDocument.Parse(answer);
            lock (_gate)
            {
                foreach (var job in report.RootElement.GetProperty("jobs").EnumerateArray())
                {
                    var last = DateTime.Parse(
                        job.GetProperty("last_started").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
                    _known[job.GetProperty("name").GetString()!] = (last, job.GetProperty("consecutive_failures").GetInt32());
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentNullException)
        {
            LogNotLoaded(log, fault.GetType().Name); // another program answers there: nothing of it is believed
        }
    }

    [LoggerMessage(EventId = 7601, Level = LogLevel.Warning, Message = "SCHEDULER_API_TOKEN is not set: the server takes these calls in local development alone.")]
    private static partial void LogNoToken(ILogger log);

    [LoggerMessage(EventId = 7602, Level = LogLevel.Warning, Message = "{Job} failed: {Fault}")]
    private static partial void LogFailed(ILogger log, string job, string fault);

    [LoggerMessage(EventId = 7603, Level = LogLevel.Warning, Message = "How {Job} ended could not be told the server: {Fault}")]
    private static partial void LogNotReported(ILogger log, string job, string fault);

    [LoggerMessage(EventId = 7604, Level = LogLevel.Warning, Message = "What was done before this start could not be asked for: {Fault}. It is tried again.")]
    private static partial void LogNotLoaded(ILogger log, string fault);

    [LoggerMessage(EventId = 7605, Level = LogLevel.Warning, Message = "The server does not say what was done before this start (HTTP {Status}): all is due now.")]
    private static partial void LogNothingLoaded(ILogger log, int status);
}
