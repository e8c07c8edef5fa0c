using System.Reflection;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>The instructions that <c>agnes init</c> writes into a workspace: an admin's template, or the shipped one.</summary>
internal sealed partial class WorkspacePrompt(StateDb state, WorkspaceContext context, ILogger<WorkspacePrompt> log)
{
    private const string ShippedName = "prompts/workspace.md";

    /// <summary>What older texts told people to run; none of it exists any more.</summary>
    private static readonly string[] Legacy = ["da analyst setup", "da fetch", "da metrics list", "da metrics show", "da sync", "data/parquet"];

    private static readonly Template Shipped = Template.Parse(ReadShipped());

    /// <exception cref="TemplateException">The admin's template cannot be rendered for this caller.</exception>
    public async Task<string> RenderAsync(Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop)
    {
        var row = await TemplateStore.FindAsync(state, TemplateStore.WorkspaceKey, stop);
        var values = await context.OfAsync(snapshot, caller, serverUrl, stop);
        try
        {
            return row.Content is { } content ? Template.Parse(content).Render(values) : Shipped.Render(values);
        }
        catch (TemplateException fault)
        {
            LogFailed(log, fault.Message);
            throw;
        }
    }

    public async Task<string> RenderShippedAsync(Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop) =>
        Shipped.Render(await context.OfAsync(snapshot, caller, serverUrl, stop));

    public async Task<string> PreviewAsync(string content, Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop) =>
        Template.Parse(content).Render(await context.OfAsync(snapshot, caller, serverUrl, stop));

    /// <summary>Works for whoever may come: an unknown name must show when it is saved, not when somebody sets up a laptop.</summary>
    /// <exception cref="ProblemException">400: it does not.</exception>
    public void Check(string content)
    {
        try
        {
            var template = Template.Parse(content);
            foreach (var sample in context.Samples()) template.Render(sample);
        }
        catch (TemplateException fault)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, $"Template invalid: {fault.Message}");
        }
    }

    public static IEnumerable<string> LegacyIn(string? content) => content is null ? [] : Legacy.Where(text => content.Contains(text, StringComparison.Ordinal));

    private static string ReadShipped()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ShippedName) ?? throw new InvalidOperationException($"{ShippedName} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [LoggerMessage(EventId = 6401, Level = LogLevel.Warning, Message = "The workspace template of an admin cannot be rendered: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
