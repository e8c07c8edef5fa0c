using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Connectors.Keboola;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Sources.Keboola;

/// <summary>A Keboola stack and a Storage token for it: the one way in which the server talks to its Storage API.</summary>
internal sealed class KeboolaStack(string address, string token)
{
    public const string HowToSetUp =
        "Keboola is not set up on this server: set its address and a Storage token (KBC_STACK_URL and KBC_STORAGE_TOKEN, or "
        + "/admin/server-config)";

    private const string TokenHeader = "X-StorageApi-Token";
    private readonly string _address = address.Trim().TrimEnd('/');
    private readonly string _token = token.Trim();

    /// <returns>Null when address or token is not set, or the token is the operator's and the address is not.</returns>
    public static KeboolaStack? Find(ServerOptions options, SecretStore secrets)
    {
        var layers = SettingLayers.Open(options, secrets);
        var (address, token) = (layers.Find("KEBOOLA_STACK_URL"), layers.Find("KEBOOLA_STORAGE_TOKEN"));
        return string.IsNullOrWhiteSpace(address) || string.IsNullOrWhiteSpace(token) ? null : new KeboolaStack(address, token);
    }

    /// <summary>As the connector takes them.</summary>
    public void AddTo(IDictionary<string, string> given) =>
        (given[KeboolaSettings.StackOption], given[KeboolaSettings.TokenOption]) = (_address, _token);

    /// <summary>Asks, and looks at the status alone.</summary>
    /// <param name="path">Escaped, from <c>/v2/storage/</c> on.</param>
    public async Task<KeboolaAnswer> SendAsync(IHttpClientFactory clients, HttpMethod method, string path, JsonObject? body, TimeSpan timeout, CancellationToken stop)
    {
        if (!Uri.TryCreate($"{_address}/v2/storage/{path}", UriKind.Absolute, out var uri)) return new KeboolaAnswer(null, "is no address");
        using var request = new HttpRequestMessage(method, uri);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        if (!request.Headers.TryAddWithoutValidation(TokenHeader, _token)) return new KeboolaAnswer(HttpStatusCode.Unauthorized, null); // no stack gives out such a token
        using var client = clients.CreateClient(OutboundGuard.ClientName);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(timeout);
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, time.Token);
            return new KeboolaAnswer(answer.StatusCode, null);
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return new KeboolaAnswer(null, (failure as OutboundRefusedException ?? failure.InnerException as OutboundRefusedException)?.Message);
        }
    }
}

/// <param name="Status">Null: it was not reached.</param>
/// <param name="Refusal">What is wrong with the address, where that is why.</param>
internal sealed record KeboolaAnswer(HttpStatusCode? Status, string? Refusal);
