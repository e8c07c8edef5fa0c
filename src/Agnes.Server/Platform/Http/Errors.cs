using System.Text.Json.Nodes;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Http;

/// <summary>Turns what a handler throws into an answer. What was not foreseen is logged in full and answered with its reference only.</summary>
internal sealed partial class Errors(RequestDelegate next, ServerOptions options, ILogger<Errors> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            LogGone(log, context.Request.Method, context.Request.Path);
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, failure);
        }
    }

    private Task AnswerAsync(HttpContext context, Exception failure)
    {
        var retryAfter = context.Response.Headers.RetryAfter;
        context.Response.Clear();
        Conventions.Stamp(context);
        switch (failure)
        {
            case ProblemException problem:
                context.Response.Headers.RetryAfter = retryAfter; // said by whoever made the answer
                return problem.Answer.ExecuteAsync(context);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return Problem.TooLarge().ExecuteAsync(context);
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                context.Response.Headers.Connection = "close"; // the rest of the body may come when it likes
                return Problem.Detail(StatusCodes.Status408RequestTimeout, "The request's body took too long to arrive. Send it again over a faster line.").ExecuteAsync(context);
            case BadHttpRequestException bad:
                return Problem.Detail(bad.StatusCode, "The request could not be read.").ExecuteAsync(context);
            case StateConflictException conflict:
                return Problem.Detail(StatusCodes.Status409Conflict, conflict.Message).ExecuteAsync(context);
            case StateUnavailableException unavailable:
                LogUnavailable(log, context.Request.Method, context.Request.Path, unavailable);
                context.Response.Headers.RetryAfter = "1";
                return Problem.Detail(StatusCodes.Status503ServiceUnavailable, Unavailable(unavailable.Reason)).ExecuteAsync(context);
            case PartDamagedException damaged:
                LogDamaged(log, context.Request.Method, context.Request.Path, damaged);
                return Problem.Detail(StatusCodes.Status503ServiceUnavailable, damaged.Message).ExecuteAsync(context);
            default:
                LogUnhandled(log, context.Request.Method, context.Request.Path, failure);
                return UnhandledAsync(context, failure);
        }
    }

    private static string Unavailable(StateFailure reason) => reason switch
    {
        StateFailure.DiskFull => "The disk that holds the state is full: nothing was changed. Free space and try again; reading goes on.",
        StateFailure.OutcomeUnknown => "The connection to the state broke while saving: look whether the change is there before you repeat it.",
        StateFailure.Overloaded => "Too many changes are waiting: nothing was changed. Try again shortly.",
        _ => "The state cannot be written at the moment: nothing was changed. Try again shortly.",
    };

    private Task UnhandledAsync(HttpContext context, Exception failure)
    {
        const string Message = "Internal server error";
        if (ApiPaths.IsNavigation(context.Request) || (!ApiPaths.IsApi(context.Request.Path) && ApiPaths.WantsHtml(context.Request)))
        {
            var show = context.RequestServices.GetRequiredService<ErrorPage>();
            return show(context, StatusCodes.Status500InternalServerError, options.Debug ? Redactor.Redact(failure.Message) : Message);
        }

        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        var body = new JsonObject { ["detail"] = Message, ["request_id"] = context.TraceIdentifier };
        if (options.Debug) body["error"] = Redactor.Redact(failure.Message);
        return JsonBody.WriteAsync(context, body);
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "{Method} {Path} failed.")]
    private static partial void LogUnhandled(ILogger log, string method, string path, Exception failure);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "{Method} {Path}: the state could not be written.")]
    private static partial void LogUnavailable(ILogger log, string method, string path, Exception failure);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Error, Message = "{Method} {Path}: a part of a table is not what was published.")]
    private static partial void LogDamaged(ILogger log, string method, string path, Exception failure);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Debug, Message = "{Method} {Path}: the client went away.")]
    private static partial void LogGone(ILogger log, string method, string path);
}
