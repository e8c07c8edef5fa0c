using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Outbound;
using Agnes.Protocol;
using Polly;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What Jira answered.</summary>
/// <param name="Asked">By Jira's own clock, when the question was begun, or a little before.</param>
internal sealed record JiraReply(JsonNode? Json, DateTimeOffset Asked);

/// <summary>
/// Calls of one site with one account: within a time and a size, and tried again where that may help. Whoever is told to wait holds up
/// all others, since limits are the account's. No redirect is followed: the credentials go to the site alone.
/// </summary>
internal sealed class JiraHttp
{
    private const int AnswerBytesMax = 48 << 20; // an issue with everything that anybody ever wrote about it
    private const int FaultBytesMax = 64 << 10;
    private const int FaultCharactersMax = 300;
    private const int RetriesMax = 5;
    private const int WaitsMax = 200; // of up to five minutes each: a job has time
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SearchTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WaitDefault = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);
    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = true, MaxDepth = 128 };

    private readonly IHttpClientFactory _clients;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _retries;
    private long _quietUntil; // ticks, UTC

    public JiraHttp(IHttpClientFactory clients, JiraAccount account, TimeProvider time)
    {
        (_clients, Account, _time) = (clients, account, time);
        _retries = Retries.After(
            RetriesMax, Pause, PauseMax, time, fault => fault is JiraException { Fault: JiraFault.Down or JiraFault.NotUnderstood },
            fault => (fault as JiraException)?.RetryAfter);
    }

    public JiraAccount Account { get; }

    /// <summary>How long Jira wants nothing to be asked; zero: something may be.</summary>
    public TimeSpan Quiet
    {
        get
        {
            var left = new DateTimeOffset(Interlocked.Read(ref _quietUntil), TimeSpan.Zero) - _time.GetUtcNow();
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <param name="path">Below the site's address, escaped, without a slash at its beginning.</param>
    /// <param name="isPatient">Tried again for some minutes; else whoever asks comes back by himself.</param>
    /// <exception cref="JiraException"/>
    public async Task<JiraReply> AskAsync(string path, JsonObject? body, bool isPatient, CancellationToken stop)
    {
        if (!isPatient) return await OnceAsync(path, body, stop);
        for (var waits = 0; ; waits++)
        {
            try
            {
                return await _retries.ExecuteAsync(async inner => await OnceAsync(path, body, inner), stop);
            }
            catch (JiraException busy) when (busy.Fault == JiraFault.Busy && waits < WaitsMax)
            {
                await Task.Delay(busy.RetryAfter ?? WaitDefault, _time, stop);
            }
        }
    }

    private async Task<JiraReply> OnceAsync(string path, JsonObject? body, CancellationToken stop)
    {
        if (Quiet is { Ticks: > 0 } left) throw new JiraException(JiraFault.Busy,
            "Jira asked to be left alone for a while.")
        { RetryAfter = left, IsOfSite = true };
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bound.CancelAfter(body is null ? CallTime : SearchTime);
        var (begun, ticks) = (_time.GetUtcNow(), _time.GetTimestamp());
        try
        {
            using var client = _clients.CreateClient(OutboundGuard.ClientName);
            client.Timeout = Timeout.InfiniteTimeSpan; // the token above is the bound
            using var request = Request(path, body);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bound.Token);
            // Its clock, which is what the times in issues are of; cut to the second, so that it is rather early than late.
            var asked = answer.Headers.Date is { } date ? date - _time.GetElapsedTime(ticks) : begun;
            if (!answer.IsSuccessStatusCode) throw await FailureAsync(answer, bound.Token);
            await answer.Content.LoadIntoBufferAsync(AnswerBytesMax, bound.Token);
            await using var content = await answer.Content.ReadAsStreamAsync(bound.Token);
            return new JiraReply(await JsonNode.ParseAsync(content, documentOptions: Parsing, cancellationToken: bound.Token), asked);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new JiraException(JiraFault.Down, $"Jira at {Account.Address.Host} did not answer in time.") { IsOfSite = true };
        }
        catch (JsonException malformed)
        {
            throw new JiraException(JiraFault.NotUnderstood, $"Jira at {Account.Address.Host} answered something that is no JSON.",
                malformed);
        }
        catch (HttpRequestException large) when (large.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new JiraException(JiraFault.Refused, $"Jira's answer is larger than {AnswerBytesMax >> 20} MiB.", large);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            var why = broken as OutboundRefusedException ?? broken.InnerException as OutboundRefusedException;
            var says = why is null ? "is not reached" : why.Message;
            throw new JiraException(JiraFault.Down, $"Jira at {Account.Address.Host} {says}.", broken) { IsOfSite = true };
        }
    }

    private HttpRequestMessage Request(string path, JsonObject? body)
    {
        var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(Account.Address, path));
        request.Headers.Accept.ParseAdd("application/json");
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8,
            new MediaTypeHeaderValue("application/json"));
        if (request.Headers.TryAddWithoutValidation("Authorization", Account.Authorization)) return request;
        request.Dispose();
        throw new JiraException(JiraFault.SignIn,
            "The account's address or token has a character that no header may have.")
        { IsOfSite = true };
    }

    private async Task<JiraException> FailureAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var host = Account.Address.Host;
        var status = (int)answer.StatusCode;
        var wait = WaitOf(answer.Headers.RetryAfter);
        if (answer.StatusCode == HttpStatusCode.TooManyRequests || (status >= 500 && wait is not null)) BeQuiet(wait ??= WaitDefault);
        return answer.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => new(JiraFault.Busy, $"Jira at {host} has been asked too much.")
            {
                RetryAfter = wait,
                IsOfSite = true,
            },
            HttpStatusCode.Unauthorized => new(JiraFault.SignIn,
                $"Jira at {host} does not take the account and its token (401).")
            { IsOfSite = true },
            HttpStatusCode.Forbidden => new(JiraFault.Denied, $"Jira at {host} does not let the account see it (403)."),
            HttpStatusCode.NotFound => new(JiraFault.Missing, $"Jira at {host} has none, or does not let the account see it (404)."),
            HttpStatusCode.Gone => new(JiraFault.Gone, $"Jira at {host} has taken this part of its API away (410)."),
            HttpStatusCode.RequestTimeout => new(JiraFault.Down, $"Jira at {host} did not get the question in time (408)."),
            _ when status >= 500 => new(JiraFault.Down, $"Jira at {host} has a fault ({status}).") { RetryAfter = wait },
            HttpStatusCode.BadRequest => new(JiraFault.Refused, $"Jira at {host} refused the question: {await WordsAsync(answer, stop)}"),
            _ => new(JiraFault.NotUnderstood, $"Jira at {host} answered {status}."),
        };
    }

    /// <summary>What is wrong with a query stands in no other place.</summary>
    private static async Task<string> WordsAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        try
        {
            await answer.Content.LoadIntoBufferAsync(FaultBytesMax, stop);
            var said = JsonNode.Parse(await answer.Content.ReadAsByteArrayAsync(stop), documentOptions: Parsing);
            if (said is JsonObject fault && fault["errorMessages"] is JsonArray { Count: > 0 } list
                && list[0]?.GetValueKind() == JsonValueKind.String)
                return Redactor.Redact(list[0]!.GetValue<string>() is { Length: > FaultCharactersMax } text ? text[..FaultCharactersMax]
                    : list[0]!.GetValue<string>());
        }
        catch (Exception other) when (other is JsonException or HttpRequestException or IOException)
        {
            // A page for people, perhaps: the status says enough.
        }

        return "it does not say why (400).";
    }

    private TimeSpan? WaitOf(RetryConditionHeaderValue? said)
    {
        if (said is null) return null;
        var wait = said.Delta ?? (said.Date is { } date ? date - _time.GetUtcNow() : WaitDefault);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > WaitMax ? WaitMax : wait;
    }

    private void BeQuiet(TimeSpan wait)
    {
        var until = (_time.GetUtcNow() + wait).UtcTicks;
        long before;
        do before = Interlocked.Read(ref _quietUntil);
        while (before < until && Interlocked.CompareExchange(ref _quietUntil, until, before) != before);
    }
}
