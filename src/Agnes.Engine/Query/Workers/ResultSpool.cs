namespace Agnes.Engine.Query.Workers;

/// <summary>
/// Collects the bytes of a response and hands them on. Nothing leaves before the first mebibyte is there or the statement has succeeded, so that a failure
/// while rows are still being made leaves the response unwritten; beyond that memory stays small.
/// </summary>
internal sealed class ResultSpool(Action<ReadOnlySpan<byte>> send)
{
    public const int HoldBytesMax = 1 << 20;
    private const int SendBytes = 256 << 10;

    private readonly JsonBuffer _json = new(64 << 10);
    private long _sent;
    private long _bytesMax;

    public JsonBuffer Json => _json;

    public void Start(long bytesMax)
    {
        _json.Shrink(HoldBytesMax);
        _json.LengthMax = bytesMax;
        _bytesMax = bytesMax;
        _sent = 0;
    }

    /// <summary>To be called between rows.</summary>
    /// <exception cref="ResultTooLargeException">The response is longer than allowed.</exception>
    public void AfterRow()
    {
        if (_json.Length < SendBytes) return;
        if (_sent + _json.Length > _bytesMax) throw new ResultTooLargeException();
        if (_sent == 0 && _json.Length < HoldBytesMax) return;
        Send();
    }

    public void Finish()
    {
        if (_sent + _json.Length > _bytesMax) throw new ResultTooLargeException();
        Send();
    }

    private void Send()
    {
        var rest = _json.Written;
        _sent += rest.Length;
        while (rest.Length > 0)
        {
            var next = Math.Min(rest.Length, SendBytes);
            send(rest[..next]);
            rest = rest[next..];
        }
        _json.Clear();
    }
}
