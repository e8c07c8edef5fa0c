using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Agnes.Server.Platform.Http;

/// <summary>Writes JSON answers in one piece, so that their length is known (small ones are not compressed) and no half body is ever sent.</summary>
public static class JsonBody
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An answer from a source-generated type.</summary>
    public static IResult Of<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => new Result<T>(value, type, status);

    /// <summary>An answer whose shape is put together by hand.</summary>
    public static IResult Of(JsonNode value, int status = StatusCodes.Status200OK) => new NodeResult(value, status);

    internal static async Task WriteAsync(HttpContext context, JsonNode value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        await using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            value.WriteTo(writer);
        }

        await SendAsync(context, buffer.WrittenMemory);
    }

    private static Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (response.Headers.CacheControl.Count == 0) response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private sealed class Result<T>(T value, JsonTypeInfo<T> type, int status) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => status;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            var buffer = new ArrayBufferWriter<byte>(1024);
            await using (var writer = new Utf8JsonWriter(buffer, Options))
            {
                JsonSerializer.Serialize(writer, value, type);
            }

            await SendAsync(httpContext, buffer.WrittenMemory);
        }
    }

    private sealed class NodeResult(JsonNode value, int status) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => status;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            return WriteAsync(httpContext, value);
        }
    }
}
