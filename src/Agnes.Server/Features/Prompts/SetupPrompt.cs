using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>
/// What a person pastes into their coding agent to set up a laptop. <c>{server_url}</c> and <c>{token}</c> in single braces stay as they are: the page fills them in, so that no
/// token is ever rendered by the server.
/// </summary>
internal sealed class SetupPrompt(StateDb state, PromptValues values, ILogger<SetupPrompt> log) : Prompt(state, log, "setup.md")
{
    private const string ServerUrlPlace = "{server_url}";

    public override string Key => "welcome";

    public override string AuditName => "setup_prompt";

    /// <summary>With the server's address, and with <c>{token}</c> still to be filled in. An admin's text that cannot be rendered gives way to the shipped one.</summary>
    public async Task<string> RenderAsync(Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop)
    {
        var row = await FindAsync(stop);
        try
        {
            if (row.Content is { } content) return Fill(await PreviewAsync(content, snapshot, caller, serverUrl, stop), serverUrl);
        }
        catch (TemplateException fault)
        {
            LogFailed(fault);
        }
        return Fill(await ShippedAsync(snapshot, caller, serverUrl, stop), serverUrl);
    }

    public override Task<IReadOnlyDictionary<string, object?>> ValuesAsync(Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop) =>
        Task.FromResult<IReadOnlyDictionary<string, object?>>(values.Setup(snapshot, caller, serverUrl));

    protected override IEnumerable<(IReadOnlyDictionary<string, object?>, string)> Samples() => values.SetupSamples().Select(sample => ((IReadOnlyDictionary<string, object?>)sample, sample["user"] is null
        ? ", for anonymous visitors: they read this text, too, and have no 'user'. Write {% if user %}…{% endif %} around what needs one"
        : ""));

    private static string Fill(string text, string serverUrl) => text.Replace(ServerUrlPlace, serverUrl, StringComparison.Ordinal);
}
