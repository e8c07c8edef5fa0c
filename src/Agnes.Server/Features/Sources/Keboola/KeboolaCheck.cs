using System.Net;

namespace Agnes.Server.Features.Sources.Keboola;

/// <summary>Asks a Keboola stack whether it takes a Storage token, at an address that an admin typed in.</summary>
internal static class KeboolaCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <returns>Why not, without the token and without what the other side wrote; null when it does.</returns>
    public static async Task<string?> FaultAsync(IHttpClientFactory clients, Uri stack, string token, CancellationToken stop) =>
        await new KeboolaStack(stack.AbsoluteUri, token).SendAsync(clients, HttpMethod.Get, "tokens/verify", null, Timeout, stop) switch
        {
            { Status: HttpStatusCode.OK } => null,
            { Status: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => "Keboola does not take the token: look whether it is of this stack's project and still good.",
            { Status: { } status } => $"Keboola answered {(int)status} at {stack.Host}: look whether keboola_url is the stack's address.",
            { Refusal: { } refusal } => $"keboola_url {refusal}",
            _ => $"Keboola could not be reached at {stack.Host}: look whether keboola_url is the stack's address.",
        };
}
