using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Agnes.Engine.Outbound;
using Agnes.Protocol;
using Polly;

namespace Agnes.Connectors.Keboola;

/// <summary>Calls of Keboola's Storage API: with the token, within a time and a size, and tried again where that may help.</summary>
public sealed class StorageClient : IDisposable
{
    private const string TokenHeader = "X-StorageApi-Token";
    private const string RunHeader = "X-KBC-RunId";
    private const int AnswerBytesMax = 64 << 20; // a project of 100,000 tables
    private const int ListedJobs = 200;
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromMinutes(5);

    private readonly KeboolaSettings _settings;
    private readonly HttpClient _client;
    private readonly ResiliencePipeline _retries;
    private readonly TimeProvider _time;
    private long _serviceTime;

    public StorageClient(KeboolaSettings settings, OutboundGuard guard, TimeProvider time)
    {
        (_settings, _time) = (settings, time);
        _client = KeboolaHttp.Create(guard);
        _retries = Retries.After(
            settings.RetriesMax, settings.Pause, settings.PauseMax, time, failure => failure is StorageException { IsForNow: true },
            failure => (failure as StorageException)?.RetryAfter);
    }

    /// <summary>What time it is at the service, by its last answer, to a second; null before any.</summary>
    public DateTimeOffset? ServiceTime =>
        Interlocked.Read(ref _serviceTime) is > 0 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>All tables of the project that the token may see.</summary>
    /// <exception cref="StorageException"/>
    public async Task<IReadOnlyList<StorageTable>> TablesAsync(CancellationToken cancellation)
    {
        var tables = await GetAsync("tables?include=columns,buckets", StorageJson.Default.ListTableMessage, cancellation);
        return [.. tables.Where(table => !string.IsNullOrEmpty(table.Id)).Select(StorageTable.From)];
    }

    /// <param name="id">With its bucket: <c>in.c-crm.orders</c>.</param>
    /// <exception cref="StorageException"/>
    public async Task<StorageTable> TableAsync(string id, CancellationToken cancellation) =>
        StorageTable.From(await GetAsync($"tables/{Uri.EscapeDataString(id)}", StorageJson.Default.TableMessage, cancellation));

