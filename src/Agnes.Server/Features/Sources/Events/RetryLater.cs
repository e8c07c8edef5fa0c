using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>What is refused for want of room is sent again by its sender, who is told when.</summary>
internal sealed class RetryLater : IResult, IStatusCodeHttpResult
{
    private const string Seconds = "5";

    public int? StatusCode => StatusCodes.Status503ServiceUnavailable;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.RetryAfter = Seconds;
        return Problem.Detail(StatusCodes.Status503ServiceUnavailable, "There is no room to keep it. Send it again in a moment.").ExecuteAsync(httpContext);
    }
}
