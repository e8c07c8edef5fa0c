using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Prompts;

/// <summary>What agents are told at the start: the instructions of a workspace, which an admin may write differently.</summary>
internal static class PromptsFeature
{
    private const long TemplateBytesMax = 2L << 20;

    public static void AddPrompts(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<ServerOptions>();
            return InstanceFacts.Of(InstanceConfig.Load(options.ConfigDir, options.StateDir, options.Variables), options.Variables);
        });
        services.AddSingleton<WorkspaceContext>();
        services.AddSingleton<WorkspacePrompt>();
    }

    public static void MapPrompts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/welcome", ShowWelcome.HandleAsync).SignedIn().WithTags("prompts").WithSummary("The instructions for the agent in your workspace, as Markdown.");
        var admin = routes.MapGroup("/api/admin/workspace-prompt-template").WithTags("prompts").Admin();
        admin.MapGet("", ShowTemplate.HandleAsync).WithSummary("The template of those instructions, and the shipped one.");
        admin.MapPut("", SaveTemplate.HandleAsync).BodyBytesMax(TemplateBytesMax).WithSummary("Put another template in its place.");
        admin.MapDelete("", DeleteTemplate.HandleAsync).WithSummary("Go back to the shipped one.");
        admin.MapPost("/preview", PreviewTemplate.HandleAsync).BodyBytesMax(TemplateBytesMax).WithSummary("What a template would say to you.");
        admin.MapPost("/restore", RestoreTemplate.HandleAsync).WithSummary("Bring back the text before the last change.");
    }
}
