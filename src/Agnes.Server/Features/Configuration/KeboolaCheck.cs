using System.Net;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Configuration;

/// <summary>Asks a Keboola stack whether it takes a Storage token, at an address that an admin typed in.</summary>
internal static class KeboolaCheck
{
    private const string TokenHeader = "X-StorageApi-Token";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <returns>Why not, without the token and without what the other side wrote; null when it does.</returns>
    public static async Task<string?> FaultAsync(IHttpClientFactory clients, Uri stack, string token, CancellationToken stop)
    {
        using var client = clients.CreateClient(OutboundGuard.ClientName);
        client.Timeout = Timeout;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{stack.AbsoluteUri.TrimEnd('/')}/v2/storage/tokens/verify"));
        if (!request.Headers.TryAddWithoutValidation(TokenHeader, token)) return "keboola_token is no Storage token.";
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => null,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "Keboola does not take the token: look whether it is of this stack's project and still good.",
                var status => $"Keboola answered {(int)status} at {stack.Host}: look whether keboola_url is the stack's address.",
            };
        }
        catch (OutboundRefusedException refused)
        {
            return $"keboola_url {refused.Message}";
        }
        catch (HttpRequestException failure) when (failure.InnerException is OutboundRefusedException refused)
        {
            return $"keboola_url {refused.Message}";
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return $"Keboola could not be reached at {stack.Host}: look whether keboola_url is the stack's address.";
        }
    }
}
