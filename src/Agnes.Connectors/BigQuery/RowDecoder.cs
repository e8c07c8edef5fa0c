using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Agnes.Connectors.BigQuery;

/// <summary>Turns one documented row, <c>{"f":[{"v":…}]}</c> with every value a text, into typed cells.</summary>
internal sealed class RowDecoder(IReadOnlyList<BigQueryField> columns, IRowSink sink) : IDisposable
{
    private static readonly JsonWriterOptions Nested = new() { SkipValidation = true, MaxDepth = 64 };
    private readonly ArrayBufferWriter<byte> _json = new();
    private byte[] _text = ArrayPool<byte>.Shared.Rent(4096);

    /// <exception cref="BigQueryException">It is none of these columns'.</exception>
    public void Row(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 128 });
        var column = "";
        try
        {
            Read(ref reader);
            OpenFields(ref reader);
            foreach (var field in columns)
            {
                column = field.Name;
                OpenValue(ref reader);
                if (field.IsNested) Json(ref reader, field);
                else Scalar(ref reader, field);
                Close(ref reader, JsonTokenType.EndObject);
            }

            Close(ref reader, JsonTokenType.EndArray);
            Close(ref reader, JsonTokenType.EndObject);
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException or JsonException or OverflowException)
        {
            throw BigQueryErrors.NotUnderstood($"a value of the column '{column}'", malformed);
        }

        sink.EndRow();
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_text);
        _text = [];
    }

    private void Scalar(ref Utf8JsonReader reader, BigQueryField field)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            sink.Null();
            return;
        }

        var text = Text(ref reader);
        switch (field.Type)
        {
            case "INT64":
                sink.Int64(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
                break;
            case "FLOAT64":
                sink.Double(Number(text));
                break;
            case "BOOL":
                sink.Bool(Truth(text));
                break;
            case "NUMERIC":
                var (unscaled, scale) = Civil.Numeric(text);
                sink.Decimal(unscaled, scale);
                break;
            case "BYTES":
                sink.Bytes(Decoded(text.Length));
                break;
            case "DATE":
                sink.Date(Civil.Days(text));
                break;
            case "TIME":
                sink.Time(Civil.TimeMicros(text));
                break;
            case "DATETIME":
                sink.DateTime(Civil.DateTimeMicros(text));
                break;
            case "TIMESTAMP":
                sink.Timestamp(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
                break;
            case "JSON":
                sink.Json(text);
                break;
            default:
                sink.Text(text);
                break;
        }
    }

    private void Json(ref Utf8JsonReader reader, BigQueryField field)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            sink.Null();
            return;
        }

        _json.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_json, Nested)) Value(ref reader, field, writer);
        sink.Json(_json.WrittenSpan);
    }

    private void Value(ref Utf8JsonReader reader, BigQueryField field, Utf8JsonWriter writer)
    {
        if (!field.IsRepeated)
        {
            One(ref reader, field, writer);
            return;
        }

        if (reader.TokenType == JsonTokenType.Null)
        {
            writer.WriteNullValue();
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray) throw new FormatException("An array is missing.");
        writer.WriteStartArray();
        while (true)
        {
            Read(ref reader);
            if (reader.TokenType == JsonTokenType.EndArray) break;
            OpenValueHere(ref reader);
            One(ref reader, field, writer);
            Close(ref reader, JsonTokenType.EndObject);
        }

        writer.WriteEndArray();
    }

    private void One(ref Utf8JsonReader reader, BigQueryField field, Utf8JsonWriter writer)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            writer.WriteNullValue();
            return;
        }

        if (field.Type != "STRUCT")
        {
            Leaf(Text(ref reader), field.Type, writer);
            return;
        }

        OpenFields(ref reader);
        writer.WriteStartObject();
        foreach (var part in field.Fields)
        {
            writer.WritePropertyName(part.Name);
            OpenValue(ref reader);
            Value(ref reader, part, writer);
            Close(ref reader, JsonTokenType.EndObject);
        }

        Close(ref reader, JsonTokenType.EndArray);
        Close(ref reader, JsonTokenType.EndObject);
        writer.WriteEndObject();
    }

    /// <summary>So that the engine's cast of JSON loses nothing: exact numbers are texts, instants are written out.</summary>
    private static void Leaf(ReadOnlySpan<byte> text, string type, Utf8JsonWriter writer)
    {
        switch (type)
        {
            case "INT64":
                writer.WriteNumberValue(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
                break;
            case "BOOL":
                writer.WriteBooleanValue(Truth(text));
                break;
            case "FLOAT64" when double.IsFinite(Number(text)):
                writer.WriteNumberValue(Number(text));
                break;
            case "FLOAT64":
                writer.WriteStringValue(
                    Number(text) switch { double.PositiveInfinity => "Infinity", double.NegativeInfinity => "-Infinity", _ => "NaN" });
                break;
            case "TIMESTAMP":
                writer.WriteStringValue(Civil.Instant(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)));
                break;
            case "JSON":
                writer.WriteRawValue(text, skipInputValidation: false);
                break;
            default:
                writer.WriteStringValue(text);
                break;
        }
    }

    /// <summary>Decodes the first bytes of the buffer in place: what is decoded is shorter.</summary>
    private ReadOnlySpan<byte> Decoded(int length)
    {
        var status = Base64.DecodeFromUtf8InPlace(_text.AsSpan(0, length), out var written);
        return status == OperationStatus.Done ? _text.AsSpan(0, written) : throw new FormatException("No base64.");
    }

    private static double Number(ReadOnlySpan<byte> text) => text switch
    {
        _ when text.SequenceEqual("NaN"u8) => double.NaN,
        _ when text.SequenceEqual("Infinity"u8) || text.SequenceEqual("+Infinity"u8) || text.SequenceEqual("inf"u8) =>
            double.PositiveInfinity,
        _ when text.SequenceEqual("-Infinity"u8) || text.SequenceEqual("-inf"u8) => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static bool Truth(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("true"u8) || (text.SequenceEqual("false"u8) ? false : throw new FormatException("Neither true nor false."));

    /// <summary>A scalar's text without escapes, in a buffer of this decoder.</summary>
    private ReadOnlySpan<byte> Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False))
        {
            throw new FormatException("A value is missing.");
        }
        if (_text.Length < reader.ValueSpan.Length)
        {
            ArrayPool<byte>.Shared.Return(_text);
            _text = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        }

        if (reader.TokenType == JsonTokenType.String) return _text.AsSpan(0, reader.CopyString(_text));
        reader.ValueSpan.CopyTo(_text);
        return _text.AsSpan(0, reader.ValueSpan.Length);
    }

    private static void OpenFields(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new FormatException("A struct is missing.");
        Read(ref reader);
        if (!reader.ValueTextEquals("f"u8)) throw new FormatException("The fields of a struct are missing.");
        Close(ref reader, JsonTokenType.StartArray);
    }

    private static void OpenValue(ref Utf8JsonReader reader)
    {
        Read(ref reader);
        OpenValueHere(ref reader);
    }

    private static void OpenValueHere(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new FormatException("A cell is missing.");
        Read(ref reader);
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("v"u8))
        {
            throw new FormatException("The value of a cell is missing.");
        }
        Read(ref reader);
    }

    private static void Close(ref Utf8JsonReader reader, JsonTokenType wanted)
    {
        Read(ref reader);
        if (reader.TokenType != wanted) throw new FormatException($"{wanted} is missing.");
    }

    private static void Read(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) throw new FormatException("The row has no end.");
    }
}
