using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Output;

/// <summary>JSON as this program prints it: two spaces, letters of every language as they are.</summary>
internal static class JsonText
{
    public static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    public static readonly JsonWriterOptions OnOneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void Write(Host host, JsonElement value)
    {
        using (var writer = new Utf8JsonWriter(host.OutBytes, Indented)) value.WriteTo(writer);
        host.Out.Write('\n');
    }

    public static void Write(Host host, JsonNode value)
    {
        using (var writer = new Utf8JsonWriter(host.OutBytes, Indented)) value.WriteTo(writer);
        host.Out.Write('\n');
    }

    public static string Compact(JsonElement value)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, OnOneLine)) value.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}
