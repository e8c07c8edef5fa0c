using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Api;

/// <summary>Calls that send and receive JSON. One for all commands, so that version check, limits and error texts are the same everywhere.</summary>
internal sealed class ApiClient(Host host, ServerAddress server, string? token) : IDisposable
{
    private const int BodyBytesMax = 512 << 20;
    private const int ReadBufferBytes = 64 << 10;
    public static readonly TimeSpan MetadataIdle = TimeSpan.FromSeconds(30);

    private HttpClient? _client;

    public ServerAddress Server { get; } = server;

    public string? Token { get; } = token;

    /// <summary>A header that every request carries besides; for the first sign-in of all.</summary>
    public KeyValuePair<string, string>? Header { get; init; }

    public Task<ApiResponse> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public Task<ApiResponse> PostAsync(string path, JsonNode? body, CancellationToken cancellation) => SendAsync(HttpMethod.Post, path, body, cancellation);

    public Task<ApiResponse> PutAsync(string path, JsonNode? body, CancellationToken cancellation) => SendAsync(HttpMethod.Put, path, body, cancellation);

    public Task<ApiResponse> DeleteAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Delete, path, null, cancellation);

    public Task<ApiResponse> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellation) =>
        SendAsync(method, path, body, MetadataIdle, null, cancellation);

    /// <param name="idle">The longest silence, also before the first byte.</param>
    /// <param name="ifNoneMatch">The tag of what the caller has.</param>
    public async Task<ApiResponse> SendAsync(HttpMethod method, string path, JsonNode? body, TimeSpan idle, string? ifNoneMatch, CancellationToken cancellation)
    {
        using var request = HttpTransport.Request(method, Server.At(path), Token);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (Header is { } header) request.Headers.TryAddWithoutValidation(header.Key, header.Value);
        if (ifNoneMatch is not null) request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        if (body is not null) request.Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return await SendAsync(request, path, idle, cancellation);
    }

    /// <summary>Small files as a form; each carries the relative path that it has on this side.</summary>
    public async Task<ApiResponse> PostFilesAsync(string path, IReadOnlyList<(string Name, byte[] Content)> files, TimeSpan idle, CancellationToken cancellation)
    {
        using var request = HttpTransport.Request(HttpMethod.Post, Server.At(path), Token);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        var form = new MultipartFormDataContent();
        foreach (var (name, content) in files) form.Add(new ByteArrayContent(content), "file", name);
        request.Content = form;
        return await SendAsync(request, path, idle, cancellation);
    }

    private async Task<ApiResponse> SendAsync(HttpRequestMessage request, string path, TimeSpan idle, CancellationToken cancellation)
    {
        var call = $"{request.Method} {WithoutQuery(path)}";
        return await GuardAsync(
            async () =>
            {
                _client ??= HttpTransport.Create(decompress: true);
                using var response = await SendHeadersAsync(_client, request, idle, host.Clock, cancellation);
                if (path.StartsWith("/api/", StringComparison.Ordinal)) VersionHandshake.Check(response.Headers);
                await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
                var content = await ReadAllAsync(stream, response.Content.Headers.ContentLength, idle, cancellation);
                return new ApiResponse((int)response.StatusCode, content, response.Headers.ETag?.ToString());
            },
            call,
            cancellation);
    }

    /// <summary>Sends a file as the field <c>file</c> of a form, under its own name.</summary>
    /// <param name="idle">The longest silence; a large file may take its time.</param>
    public Task<ApiResponse> UploadAsync(string path, OwnFile file, TimeSpan idle, CancellationToken cancellation) => GuardAsync(
        async () =>
        {
            using var silence = new CancellationTokenSource(idle, host.Clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
            using var request = HttpTransport.Request(HttpMethod.Post, Server.At(path), Token);
            request.Content = new MultipartFormDataContent { { new UploadedFile(file, () => silence.CancelAfter(idle)), "file", file.Name } };
            try
            {
                _client ??= HttpTransport.Create(decompress: true);
                using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
                VersionHandshake.Check(response.Headers);
                await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
                return new ApiResponse((int)response.StatusCode, await ReadAllAsync(stream, response.Content.Headers.ContentLength, idle, cancellation), null);
            }
            catch (OperationCanceledException problem) when (silence.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"no answer for {idle.TotalSeconds:0.###} s", problem);
            }
        },
        $"POST {path}",
        cancellation);

    /// <summary>Streams an answer into a file. What is no success is read whole instead.</summary>
    /// <param name="accept">The media type wanted; another one leaves the file unwritten.</param>
    public Task<FileAnswer> DownloadAsync(string path, JsonNode body, string accept, string file, TimeSpan idle, CancellationToken cancellation) => GuardAsync(
        async () =>
        {
            using var request = HttpTransport.Request(HttpMethod.Post, Server.At(path), Token);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            _client ??= HttpTransport.Create(decompress: true);
            using var response = await SendHeadersAsync(_client, request, idle, host.Clock, cancellation);
            VersionHandshake.Check(response.Headers);
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            var type = response.Content.Headers.ContentType?.MediaType;
            string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
            if (!response.IsSuccessStatusCode || type != accept)
            {
                var content = response.IsSuccessStatusCode ? [] : await ReadAllAsync(stream, response.Content.Headers.ContentLength, idle, cancellation);
                return new FileAnswer(new ApiResponse((int)response.StatusCode, content, null), type, null, null);
            }

            using var reader = new IdleReader(stream, idle, host.Clock, cancellation);
            File.Delete(file); // a leftover, or a link
            await using var target = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            var buffer = new byte[ReadBufferBytes];
            int read;
            while ((read = await reader.ReadAsync(buffer)) > 0) await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
            target.Flush(flushToDisk: true);
            return new FileAnswer(new ApiResponse((int)response.StatusCode, [], null), type, Header("X-Agnes-As-Of"), Header("X-Agnes-Truncated"));
        },
        $"POST {path}",
        cancellation);

    /// <summary>The silence limit covers the wait for the headers too.</summary>
    public static async Task<HttpResponseMessage> SendHeadersAsync(HttpClient client, HttpRequestMessage request, TimeSpan idle, TimeProvider clock, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(idle, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
        }
        catch (OperationCanceledException problem) when (silence.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer for {idle.TotalSeconds:0.###} s", problem);
        }
    }

    /// <summary>Server-sent events, until the server ends the stream.</summary>
    public async IAsyncEnumerable<SseItem<string>> EventsAsync(string path, string? lastEventId, TimeSpan idle, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = HttpTransport.Request(HttpMethod.Get, Server.At(path), Token);
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        _client ??= HttpTransport.Create(decompress: true);
        var call = $"GET {path}";
        using var response = await GuardAsync(() => SendHeadersAsync(_client, request, idle, host.Clock, cancellation), call, cancellation);
        VersionHandshake.Check(response.Headers);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        if (!response.IsSuccessStatusCode) throw new ApiResponse((int)response.StatusCode, await ReadAllAsync(body, null, idle, cancellation), null).Failure();
        using var stream = new IdleStream(body, idle, host.Clock);
        await using var events = SseParser.Create(stream).EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
        while (await GuardAsync(async () => await events.MoveNextAsync(), call, cancellation)) yield return events.Current;
    }

    public void Dispose() => _client?.Dispose();

    private async Task<T> GuardAsync<T>(Func<Task<T>> action, string call, CancellationToken cancellation)
    {
        try
        {
            return await action();
        }
        catch (Exception problem)
        {
            if (TransportFailure.From(problem, call, Server, host.Settings.Folder, cancellation) is not { } failure) throw;
            LastErrorLog.TryAppend(host.Settings.Folder, host.Clock.GetUtcNow(), call, problem);
            throw failure;
        }
    }

    private async Task<byte[]> ReadAllAsync(Stream stream, long? length, TimeSpan idle, CancellationToken cancellation)
    {
        if (length > BodyBytesMax) throw new HttpRequestException($"the answer is larger than {BodyBytesMax >> 20} MiB");
        using var reader = new IdleReader(stream, idle, host.Clock, cancellation);
        using var content = new MemoryStream((int)(length ?? 0));
        var buffer = new byte[ReadBufferBytes];
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
        {
            content.Write(buffer, 0, read);
            if (content.Length > BodyBytesMax) throw new HttpRequestException($"the answer is larger than {BodyBytesMax >> 20} MiB");
        }

        return content.ToArray();
    }

    private static string WithoutQuery(string path) => path.IndexOf('?', StringComparison.Ordinal) is > 0 and var end ? path[..end] : path;
}

