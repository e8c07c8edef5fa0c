using System.Reflection;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>A text for agents that an admin may write differently: the stored template, or the shipped one.</summary>
internal abstract partial class Prompt
{
    private readonly StateDb _state;
    private readonly ILogger _log;
    private readonly Template _shipped;

    /// <param name="shippedName">A file of this folder. A fault in it is one of the build.</param>
    protected Prompt(StateDb state, ILogger log, string shippedName)
    {
        (_state, _log, ShippedSource) = (state, log, ReadShipped(shippedName));
        _shipped = Template.Parse(ShippedSource);
    }

    /// <summary>The row of <c>instance_templates</c>.</summary>
    public abstract string Key { get; }

    /// <summary>What actions in the audit log begin with.</summary>
    public abstract string AuditName { get; }

    public string ShippedSource { get; }

    public Task<TemplateRow> FindAsync(CancellationToken stop) => TemplateStore.FindAsync(_state, Key, stop);

    /// <param name="caller">Null: somebody who has not signed in.</param>
    public abstract Task<IReadOnlyDictionary<string, object?>> ValuesAsync(Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop);

    public async Task<string> ShippedAsync(Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop) => _shipped.Render(await ValuesAsync(snapshot, caller, serverUrl, stop));

    /// <exception cref="TemplateException">It cannot be rendered.</exception>
    public async Task<string> PreviewAsync(string content, Snapshot snapshot, Caller? caller, string serverUrl, CancellationToken stop) =>
        Template.Parse(content).Render(await ValuesAsync(snapshot, caller, serverUrl, stop));

    /// <summary>Works for whoever may come: an unknown name must show when it is saved, not when somebody sets up a laptop.</summary>
    /// <exception cref="ProblemException">400: it does not.</exception>
    public void Check(string content)
    {
        var whom = "";
        try
        {
            var template = Template.Parse(content);
            foreach (var (sample, reader) in Samples())
            {
                whom = reader;
                template.Render(sample);
            }
        }
        catch (TemplateException fault)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, $"Template invalid: {fault.Message}{whom}");
        }
    }

    /// <summary>What older texts told people to run and does not exist any more, as far as it is in this one.</summary>
    public virtual IReadOnlyList<string> LegacyIn(string? content) => [];

    /// <summary>Values that a template is tried with, and what to add to an error about them.</summary>
    protected abstract IEnumerable<(IReadOnlyDictionary<string, object?> Values, string Reader)> Samples();

    protected void LogFailed(TemplateException fault) => LogFailed(_log, Key, fault.Message);

    private static string ReadShipped(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"prompts/{name}") ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [LoggerMessage(EventId = 6401, Level = LogLevel.Warning, Message = "The template {Key} of an admin cannot be rendered: {Reason}")]
    private static partial void LogFailed(ILogger log, string key, string reason);
}
