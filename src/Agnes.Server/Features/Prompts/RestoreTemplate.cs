using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>POST /api/admin/workspace-prompt-template/restore</c>: the text before the last change; asked again, it goes back.</summary>
internal static class RestoreTemplate
{
    public static Task<IResult> HandleAsync(HttpContext context, StateDb state) => SaveTemplate.ChangeAsync(
        context,
        state,
        row => row.PreviousContent ?? throw new ProblemException(StatusCodes.Status409Conflict, "There is no earlier text."),
        "workspace_prompt.restored");
}
