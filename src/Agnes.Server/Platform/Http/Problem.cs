using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Http;

/// <summary>The one way to answer with an error: <c>{"detail": …}</c>, or a page where a person is looking.</summary>
public static class Problem
{
    /// <summary>An error with a text that tells the caller what to do next.</summary>
    public static IResult TooLarge() => Detail(StatusCodes.Status413PayloadTooLarge, "The request's body is larger than this endpoint accepts.");

    public static IResult Detail(int status, string detail) => new ProblemResult(status, JsonValue.Create(detail), detail);

    /// <summary>An error with a structured detail, for callers that branch on it.</summary>
    public static IResult Detail(int status, JsonNode detail) => new ProblemResult(status, detail, (detail as JsonObject)?["message"]?.ToString());

    /// <summary>The shape <c>{"detail":{"code","message"}}</c>.</summary>
    public static IResult Code(int status, string code, string message) =>
        Detail(status, new JsonObject { ["code"] = code, ["message"] = message });

    public static IResult NotFound(string detail) => Detail(StatusCodes.Status404NotFound, detail);
}

/// <summary>
/// Leaves a handler, and a state transaction with it, with an error answer. To be thrown where a result cannot be returned:
/// inside a unit of work, or deep in a parser.
/// </summary>
public sealed class ProblemException : Exception
{
    public ProblemException(int status, string detail)
        : base(detail)
    {
        Status = status;
        Answer = Problem.Detail(status, detail);
    }

    public ProblemException(int status, string code, string message)
        : base(message)
    {
        Status = status;
        Answer = Problem.Code(status, code, message);
    }

    internal ProblemException(int status, IResult answer)
        : base($"Answered with status {status}.")
    {
        Status = status;
        Answer = answer;
    }

    public int Status { get; }

    public IResult Answer { get; }

    /// <summary>For an answer that lists several faults.</summary>
    public JsonNode? Detail => (Answer as ProblemResult)?.Body?.DeepClone();
}

/// <summary>Writes the error in the form that the path and the caller's <c>Accept</c> ask for.</summary>
internal sealed class ProblemResult(int status, JsonNode? detail, string? text, bool alwaysJson = false) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public JsonNode? Body => detail;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var request = httpContext.Request;
        var response = httpContext.Response;
        if (!alwaysJson && !ApiPaths.IsApi(request.Path))
        {
            if (status == StatusCodes.Status401Unauthorized && HttpMethods.IsGet(request.Method))
            {
                response.Redirect($"/login?next={Uri.EscapeDataString($"{request.PathBase}{request.Path}{request.QueryString}")}");
                return;
            }

            if (ApiPaths.WantsHtml(request))
            {
                await httpContext.RequestServices.GetRequiredService<ErrorPage>()(httpContext, status, text ?? "");
                return;
            }
        }

        response.StatusCode = status;
        var body = new JsonObject { ["detail"] = detail?.DeepClone() };
        if (status >= StatusCodes.Status500InternalServerError) body["request_id"] = httpContext.TraceIdentifier;
        await JsonBody.WriteAsync(httpContext, body);
    }
}

/// <summary>Which paths belong to programs rather than people.</summary>
internal static class ApiPaths
{
    private static readonly string[] Prefixes = ["/api/", "/auth/", "/marketplace.zip", "/marketplace.git", "/marketplace/", "/openapi/"];

    public static bool IsApi(PathString path)
    {
        var value = path.Value ?? "";
        foreach (var prefix in Prefixes)
        {
            if (value.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    public static bool WantsHtml(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
