using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Access;

/// <summary>Fixed windows of one minute per endpoint and caller's address, and per account where mails are asked for. In memory, bounded.</summary>
internal sealed class RateLimits(ServerOptions options, TimeProvider time)
{
    public const int PartitionsMax = 20_000;
    private const int Ipv6NetworkBytes = 8;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Count> _counts = new(StringComparer.Ordinal);
    private readonly Lock _sweep = new();

    /// <summary>Counts one call. To be asked after the body was found valid. Answers 429 by exception.</summary>
    public void Take(HttpContext context, string endpoint, int perMinute)
    {
        if (options.RateLimits && Next($"{endpoint}\n{Network(context.Connection.RemoteIpAddress)}") > perMinute) throw Refused(perMinute);
    }

    /// <summary>Counts one call of the endpoint as it declared, see <see cref="CallLimit"/>. To be asked after the body was found valid. Answers 429 by exception.</summary>
    public void Take(HttpContext context)
    {
        var declared = context.GetEndpoint()?.Metadata.GetMetadata<CallLimit>() ?? throw new InvalidOperationException("The endpoint declares no limit to take from.");
        Take(context, declared.CountedAs(context), declared.PerMinute);
    }

    /// <summary>Before the body is read: nobody has to be listened to who would be refused whatever it says.</summary>
    /// <returns>The refusal of a caller whose minute is used up.</returns>
    public IResult? Spent(HttpContext context)
    {
        if (!options.RateLimits || context.GetEndpoint()?.Metadata.GetMetadata<CallLimit>() is not { } declared) return null;
        var key = $"{declared.CountedAs(context)}\n{Network(context.Connection.RemoteIpAddress)}";
        return _counts.TryGetValue(key, out var count) && count.At(MinuteNow) >= declared.PerMinute ? Refused(declared.PerMinute).Answer : null;
    }

    /// <summary>Counts one call about an account, whoever calls and whether it exists or not. Answers 429 by exception.</summary>
    public void TakeForAccount(string what, string email, int perMinute)
    {
        if (options.RateLimits && Next($"{what}\n{Account(email)}") > perMinute) throw Refused(perMinute);
    }

    private long MinuteNow => time.GetUtcNow().Ticks / Window.Ticks;

    private int Next(string key)
    {
        var minute = MinuteNow;
        if (_counts.Count >= PartitionsMax) Sweep(minute);

        // A flood of addresses shares one window rather than memory without end.
        return _counts.GetOrAdd(_counts.Count < PartitionsMax || _counts.ContainsKey(key) ? key : "", _ => new Count()).Next(minute);
    }

    private void Sweep(long minute)
    {
        lock (_sweep)
        {
            foreach (var (key, count) in _counts)
            {
                if (count.At(minute) == 0) _counts.TryRemove(key, out _);
            }
        }
    }

    private static ProblemException Refused(int perMinute) =>
        new(StatusCodes.Status429TooManyRequests, TooMany($"Too many requests — {perMinute} per 1 minute", Window));

    /// <summary>429 with the time after which it is worth another try. Always JSON, also where a page was asked for.</summary>
    public static IResult TooMany(string text, TimeSpan after) => new Limited(text, after);

    /// <summary>Whoever cannot be told apart by address: one household or server has a whole /64 of IPv6.</summary>
    public static string Network(IPAddress? address)
    {
        if (address is null) return "unknown";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, Ipv6NetworkBytes)) : address.ToString();
    }

    private static string Account(string email) => "account\n" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(email.Trim().ToLowerInvariant())));

    private sealed class Limited(string text, TimeSpan after) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return new ProblemResult(StatusCodes.Status429TooManyRequests, text, text, alwaysJson: true).ExecuteAsync(httpContext);
        }
    }

    private sealed class Count
    {
        private readonly Lock _gate = new();
        private long _minute;
        private int _taken;

        public int At(long minute)
        {
            lock (_gate) return _minute == minute ? _taken : 0;
        }

        public int Next(long minute)
        {
            lock (_gate)
            {
                if (_minute != minute) (_minute, _taken) = (minute, 0);
                return ++_taken;
            }
        }
    }
}
