using Agnes.Engine.Outbound;
using Google.Apis.Http;

namespace Agnes.Connectors.BigQuery;

/// <summary>HTTP clients that go to Google, all of whose connections are the guard's.</summary>
/// <param name="guard">Makes connections.</param>
/// <param name="owner">Who chose where they lead.</param>
internal sealed class BigQueryHttp(OutboundGuard guard, SettingOwner owner) : HttpClientFactory
{
    /// <summary>Bounds of time are the caller's.</summary>
    public HttpClient Create()
    {
        var client = new HttpClient(guard.CreateHandler(owner)) { Timeout = Timeout.InfiniteTimeSpan };
        return client;
    }

    /// <summary>The metadata server's address is this machine's own network, which no admin's word leads to: it is fixed.</summary>
    public static BigQueryHttp ToMetadata(OutboundGuard guard) => new(guard, SettingOwner.Operator);

    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => guard.CreateHandler(owner);
}
