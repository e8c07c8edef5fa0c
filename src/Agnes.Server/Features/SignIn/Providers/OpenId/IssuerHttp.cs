using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>Asks issuers and directories: no redirects, a short time, a small answer, JSON or nothing.</summary>
internal sealed class IssuerHttp(IHttpClientFactory clients)
{
    public const string ClientName = "issuer";
    public const int AnswerBytesMax = 1 << 20;
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    /// <summary>A key that stands twice could be read in two ways.</summary>
    public static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public Task<JsonObject> GetAsync(Uri address, string? bearer, CancellationToken stop, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return SendAsync(request, stop);
    }

    /// <exception cref="IssuerException">It did not answer with a JSON object and a status of success.</exception>
    public async Task<JsonObject> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        var text = await TextAsync(request, stop);
        try
        {
            return JsonNode.Parse(text, documentOptions: Parsing) as JsonObject ?? throw new IssuerException($"{Name(request)} did not answer with a JSON object.");
        }
        catch (JsonException fault)
        {
            throw new IssuerException($"{Name(request)} answered with what is no JSON.", inner: fault);
        }
    }

    /// <exception cref="IssuerException">It did not answer with a status of success, in time, and in bounds.</exception>
    public async Task<string> TextAsync(HttpRequestMessage request, CancellationToken stop)
    {
        using var sent = request;
        using var client = clients.CreateClient(ClientName);
        try
        {
            using var response = await client.SendAsync(request, stop);
            if (!response.IsSuccessStatusCode) throw new IssuerException($"{Name(request)} answered {(int)response.StatusCode}.", (int)response.StatusCode);
            return await response.Content.ReadAsStringAsync(stop);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw new IssuerException($"{Name(request)} did not answer as it should: {fault.GetType().Name}.", inner: fault);
        }
    }

    /// <summary>Without a query, which may carry what is nobody else's business.</summary>
    private static string Name(HttpRequestMessage request) => request.RequestUri!.GetLeftPart(UriPartial.Path);
}

/// <param name="status">Of the answer; 0 when there was none.</param>
internal sealed class IssuerException(string message, int status = 0, Exception? inner = null) : Exception(message, inner)
{
    public int Status { get; } = status;
}
