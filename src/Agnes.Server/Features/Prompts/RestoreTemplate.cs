using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>POST …/restore</c>: the text before the last change; asked again, it goes back.</summary>
internal static class RestoreTemplate
{
    public static Task<IResult> HandleAsync(HttpContext context, StateDb state, Prompt prompt) => SaveTemplate.ChangeAsync(
        context,
        state,
        prompt,
        row => row.PreviousContent ?? throw new ProblemException(StatusCodes.Status409Conflict, "There is no earlier text."),
        "restored");
}
