using System.Globalization;
using System.Text;
using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.BigQuery;

/// <summary>Rows of BigQuery into files of the engine's.</summary>
internal sealed class AnswerSink(AnswerFiles answer, CancellationToken cancellation) : IRowSink
{
    private const int DecimalCharactersMax = 48; // 39 digits, a sign, a point

    public void Null() => answer.Null();

    public void Bool(bool value) => answer.Boolean(value);

    public void Int64(long value) => answer.Integer(value);

    public void Double(double value) => answer.Float(value);

    public void Text(ReadOnlySpan<byte> utf8) => answer.Utf8(utf8);

    public void Bytes(ReadOnlySpan<byte> value) => answer.Bytes(value);

    public void Decimal(Int128 unscaled, int scale)
    {
        var digits = Int128.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        Span<byte> text = stackalloc byte[DecimalCharactersMax];
        var length = 0;
        if (unscaled < 0) text[length++] = (byte)'-';
        length += Encoding.ASCII.GetBytes(digits.AsSpan(0, digits.Length - scale), text[length..]);
        if (scale > 0)
        {
            text[length++] = (byte)'.';
            length += Encoding.ASCII.GetBytes(digits.AsSpan(digits.Length - scale), text[length..]);
        }

        answer.Utf8(text[..length]);
    }

    public void Date(int days) => answer.Date(days);

    public void Time(long micros) => answer.Time(micros);

    public void DateTime(long micros) => answer.Timestamp(micros);

    public void Timestamp(long micros) => answer.Timestamp(micros);

    public void Json(ReadOnlySpan<byte> utf8) => answer.Utf8(utf8);

    public void EndRow() => answer.EndRow(cancellation);
}
