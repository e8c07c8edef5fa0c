using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Access;

/// <summary>Fixed windows of one minute per endpoint and caller's address, and per account for wrong passwords. In memory, bounded.</summary>
internal sealed class RateLimits(ServerOptions options, TimeProvider time)
{
    public const int PartitionsMax = 20_000;
    private const int WrongPasswordsMax = 10;
    private const int Ipv6NetworkBytes = 8;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Count> _counts = new(StringComparer.Ordinal);
    private readonly Lock _sweep = new();

    /// <summary>Counts one call. To be asked after the body was found valid. Answers 429 by exception.</summary>
    public void Take(HttpContext context, string endpoint, int perMinute)
    {
        if (options.RateLimits && Next($"{endpoint}\n{Network(context.Connection.RemoteIpAddress)}") > perMinute) throw Refused(context, perMinute);
    }

    /// <summary>Counts one call about an account, whoever calls and whether it exists or not. Answers 429 by exception.</summary>
    public void TakeForAccount(HttpContext context, string what, string email, int perMinute)
    {
        if (options.RateLimits && Next($"{what}\n{Account(email)}") > perMinute) throw Refused(context, perMinute);
    }

    /// <summary>Refuses further guesses at an account, from wherever they come.</summary>
    public void RefuseGuesses(HttpContext context, string email)
    {
        if (options.RateLimits && _counts.TryGetValue(Account(email), out var count) && count.At(MinuteNow) >= WrongPasswordsMax) throw Refused(context, WrongPasswordsMax);
    }

    /// <summary>Counts a wrong password for the account.</summary>
    public void CountWrongPassword(string email)
    {
        if (options.RateLimits) Next(Account(email));
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

    private static ProblemException Refused(HttpContext context, int perMinute)
    {
        return new ProblemException(StatusCodes.Status429TooManyRequests, new Limited($"Too many requests — {perMinute} per 1 minute"));
    }

    /// <summary>One household or server has a whole /64 of IPv6.</summary>
    private static string Network(IPAddress? address)
    {
        if (address is null) return "unknown";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, Ipv6NetworkBytes)) : address.ToString();
    }

    private static string Account(string email) => "account\n" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(email.Trim().ToLowerInvariant())));

    private sealed class Limited(string text) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = "60";
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