    /// <summary>Begins an export.</summary>
    /// <param name="run">Ours, by which <see cref="FindExportAsync"/> finds the job that a lost answer spoke of.</param>
    internal async Task<StorageJob> ExportAsync(string table, ExportMessage what, string run, CancellationToken cancellation)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(what, StorageJson.Default.ExportMessage);
        var job = await SendAsync(
            HttpMethod.Post, $"tables/{Uri.EscapeDataString(table)}/export-async", body, run, StorageJson.Default.JobMessage, cancellation);
        return StorageJob.From(job);
    }

    /// <summary>The export that was begun under a name of ours, where it is among the latest jobs of the project; else null.</summary>
    internal async Task<StorageJob?> FindExportAsync(string table, string run, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"jobs?limit={ListedJobs}");
        var jobs = await GetAsync(path, StorageJson.Default.ListJobMessage, cancellation);
        return jobs.FirstOrDefault(job => job.RunId == run && job.TableId == table) is { } found ? StorageJob.From(found) : null;
    }

    internal async Task<StorageJob> JobAsync(string id, CancellationToken cancellation) =>
        StorageJob.From(await GetAsync($"jobs/{Uri.EscapeDataString(id)}", StorageJson.Default.JobMessage, cancellation));

    /// <summary>Where a file lies, and what it can be fetched with: good for an hour or so.</summary>
    internal Task<FileMessage> FileAsync(string id, CancellationToken cancellation) =>
        GetAsync($"files/{Uri.EscapeDataString(id)}?federationToken=1", StorageJson.Default.FileMessage, cancellation);

    public void Dispose() => _client.Dispose();

    private Task<TAnswer> GetAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, null, null, type, cancellation);

    private Task<TAnswer> SendAsync<TAnswer>(
        HttpMethod method, string path, byte[]? body, string? run, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) =>
        _retries.ExecuteAsync(async stop => await OnceAsync(method, path, body, run, type, stop), cancellation).AsTask();

    private async Task<TAnswer> OnceAsync<TAnswer>(
        HttpMethod method, string path, byte[]? body, string? run, JsonTypeInfo<TAnswer> type, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(_settings.CallTime);
        try
        {
            using var request = Request(method, path, body, run);
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bound.Token);
            if (answer.Headers.Date is { } date) Interlocked.Exchange(ref _serviceTime, date.ToUnixTimeSeconds());
            await using var content = await answer.Content.ReadAsStreamAsync(bound.Token);
            await using var whole = new BoundedStream(content, AnswerBytesMax, _ => NotUnderstood(null));
            if (!answer.IsSuccessStatusCode) throw await FailureAsync(answer, whole, bound.Token);
            return await JsonSerializer.DeserializeAsync(whole, type, bound.Token) ?? throw NotUnderstood(null);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new StorageException(
                $"Keboola at {_settings.Stack.Host} did not answer within {_settings.CallTime.TotalSeconds:0} seconds.")
            {
                IsForNow = true,
            };
        }
        catch (JsonException malformed)
        {
            throw NotUnderstood(malformed);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw Unreachable(broken);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, byte[]? body, string? run)
    {
        var request = new HttpRequestMessage(method, new Uri($"{_settings.Stack.AbsoluteUri.TrimEnd('/')}/v2/storage/{path}"));
        request.Headers.Accept.ParseAdd("application/json");
        if (run is not null) request.Headers.Add(RunHeader, run);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (request.Headers.TryAddWithoutValidation(TokenHeader, _settings.Token)) return request;
        throw Refused(HttpStatusCode.Unauthorized, null); // no stack gives out such a token
    }

    private async Task<StorageException> FailureAsync(HttpResponseMessage answer, Stream body, CancellationToken cancellation)
    {
        ErrorMessage? said = null;
        try
        {
            said = await JsonSerializer.DeserializeAsync(body, StorageJson.Default.ErrorMessage, cancellation);
        }
        catch (Exception other) when (other is JsonException or IOException or HttpRequestException)
        {
            // A proxy's page, for example: the status says enough.
        }

        var status = answer.StatusCode;
        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) return Refused(status, said?.Code);
        var text = said?.Error is { ValueKind: JsonValueKind.String } error ? error.GetString() : said?.Message ?? said?.Reason;
        var shown = text is null ? $"Keboola answered {(int)status} at {_settings.Stack.Host}." : $"Keboola: {Shown(text)}";
        return new StorageException(shown)
        {
            Status = status,
            Code = said?.Code,
            RetryAfter = WaitOf(answer),
            IsForNow = status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500,
        };
    }

    private static StorageException Refused(HttpStatusCode status, string? code) =>
        new("Keboola does not take the token for this: look whether it is of this stack's project, still good, and may read the table's "
            + "bucket.")
        {
            Status = status,
            Code = code,
        };

    private StorageException NotUnderstood(Exception? why) =>
        new($"What answered at {_settings.Stack.Host} is no Storage API of Keboola: look whether stack_url is the stack's address.", why);

    private StorageException Unreachable(Exception broken)
    {
        var refused = broken as OutboundRefusedException ?? broken.InnerException as OutboundRefusedException;
        return refused is not null
            ? new StorageException($"{KeboolaSettings.StackOption} {refused.Message}", broken) { IsForNow = refused.IsUnknown }
            : new StorageException($"Keboola could not be reached at {_settings.Stack.Host}.", broken) { IsForNow = true };
    }

    private string Shown(string text) => StorageException.Shown(text, _settings.Token);

    private TimeSpan? WaitOf(HttpResponseMessage answer)
    {
        var said = answer.Headers.RetryAfter;
        var wait = said?.Delta ?? (said?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is not { } time ? null : time < TimeSpan.Zero ? TimeSpan.Zero : time > RetryAfterMax ? RetryAfterMax : time;
    }
}
