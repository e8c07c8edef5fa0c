using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Agnes.Protocol;

namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>The first line to a broker, and the only one that holds what is secret.</summary>
/// <param name="Kind">Which engine it opens.</param>
/// <param name="AllowedPrivateHosts">Hosts that may be in this machine's own network.</param>
internal sealed record BrokerStart(
    string Kind, string Connection, IReadOnlyDictionary<string, string> Options, IReadOnlyList<string> AllowedPrivateHosts)
{
    /// <summary>Files and folders that it may read besides its own folder.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];
}

internal enum BrokerOperation
{
    Describe,
    Estimate,
    Answer,
    List,

    /// <summary>Ends the call of that number; it is answered by that call's own end.</summary>
    Cancel,
}

/// <summary>A line to a broker.</summary>
/// <param name="Number">Of the call; its answer has the same.</param>
/// <param name="Folder">The name of the folder for the answer, below the broker's own.</param>
internal sealed record BrokerCall(
    long Number, BrokerOperation Operation, string? Relation = null, RemoteQuestion? Question = null, string? Folder = null,
        RemoteListing? Listing = null);

/// <summary>A line from a broker. The first one has the number 0 and says that the connection is open, or why it is not.</summary>
internal sealed record BrokerReply(
    long Number,
    RemoteDescription? Description = null,
    RemoteEstimate? Estimate = null,
    IReadOnlyList<RemoteRelation>? Relations = null,
    BrokerFault? Fault = null,
    bool IsCancelled = false);

internal sealed record BrokerFault(
    RemoteFault Of, string Message, RemoteScan? Scan = null, RemoteFailure? Failure = null, bool IsPassing = false,
    bool IsMissing = false, bool IsForbidden = false, bool IsTooLarge = false)
{
    public static BrokerFault From(RemoteException failure) =>
        new(failure.Fault, failure.Message, failure.Scan, failure.Failure, failure.IsPassing, failure.IsMissing, failure.IsForbidden,
            failure.IsTooLarge);

    public RemoteException ToException() => new(Of, Message)
    {
        Scan = Scan,
        Failure = Failure,
        IsPassing = IsPassing,
        IsMissing = IsMissing,
        IsForbidden = IsForbidden,
        IsTooLarge = IsTooLarge,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BrokerStart))]
[JsonSerializable(typeof(BrokerCall))]
[JsonSerializable(typeof(BrokerReply))]
internal sealed partial class BrokerJson : JsonSerializerContext;

/// <summary>Lines of JSON, one message each, in both directions. Both ends are the same binary, so there are no versions.</summary>
internal static class BrokerLines
{
    /// <summary>
    /// A statement and the columns of its tables come nowhere near it; a longer line means that the other end is not sane.
    /// </summary>
    private const int LineBytesMax = 32 << 20;

    public static async Task SendAsync<T>(Stream output, SemaphoreSlim sending, T message, JsonTypeInfo<T> type)
    {
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line)) JsonSerializer.Serialize(json, message, type);
        line.Write("\n"u8);
        await sending.WaitAsync(CancellationToken.None);
        try
        {
            await output.WriteAsync(line.WrittenMemory, CancellationToken.None);
            await output.FlushAsync(CancellationToken.None);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <returns>Null at the end.</returns>
    /// <exception cref="InvalidDataException">What came is no message.</exception>
    public static async Task<T?> ReadAsync<T>(PipeReader input, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellation);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var message = Parsed(read.Buffer.Slice(0, end), type);
                input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return message;
            }

            if (read.Buffer.Length > LineBytesMax) throw new InvalidDataException("A broker's line is too long.");
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) return null;
        }
    }

    private static T Parsed<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref json, type) ?? throw new InvalidDataException("A broker's line is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("A broker's line is no message.", e);
        }
    }
}
