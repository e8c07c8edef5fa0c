using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>DELETE /api/admin/workspace-prompt-template</c>: the shipped text counts again; the admin's can be restored.</summary>
internal static class DeleteTemplate
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state)
    {
        await SaveTemplate.ChangeAsync(context, state, _ => null, "workspace_prompt.deleted");
        return TypedResults.NoContent();
    }
}
