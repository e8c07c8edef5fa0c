using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>DELETE</c> of a template: the shipped text counts again; the admin's can be restored.</summary>
internal static class DeleteTemplate
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, Prompt prompt)
    {
        await SaveTemplate.ChangeAsync(context, state, prompt, _ => null, "deleted");
        return TypedResults.NoContent();
    }
}
