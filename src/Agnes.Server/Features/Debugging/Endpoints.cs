using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Debugging;

/// <summary>Fails on demand, to see what a fault looks like to people and programs. There only while <c>DEBUG</c> is on.</summary>
internal static class DebuggingFeature
{
    private const string TextDefault = "Thrown on demand.";

    public static void MapDebugging(this IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<ServerOptions>().Debug) return;
        routes.MapGet("/api/debug/throw", IResult (string? kind, string? msg) => throw Fault(kind, msg ?? TextDefault)).ExcludeFromDescription().SignedIn();
        var pages = routes.MapGroup("/_debug/throw").ExcludeFromDescription().Public();
        pages.MapGet("/http/{code:int:range(400,599)}", (int code) => Problem.Detail(code, TextDefault));
        pages.MapGet("/exc", IResult () => throw Fault(null, TextDefault));
    }

    /// <summary>By the names that clients of the original know.</summary>
    private static Exception Fault(string? kind, string text) => kind switch
    {
        "ValueError" => new ArgumentException(text),
        "ZeroDivisionError" => new DivideByZeroException(text),
        "KeyError" => new KeyNotFoundException(text),
        "TypeError" => new InvalidCastException(text),
        null or "RuntimeError" => new InvalidOperationException(text),
        _ => new ProblemException(StatusCodes.Status422UnprocessableEntity, "kind must be RuntimeError, ValueError, ZeroDivisionError, KeyError or TypeError."),
    };
}
