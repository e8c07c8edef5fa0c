using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// Fixed windows of one minute per endpoint and caller's address; where the address does not tell callers apart, per what the call is about: an account, a link. So nobody
/// uses up what somebody else needs. In memory of a fixed size.
/// </summary>
internal sealed class RateLimits(ServerOptions options, TimeProvider time)
{
    /// <summary>Callers fall into them by a hash that is different in every process: a flood can neither fill them nor aim at one.</summary>
    private const int WindowsMax = 1 << 17;
    private const int Ipv6NetworkBytes = 8;
    private const int CountBits = 24;
    private const int HashKeyBytes = 16;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Each the minute and, in the lower bits, how many came in it.</summary>
    private readonly long[] _windows = new long[WindowsMax];
    private readonly byte[] _hashKey = RandomNumberGenerator.GetBytes(HashKeyBytes);

    /// <summary>Counts one call by its address, where that stands for one caller. Answers 429 by exception.</summary>
    public void Take(HttpContext context, string endpoint, int perMinute)
    {
        if (context.Client() is { TellsCallersApart: true } client) Take($"{endpoint}\n{Network(client.Address)}", perMinute);
    }

    /// <summary>Counts one call by what it is about, where its address does not stand for one caller. To be asked beside <see cref="Take(HttpContext, string, int)"/>.</summary>
    /// <param name="subject">As the caller sent it; nobody else's call may be about the same by chance.</param>
    public void TakeFor(HttpContext context, string endpoint, string subject, int perMinute)
    {
        if (context.Client() is { TellsCallersApart: false } client) Take($"{endpoint}\n{Network(client.Address)}\n{Folded(subject)}", perMinute);
    }

    /// <summary>Counts one call about an account, whoever calls and whether it exists or not. Answers 429 by exception.</summary>
    public void TakeForAccount(string what, string email, int perMinute) => Take($"{what}\naccount\n{Folded(email)}", perMinute);

    private void Take(string key, int perMinute)
    {
        if (options.RateLimits && Next(key) > perMinute) throw Refused(perMinute);
    }

    private long Next(string key)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_hashKey, Encoding.UTF8.GetBytes(key), hash);
        ref var window = ref _windows[BinaryPrimitives.ReadUInt32LittleEndian(hash) % WindowsMax];
        var minute = time.GetUtcNow().Ticks / Window.Ticks;
        while (true)
        {
            var before = Volatile.Read(ref window);
            var after = before >> CountBits == minute ? before + 1 : (minute << CountBits) + 1;
            if (Interlocked.CompareExchange(ref window, after, before) == before) return after & ((1L << CountBits) - 1);
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

    private static string Folded(string text) => text.Trim().ToLowerInvariant();

    private sealed class Limited(string text, TimeSpan after) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return new ProblemResult(StatusCodes.Status429TooManyRequests, text, text, alwaysJson: true).ExecuteAsync(httpContext);
        }
    }
}
