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
/// Fixed windows of one minute per endpoint and caller's address; where the address does not tell callers apart, per what the call is about: an account, a link, and a wide one
/// for the nearest address that nobody could write into a header. So nobody uses up what somebody else needs. In memory of a fixed size.
/// </summary>
internal sealed class RateLimits(ServerOptions options, TimeProvider time)
{
    /// <summary>Callers fall into them by a hash that is different in every process: a flood can neither fill them nor aim at one.</summary>
    private const int WindowsMax = 1 << 17;
    private const int Ipv6NetworkBytes = 8;

    /// <summary>How many times the usual number come from an address of which a header says that it stands for others: one guest may have written it.</summary>
    internal const int NearestShares = 20;
    private const int CountBits = 24;
    private const long CountMask = (1L << CountBits) - 1;
    private const int HashKeyBytes = 16;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Each the minute and, in the lower bits, how many came in it.</summary>
    private readonly long[] _windows = new long[WindowsMax];
    private readonly byte[] _hashKey = RandomNumberGenerator.GetBytes(HashKeyBytes);

    /// <summary>
    /// Counts one call of the endpoint as it declared, see <see cref="CallLimit"/>: by its address where that stands for one caller, else by what it is about. To be asked
    /// after the body was found valid. Answers 429 by exception.
    /// </summary>
    /// <param name="subject">As the caller sent it; nobody else's call may be about the same by chance. Null: the call is about nothing of anybody's.</param>
    public void Take(HttpContext context, string? subject = null)
    {
        var declared = context.GetEndpoint()?.Metadata.GetMetadata<CallLimit>() ?? throw new InvalidOperationException("The endpoint declares no limit to take from.");
        var client = context.Client();
        if (AddressWindow(declared, context, client) is { } window) Take(window.Key, window.PerMinute);
        if (!client.TellsCallersApart && subject is not null) Take($"{ByAddress(declared, context, client)}\n{Folded(subject)}", declared.PerMinute);
    }

    /// <summary>Before the body is read: nobody has to be listened to who would be refused whatever it says.</summary>
    /// <returns>The refusal of a caller whose minute is used up.</returns>
    public IResult? Spent(HttpContext context)
    {
        if (!options.RateLimits || context.GetEndpoint()?.Metadata.GetMetadata<CallLimit>() is not { } declared) return null;
        if (AddressWindow(declared, context, context.Client()) is not { } counted) return null;
        var window = Volatile.Read(ref WindowOf(counted.Key));
        return window >> CountBits == MinuteNow && (window & CountMask) >= counted.PerMinute ? Refused(counted.PerMinute).Answer : null;
    }

    /// <summary>Counts one call about an account, whoever calls and whether it exists or not. Answers 429 by exception.</summary>
    public void TakeForAccount(string what, string email, int perMinute) => Take($"{what}\naccount\n{Folded(email)}", perMinute);

    private void Take(string key, int perMinute)
    {
        if (options.RateLimits && Next(key) > perMinute) throw Refused(perMinute);
    }

    private long Next(string key)
    {
        ref var window = ref WindowOf(key);
        var minute = MinuteNow;
        while (true)
        {
            var before = Volatile.Read(ref window);
            var after = before >> CountBits == minute ? before + 1 : (minute << CountBits) + 1;
            if (Interlocked.CompareExchange(ref window, after, before) == before) return after & CountMask;
        }
    }

    private long MinuteNow => time.GetUtcNow().Ticks / Window.Ticks;

    private ref long WindowOf(string key)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_hashKey, Encoding.UTF8.GetBytes(key), hash);
        return ref _windows[BinaryPrimitives.ReadUInt32LittleEndian(hash) % WindowsMax];
    }

    private static (string Key, int PerMinute)? AddressWindow(CallLimit declared, HttpContext context, ClientAddress client) => client switch
    {
        { TellsCallersApart: true } => (ByAddress(declared, context, client), declared.PerMinute),
        { IsNearest: true } => ($"{ByAddress(declared, context, client)}\nnearest", (int)Math.Min(int.MaxValue, (long)declared.PerMinute * NearestShares)),
        _ => null,
    };

    private static string ByAddress(CallLimit declared, HttpContext context, ClientAddress client) => $"{declared.CountedAs(context)}\n{Network(client.Address)}";

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
