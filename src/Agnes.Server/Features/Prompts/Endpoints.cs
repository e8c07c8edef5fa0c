using Agnes.Server.Features.Prompts.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>What agents are told at the start, which an admin may write differently: how to set up a laptop, and the instructions of a workspace.</summary>
internal static class PromptsFeature
{
    private const long TemplateBytesMax = 2L << 20;

    public static void AddPrompts(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<ServerOptions>();
            return InstanceFacts.Of(SettingLayers.Open(options, provider.GetRequiredService<SecretStore>()));
        });
        services.AddSingleton<PromptValues>();
        services.AddSingleton<WorkspacePrompt>();
        services.AddSingleton<SetupPrompt>();
    }

    public static void MapPrompts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/welcome", ShowWelcome.HandleAsync).Produces<PromptText>().SignedIn().WithTags("prompts")
            .WithSummary("The instructions for the agent in your workspace, as Markdown.");
        MapTemplate(routes, "/api/admin/workspace-prompt-template", "the instructions of a workspace", services => services.GetRequiredService<WorkspacePrompt>());
        MapTemplate(routes, "/api/admin/welcome-template", "the text that sets up a laptop", services => services.GetRequiredService<SetupPrompt>());

        var pages = routes.MapGroup("/admin").ExcludeFromDescription().Admin();
        pages.MapGet("/workspace-prompt", ShowPrompt.WorkspaceAsync);
        pages.MapGet("/agent-prompt", ShowPrompt.SetupAsync);
    }

    private static void MapTemplate(IEndpointRouteBuilder routes, string path, string what, Func<IServiceProvider, Prompt> prompt)
    {
        Prompt Of(HttpContext context) => prompt(context.RequestServices);
        var admin = routes.MapGroup(path).WithTags("prompts").Admin();
        admin.MapGet("", (HttpContext context, ServerOptions options) => ShowTemplate.HandleAsync(context, Of(context), options))
            .Produces<TemplateView>().WithSummary($"The template of {what}, and the shipped one.");
        admin.MapPut("", (HttpContext context, StateDb state) => SaveTemplate.HandleAsync(context, state, Of(context)))
            .Produces<StatusAnswer>().BodyBytesMax(TemplateBytesMax).WithSummary("Put another template in its place.");
        admin.MapDelete("", (HttpContext context, StateDb state) => DeleteTemplate.HandleAsync(context, state, Of(context)))
            .Produces(StatusCodes.Status204NoContent).WithSummary("Go back to the shipped one.");
        admin.MapPost("/preview",
                (HttpContext context, ServerOptions options) => PreviewTemplate.HandleAsync(context, Of(context), options))
            .Produces<PromptText>().OnlyReads().BodyBytesMax(TemplateBytesMax).WithSummary("What a template would say to you.");
        admin.MapPost("/restore", (HttpContext context, StateDb state) => RestoreTemplate.HandleAsync(context, state, Of(context)))
            .Produces<StatusAnswer>().WithSummary("Bring back the text before the last change.");
    }
}
