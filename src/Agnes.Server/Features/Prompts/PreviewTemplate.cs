using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>POST …/preview</c> <c>{"content"}</c>: rendered for the caller, not stored.</summary>
internal static class PreviewTemplate
{
    public static async Task<IResult> HandleAsync(HttpContext context, Prompt prompt, ServerOptions options)
    {
        var content = await SaveTemplate.ReadAsync(context);
        try
        {
            var rendered = await prompt.PreviewAsync(content, context.Snapshot(), context.Caller(), ServerAddresses.Accept(context, options, null), context.RequestAborted);
            return JsonBody.Of(new PromptText(rendered), PromptsJson.Default.PromptText);
        }
        catch (TemplateException fault)
        {
            return Problem.Detail(StatusCodes.Status400BadRequest, $"Template invalid: {fault.Message}");
        }
    }
}
