using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>GET /api/welcome?server_url=</c>: <c>{"content": markdown}</c>.</summary>
internal static class ShowWelcome
{
    public static async Task<IResult> HandleAsync(HttpContext context, WorkspacePrompt prompt, ServerOptions options, string? server_url = null)
    {
        var url = ServerAddresses.Accept(context, options, server_url);
        try
        {
            var rendered = await prompt.RenderAsync(context.Snapshot(), context.Caller(), url, context.RequestAborted);
            return JsonBody.Of(new PromptText(rendered), PromptsJson.Default.PromptText);
        }
        catch (TemplateException fault)
        {
            return Problem.Detail(StatusCodes.Status500InternalServerError, $"Template render error: {fault.Message}");
        }
    }
}
