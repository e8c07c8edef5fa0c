using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes skills</c>: what an agent (or a person) has to know about a topic, shipped with the program.</summary>
internal static class SkillsCommand
{
    private const string Prefix = "Skills/";
    private const string Extension = ".md";

    public static Command Build(Host host)
    {
        var command = new AgnesCommand("skills", "Short guides to one topic each. Read 'agnes-data-querying' before the first analysis.", "agnes skills list", "agnes skills show agnes-data-querying");
        var json = Shared.Json();
        var list = new AgnesCommand("list", "Lists the guides.", "agnes skills list") { json };
        list.SetAction(parsed =>
        {
            if (parsed.GetValue(json)) JsonText.Write(host, (JsonNode)new JsonArray([.. Names().Select(name => (JsonNode)new JsonObject { ["name"] = name, ["title"] = Title(name) })]));
            else Columns.Write(host.Out, ["NAME", "WHAT"], [.. Names().Select(name => (IReadOnlyList<string>)[name, Title(name)])]);
            return ExitCode.Ok;
        });
        var name = new Argument<string>("name") { Description = "One of 'agnes skills list'." };
        name.CompletionSources.Add(_ => Names().Select(known => new System.CommandLine.Completions.CompletionItem(known)));
        var show = new AgnesCommand("show", "Prints a guide.", "agnes skills show troubleshoot") { name };
        show.SetAction(parsed =>
        {
            var asked = parsed.GetRequiredValue(name);
            var text = Read(asked) ?? throw new CliException($"There is no guide '{asked}'.") { Hint = $"There are: {string.Join(", ", Names())}" };
            host.Out.Write(text);
            return ExitCode.Ok;
        });
        command.Add(list);
        command.Add(show);
        return command;
    }

    public static IReadOnlyList<string> Names() =>
    [
        .. typeof(SkillsCommand).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Extension, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Extension.Length]).Order(StringComparer.Ordinal),
    ];

    public static string? Read(string name)
    {
        using var stream = typeof(SkillsCommand).Assembly.GetManifestResourceStream(Prefix + name + Extension);
        if (stream is null) return null;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string Title(string name) => Read(name)!.Split('\n', 2)[0].TrimStart('#', ' ');
}
