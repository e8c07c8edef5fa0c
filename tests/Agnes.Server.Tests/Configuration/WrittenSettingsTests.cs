using System.Text.RegularExpressions;
using Agnes.Server.Features.Sources.Jira;
using Agnes.Server.Platform.Config;
using Agnes.Testing;

namespace Agnes.Server.Tests.Configuration;

/// <summary>What is written down of settings for people is what is declared, and what is declared is what is read.</summary>
public sealed partial class WrittenSettingsTests
{
    private const string Template = "config/.env.template";
    private const string Example = "config/instance.yaml.example";
    private const string Rewrite = "REWRITE";

    /// <summary>What the runtime sets, or the product only reads of others.</summary>
    private static readonly string[] NotSettings = ["DOTNET_ROOT", "PATH", "HOME"];

    [Fact]
    public void The_template_of_the_environment_is_what_is_declared() =>
        ShouldBeWritten(Template, WrittenSettings.Environment(SettingList.All));

    [Fact]
    public void The_example_of_the_configuration_is_what_is_declared() => ShouldBeWritten(Example, WrittenSettings.Yaml(SettingList.All));

    [Fact]
    public void The_page_for_operators_is_what_is_declared() =>
        ShouldBeWritten("docs/operator/settings.md", WrittenSettings.Page(SettingList.All));

    /// <summary>Whoever takes the hash from a line has set that key.</summary>
    [Fact]
    public void The_example_is_read_as_it_is_and_with_every_line_of_it_in_effect()
    {
        using var folder = new TemporaryFolder();
        var example = File.ReadAllText(PathOf(Example));
        foreach (var text in (string[])[example, Commented().Replace(example, "${indent}${key}")])
        {
            File.WriteAllText(folder[InstanceConfig.FileName], text);
            var instance = InstanceConfig.Load(SettingList.All, folder.Path, folder["state"], _ => "x", _ => null);
            instance.Problems.ShouldBeEmpty();
            SettingList.All.Unread(instance.Merged).ShouldBeEmpty();
            ServerOptions.From([], name => name switch { "CONFIG_DIR" => folder.Path, "STATE_DIR" or "DATA_DIR" => folder["state"], _ => null }).Settings.ShouldBe(SettingList.All);
        }
    }

    [Fact]
    public void Every_variable_that_the_server_asks_for_is_declared_and_every_one_that_is_declared_is_asked_for()
    {
        var sources = string.Join('\n', Directory.EnumerateFiles(PathOf("src/Agnes.Server"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var asked = Asked().Matches(sources).Select(match => match.Groups[1].Value).Except(NotSettings).Distinct(StringComparer.Ordinal).ToList();
        asked.Count.ShouldBeGreaterThan(50);
        asked.Where(name => SettingList.All.Find(name) is not { IsRead: true }).ShouldBeEmpty("declare it where it is read, and say so in SettingList");

        // A setting is read by its declaration's own name, or by one of its names elsewhere.
        var byField = Declaration().Matches(sources).SelectMany(match => Literal().Matches(match.Value)).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var elsewhere = Literal().Matches(sources).Select(match => match.Groups[1].Value).CountBy(name => name).ToDictionary(StringComparer.Ordinal);
        var sourcesOwn = SourceList.All.SelectMany(kind => kind.Declared.Settings)
            .Concat(JiraOptions.Fields.Values) // read one after another; JiraTests sees that they are
            .Select(setting => setting.Name).ToHashSet(StringComparer.Ordinal);
        SettingList.All.All.Where(setting => setting.IsRead && !sourcesOwn.Contains(setting.Name))
            .Where(setting => !Names(setting).Any(name => byField.Contains(name) || byField.Contains(name[(name.LastIndexOf('.') + 1)..]) || elsewhere.GetValueOrDefault(name) > 1))
            .Select(setting => setting.Name).ShouldBeEmpty("nothing reads it");
        SettingList.All.All.Where(setting => setting is { IsRead: true, Means: null }).Select(setting => setting.Name).ShouldBeEmpty("say what it means");
    }

    private static IEnumerable<string> Names(Setting setting) => setting.Variables.Append(setting.Key).OfType<string>();

    private static void ShouldBeWritten(string path, string text)
    {
        if (Environment.GetEnvironmentVariable(Rewrite) is { Length: > 0 }) File.WriteAllText(PathOf(path), text);
        (File.Exists(PathOf(path)) ? File.ReadAllText(PathOf(path)) : "").ShouldBe(
            text, $"{path} is written from the declarations. Write it anew: {Rewrite}=1 dotnet test --project tests/Agnes.Server.Tests --filter-class \"*WrittenSettingsTests\"");
    }

    private static string PathOf(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Agnes.slnx"))) folder = folder.Parent;
        return Path.Combine(folder.FullName, path);
    }

    /// <summary>In whichever way a variable is asked for.</summary>
    [GeneratedRegex(@"(?:[sS]etting|read\.\w+|environment|[vV]ariables|GetEnvironmentVariable|Secret|Find)\(""([A-Z][A-Z0-9_]+)""")]
    private static partial Regex Asked();

    [GeneratedRegex(@"static readonly Setting \w+\s*=[^;]*?;", RegexOptions.Singleline)]
    private static partial Regex Declaration();

    [GeneratedRegex("\"([A-Za-z][A-Za-z0-9_.]+)\"")]
    private static partial Regex Literal();

    [GeneratedRegex(@"^(?<indent> *)# (?<key>[a-z_]+:)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Commented();
}
