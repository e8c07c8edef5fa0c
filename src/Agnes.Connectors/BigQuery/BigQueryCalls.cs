using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Agnes.Engine.Outbound;
using Agnes.Protocol;
using Polly;

namespace Agnes.Connectors.BigQuery;

/// <summary>Single calls of BigQuery's REST interface: with a token, within a time, and tried again where Google says to.</summary>
internal sealed class BigQueryCalls : IDisposable
{
    private const int AnswerBytesMax = 32 << 20; // listings and metadata; rows are read another way
    private readonly BigQueryConnection _connection;
    private readonly BigQueryCredentials _credentials;
    private readonly HttpClient _client;
    private readonly ResiliencePipeline _retries;
    private readonly TimeProvider _time;

    public BigQueryCalls(BigQueryConnection connection, OutboundGuard guard, SettingOwner owner, TimeProvider time)
    {
        (_connection, _time) = (connection, time);
        _credentials = new BigQueryCredentials(connection, guard, owner, time);
        _client = new BigQueryHttp(guard, owner).Create();
        _retries = Again(connection.Limits.RetriesMax, failure => failure is BigQueryException { IsForNow: true, IsOfJob: false });
    }

    /// <summary>Tries with the connection's pauses.</summary>
    public ResiliencePipeline Again(int countMax, Func<Exception, bool> isForNow) =>
        Retries.After(countMax, _connection.Limits.Pause, _connection.Limits.PauseMax, _time, isForNow);

    public Task<TAnswer> GetAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) =>
        _retries.ExecuteAsync(
            async token =>
            await OnceAsync(HttpMethod.Get, path, null, type, StatementAuthor.Server, _connection.Limits.CallTime, token), cancellation)
            .AsTask();

    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, StatementAuthor author,
            CancellationToken cancellation)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, bodyType);
        return _retries.ExecuteAsync(
            async token => await OnceAsync(HttpMethod.Post, path, bytes, type, author, _connection.Limits.CallTime, token), cancellation)
            .AsTask();
    }

    /// <summary>One call, not tried again.</summary>
    public async Task<TAnswer> OnceAsync<TAnswer>(
        HttpMethod method, string path, byte[]? body, JsonTypeInfo<TAnswer> type, StatementAuthor author, TimeSpan time,
            CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(time);
        try
        {
            using var answer = await SendAsync(method, path, body, author, bound.Token);
            await using var whole = new BoundedStream(await answer.Content.ReadAsStreamAsync(bound.Token), AnswerBytesMax, TooLarge);
            return await JsonSerializer.DeserializeAsync(whole, type, bound.Token) ?? throw BigQueryErrors.NotUnderstood("it is null");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw BigQueryErrors.TooSlow(time);
        }
        catch (JsonException malformed)
        {
            throw BigQueryErrors.NotUnderstood("it is not the documented JSON", malformed);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw BigQueryErrors.Unreachable(broken);
        }
    }

    /// <summary>Sends, and reads the head of the answer. Errors are read whole and thrown; the body of an answer is the caller's.</summary>
    /// <exception cref="BigQueryException"/>
    /// <exception cref="HttpRequestException"/>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, byte[]? body, StatementAuthor author, CancellationToken cancellation)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var token = await _credentials.TokenAsync(cancellation);
            var answer = await SendAsync(method, path, body, token, cancellation);
            if (answer.IsSuccessStatusCode) return answer;
            using (answer)
            {
                if (answer.StatusCode == HttpStatusCode.Unauthorized)
                {
                    _credentials.Forget(token);
                    if (isFirst) continue; // it may have been taken back, or have ended on the way
                }

                throw await ErrorAsync(answer, author, cancellation);
            }
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _credentials.Dispose();
    }

    private static BigQueryException TooLarge(string what) => BigQueryErrors.NotUnderstood(what);

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, byte[]? body, string token, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(_connection.Service, $"/bigquery/v2/projects/{path}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("X-Goog-User-Project", _connection.BillingProject);
        request.Headers.Accept.ParseAdd("application/json");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        }
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    private async Task<BigQueryException> ErrorAsync(HttpResponseMessage answer, StatementAuthor author, CancellationToken cancellation)
    {
        ErrorBody? error = null;
        try
        {
            await using var whole = new BoundedStream(await answer.Content.ReadAsStreamAsync(cancellation), AnswerBytesMax, TooLarge);
            error = (await JsonSerializer.DeserializeAsync(whole, BigQueryJson.Default.ErrorAnswer, cancellation))?.Error;
        }
        catch (Exception other) when (other is JsonException or IOException or HttpRequestException)
        {
            // A proxy's page, for example: the status says enough.
        }

        return BigQueryErrors.Of(_connection, (int)answer.StatusCode, error?.Errors?.FirstOrDefault()?.Reason, error?.Message, author);
    }
}
