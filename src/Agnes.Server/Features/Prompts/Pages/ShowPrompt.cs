using System.Globalization;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Prompts.Pages;

/// <summary><c>GET /admin/workspace-prompt</c> and <c>/admin/agent-prompt</c></summary>
internal static class ShowPrompt
{
    private const int ValueCharsMax = 80;

    public static Task<IResult> WorkspaceAsync(HttpContext context, WorkspacePrompt prompt, ServerOptions options) => ShowAsync(context, prompt, options, PromptTexts.Workspace, "/api/admin/workspace-prompt-template");

    public static Task<IResult> SetupAsync(HttpContext context, SetupPrompt prompt, ServerOptions options) => ShowAsync(context, prompt, options, PromptTexts.Setup, "/api/admin/welcome-template");

    private static async Task<IResult> ShowAsync(HttpContext context, Prompt prompt, ServerOptions options, PromptTexts texts, string api)
    {
        var stop = context.RequestAborted;
        var server = ServerAddresses.Accept(context, options, null);
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var row = await prompt.FindAsync(stop);
        var source = row.Content ?? prompt.ShippedSource;
        var model = new PromptModel(texts, api, source, prompt.ShippedSource, row.ETag, row.Content is not null, row.PreviousContent is not null)
        {
            UpdatedAt = row.UpdatedAt,
            UpdatedBy = row.UpdatedBy,
            Legacy = prompt.LegacyIn(row.Content),
            Places = [.. Places("", await prompt.ValuesAsync(snapshot, caller, server, stop))],
        };
        try
        {
            return Page.Show<PromptPage>(model with { Preview = await prompt.PreviewAsync(source, snapshot, caller, server, stop) });
        }
        catch (TemplateException fault)
        {
            return Page.Show<PromptPage>(model with { Problem = fault.Message });
        }
    }

    private static IEnumerable<(string Name, string Value)> Places(string prefix, IReadOnlyDictionary<string, object?> values)
    {
        foreach (var (key, value) in values)
        {
            if (value is IReadOnlyDictionary<string, object?> inner)
            {
                foreach (var place in Places($"{prefix}{key}.", inner)) yield return place;
            }
            else yield return (prefix + key, Brief(value));
        }
    }

    private static string Brief(object? value) => value switch
    {
        IReadOnlyList<object?> list when list.Count > 0 && list[0] is IReadOnlyDictionary<string, object?> first => $"{Formats.Count(list.Count, "entry", "entries")}, each with {string.Join(", ", first.Keys)}",
        IReadOnlyList<object?> list => list.Count == 0 ? "an empty list" : $"a list: {Short(string.Join(", ", list))}",
        "" => "an empty text",
        null => "nothing",
        _ => Short(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static string Short(string text) => text.Length <= ValueCharsMax ? text : $"{text[..ValueCharsMax]}…";
}