/// <param name="AsOf">When the server evaluated it, if it says so.</param>
/// <param name="Truncated">Set where the server cut the result.</param>
internal sealed record FileAnswer(ApiResponse Response, string? MediaType, string? AsOf, string? Truncated);

/// <summary>A status and a body, read whole.</summary>
internal sealed record ApiResponse(int Status, byte[] Body, string? ETag)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    public bool IsNotModified => Status == (int)HttpStatusCode.NotModified;

    /// <exception cref="CliException">Any status but 2xx.</exception>
    public ApiResponse OrFail(int exitCode = ExitCode.Failed) => IsSuccess ? this : throw Failure(exitCode);

    public CliException Failure(int exitCode = ExitCode.Failed) => new(ErrorText.Render(Status, Body), exitCode) { IsBlock = true };

    public T As<T>(JsonTypeInfo<T> type)
    {
        try
        {
            var answer = JsonSerializer.Deserialize(Body, type) ?? throw new JsonException("the body is null");
            WrongAnswer.RequireWhole(answer, type);
            return answer;
        }
        catch (JsonException problem)
        {
            throw WrongAnswer.Because(problem.Message);
        }
    }

    public JsonDocument Json()
    {
        try
        {
            return JsonDocument.Parse(Body);
        }
        catch (JsonException)
        {
            throw new CliException("The server's answer is not JSON.") { Hint = "Is AGNES_SERVER (or config.yaml) the address of an Agnes server?" };
        }
    }
}
