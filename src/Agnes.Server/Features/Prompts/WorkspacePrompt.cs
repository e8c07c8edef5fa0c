using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>The instructions that <c>agnes init</c> writes into a workspace.</summary>
internal sealed class WorkspacePrompt(StateDb state, PromptValues values, ILogger<WorkspacePrompt> log) : Prompt(state, log, "workspace.md")
{
    private static readonly string[] Legacy = ["da analyst setup", "da fetch", "da metrics list", "da metrics show", "da sync", "data/parquet"];

    public override string Key => "claude_md";

    public override string AuditName => "workspace_prompt";

    /// <exception cref="TemplateException">The admin's template cannot be rendered for this caller.</exception>
    public async Task<string> RenderAsync(Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop)
    {
        var row = await FindAsync(stop);
        try
        {
            return row.Content is { } content ? await PreviewAsync(content, snapshot, caller, serverUrl, stop) : await ShippedAsync(snapshot, caller, serverUrl, stop);
        }
        catch (TemplateException fault)
        {
            LogFailed(fault);
            throw;
        }
    }

    public override async Task<IReadOnlyDictionary<string, object?>> ValuesAsync(Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop) =>
        await values.WorkspaceAsync(snapshot, caller ?? throw new ArgumentNullException(nameof(caller)), serverUrl, stop);

    public override IReadOnlyList<string> LegacyIn(string? content) => content is null ? [] : [.. Legacy.Where(text => content.Contains(text, StringComparison.Ordinal))];

    protected override IEnumerable<(IReadOnlyDictionary<string, object?>, string)> Samples() => values.WorkspaceSamples().Select(sample => ((IReadOnlyDictionary<string, object?>)sample, ""));
}
