using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;

namespace Agnes.Server.Platform.State;

/// <summary>From where a request came that leaves audit entries; goes with the request through everything that it awaits.</summary>
/// <param name="Address">The caller's, as named proxies tell it.</param>
public sealed record AuditOrigin(string? Address, string RequestId)
{
    private static readonly AsyncLocal<AuditOrigin?> OfRequest = new();

    /// <summary>Who asks, once that is known; null for guests.</summary>
    internal string? CallerId { get; set; }

    /// <summary>Null outside of requests: jobs, timers, commands.</summary>
    public static AuditOrigin? Current
    {
        get => OfRequest.Value;
        internal set => OfRequest.Value = value;
    }

    /// <summary>The parameters with the address and the request's id, where an entry does not say them itself.</summary>
    internal JsonObject AddTo(JsonObject? parameters)
    {
        parameters ??= [];
        if (Address is not null) parameters.TryAdd("ip", Address);
        parameters.TryAdd("request_id", RequestId);
        return parameters;
    }
}
