using System.Text.Json.Nodes;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>What an admin's text may cost is counted in steps and characters, whichever part of the language makes the work; no clock is asked.</summary>
public sealed class TemplatesAreCountedTests(Postgres postgres)
{
    private static readonly Dictionary<string, object?> Values = new(StringComparer.Ordinal)
    {
        ["l"] = Enumerable.Range(0, 100).Select(number => (object?)(long)number).ToList(),
        ["m"] = Enumerable.Range(0, 90).Select(number => (object?)(long)number).ToList(),
        ["texts"] = Enumerable.Range(0, 100).Select(number => (object?)(new string('x', 1_000) + number)).ToList(),
        ["rows"] = Enumerable.Range(0, 100).Select(number => (object?)new Dictionary<string, object?>(StringComparer.Ordinal) { ["t"] = new string('y', 1_000) }).ToList(),
    };

    /// <summary>Each takes long at a few tens of kilobytes, and none makes more than a few characters of output.</summary>
    public static TheoryData<string, string> Expensive => new()
    {
        { "filters on a long text in loops", Loops($"{{% set x = s{Repeat("|upper|lower", 100)} %}}") },
        { "a long text compared", Loops(Repeat("{% if s == t %}{% endif %}", 50)) },
        { "a long text ordered", Loops(Repeat("{% if s < t %}{% endif %}", 50)) },
        { "a long text searched", Loops("{% if 'xxxxxxxxxxxxxxxxxxxxxxxxxy' in s %}{% endif %}") },
        { "half of a text searched in it", $"{{% set s = '{new string('x', 60_000)}' %}}{{% set h = '{new string('x', 30_000)}y' %}}{Repeat("{% if h in s %}{% endif %}", 50)}" },
        { "texts put together and thrown away", Loops("{% set x = s ~ t %}") },
        { "texts replaced in themselves", Loops("{% set x = s|replace('x', 'z') %}") },
        { "escaped again and again", Loops("{% set x = s|e|e %}") },
        { "made JSON of", Loops("{% set x = rows|tojson %}") },
        { "joined", Loops("{% set x = texts|join(s) %}") },
        { "sorted", Loops("{% set x = texts|sort|first %}") },
        { "mapped", Loops("{% set x = rows|map(attribute='t')|join %}") },
        { "looked for in a list", Loops(Repeat("{% if s in texts %}{% endif %}", 60)) },
        { "names looked for in nested loops", $"{Repeat("{% for a in l %}", 3)}{{% if a %}}{{% endif %}}{Repeat("{% endfor %}", 3)}" },
        { "many small steps", Loops(Repeat("{% if 1 and 1 and 1 and 1 %}{% endif %}", 100)) },
    };

    [Theory]
    [MemberData(nameof(Expensive))]
    public void Work_without_output_ends_at_its_count(string what, string source)
    {
        source.Length.ShouldBeLessThan(Template.SourceCharsMax, what);
        var cost = new TemplateCost();
        var fault = Should.Throw<TemplateException>(() => Template.Parse(source).Render(Values, cost), what);
        fault.Message.ShouldMatch("^line 1: (more than 16777216 characters|it takes more than 250000 steps|more than 10000 turns|a text is longer)");
        cost.Steps.ShouldBeLessThanOrEqualTo(TemplateCost.StepsMax + 1, what);
        cost.Chars.ShouldBeLessThanOrEqualTo(TemplateCost.CharsMax + TemplateCost.OutputCharsMax * 100L, what);
    }

    /// <summary>A level for each link: without a bound, a template of 200 KB takes the whole process along.</summary>
    [Fact]
    public void A_chain_is_as_long_as_the_stack_can_hold_for_certain()
    {
        foreach (var chain in (string[])[$"1{Repeat(" + 1", 30_000)}", $"1{Repeat(" or 0", 30_000)}", $"l{Repeat("|first", 20_000)}", $"l{Repeat(".a", 60_000)}", $"1{Repeat(" == 1", 30_000)}", $"1{Repeat(" is defined", 15_000)}"])
        {
            Should.Throw<TemplateException>(() => Template.Parse($"{{{{ {chain} }}}}").Render(Values)).Message.ShouldContain("in a row");
        }

        var nested = "1";
        for (var level = 0; level < 40; level++) nested = $"({nested}{Repeat("|e", 200)})";
        Should.Throw<TemplateException>(() => Template.Parse($"{{{{ {nested} }}}}").Render(Values)).Message.ShouldContain("nested deeper");
    }

    [Fact]
    public async Task It_is_counted_when_it_is_saved_and_when_it_is_previewed_too()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var admin = await server.SignInAsync();
        var content = $"{{% set s = '{new string('x', 60_000)}' %}}{Repeat("{% set t = s|upper|lower %}", 200)}".PadRight(67_000);
        foreach (var prompt in (string[])["workspace-prompt-template", "welcome-template"])
        {
            foreach (var (method, path) in ((string, string)[])[("PUT", ""), ("POST", "/preview")])
            {
                var answer = await server.SendAsync(method, $"/api/admin/{prompt}{path}", new JsonObject { ["content"] = content }.ToJsonString(), admin);
                (answer.Status, answer.Body.Contains("characters are made", StringComparison.Ordinal)).ShouldBe((400, true), $"{prompt}{path}: {answer.Body}");
            }
        }
    }

    [Fact]
    public void A_list_of_every_table_is_no_work_worth_speaking_of()
    {
        var tables = Enumerable.Range(0, 5_000).Select(number => (object?)new Dictionary<string, object?>(StringComparer.Ordinal) { ["name"] = $"table_{number}", ["description"] = "One row per order." }).ToList();
        var text = Template.Parse("{% for t in tables|sort(attribute='name') %}- {{ loop.index }} `{{ t.name }}`{% if t.description %}: {{ t.description|upper }}{% endif %}\n{% endfor %}{{ tables|map(attribute='name')|join(', ') }}")
            .Render(new Dictionary<string, object?>(StringComparer.Ordinal) { ["tables"] = tables });
        text.Split('\n').Length.ShouldBe(5_001);
        Should.Throw<TemplateException>(() => Template.Parse("{{ rows|sort|length }}").Render(Values)).Message.ShouldContain("cannot be compared");
    }

    private static string Loops(string body) =>
        $"{{% set s = '{new string('x', 20_000)}' %}}{{% set t = '{new string('x', 19_999)}y' %}}{{% for a in l %}}{{% for b in m %}}{body}{{% endfor %}}{{% endfor %}}";

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
