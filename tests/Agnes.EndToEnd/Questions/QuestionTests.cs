using System.Collections.Concurrent;
using System.Diagnostics;
using Agnes.EndToEnd.Fixtures;
using Agnes.EndToEnd.Spine;

namespace Agnes.EndToEnd.Questions;

/// <summary>The measure of all this: an agent that knows nothing but the workspace answers business questions right, with few commands.</summary>
public sealed class QuestionTests(Workspaces workspaces) : IClassFixture<Workspaces>
{
    private const int CommandsMax = 8;
    private const int CommandsMedianMax = 4;

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, QuestionList.All.Count)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task A_question_is_answered_right(int number)
    {
        var question = QuestionList.All[number];
        Ended? last = null;
        foreach (var step in question.Steps)
        {
            last = await workspaces.RunAsync(question.By, step.Arguments);
            var transcript = $"{question.Text}\n$ agnes {string.Join(' ', step.Arguments)}\n{last.Output}{last.Errors}";
            last.ExitCode.ShouldBe(step.ExitCode, transcript);
            foreach (var shown in step.Shows) (last.Output + last.Errors).ShouldContain(shown, customMessage: transcript);
        }
        last!.Output.ShouldBe(question.Answer, question.Text);
    }

    [Fact]
    public void Few_commands_are_enough()
    {
        QuestionList.All.Count.ShouldBe(20);
        var counts = QuestionList.All.Select(question => question.Steps.Count).Order().ToList();
        counts[^1].ShouldBeLessThanOrEqualTo(CommandsMax);
        counts[counts.Count / 2].ShouldBeLessThanOrEqualTo(CommandsMedianMax);
    }
}

/// <summary>From nothing to a first answer, timed.</summary>
public sealed class FirstAnswerTests(DemoServer demo)
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Three_commands_and_less_than_a_minute_lead_from_nothing_to_an_answer()
    {
        using var laptop = new Laptop(await demo.UrlAsync(), (await demo.AnalystAsync("finance")).Token);
        var clock = Stopwatch.StartNew();
        var init = await laptop.InitAsync(); // it pulls, too
        var catalog = await laptop.RunAsync("catalog");
        var answer = await laptop.RunAsync("query", "--format", "csv", "SELECT count(*) AS orders FROM orders");
        clock.Stop();
        (init.ExitCode, catalog.ExitCode, answer.Output).ShouldBe((0, 0, "orders\n2000\n"), init.Errors + catalog.Errors + answer.Errors);
        clock.Elapsed.ShouldBeLessThan(TimeMax);
        TestContext.Current.SendDiagnosticMessage("init, catalog and query took {0:0.0} s", clock.Elapsed.TotalSeconds);
        var instructions = await File.ReadAllTextAsync(Path.Combine(laptop.Workspace, "CLAUDE.md"), TestContext.Current.CancellationToken);
        instructions.ShouldContain("- `orders`: Orders with status");
        instructions.ShouldNotContain("support_tickets");
    }
}

/// <summary>One workspace for each person, made when first needed. A look-up that several questions need is run once.</summary>
public sealed class Workspaces(DemoServer demo) : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, Lazy<Task<Laptop>>> _laptops = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Ended>>> _answers = new(StringComparer.Ordinal);

    public Task<Ended> RunAsync(string person, string[] arguments) =>
        _answers.GetOrAdd($"{person}\0{string.Join('\0', arguments)}", _ => new Lazy<Task<Ended>>(async () => await (await LaptopAsync(person)).RunAsync(arguments))).Value;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var laptop in _laptops.Values.Where(laptop => laptop.IsValueCreated && laptop.Value.IsCompletedSuccessfully)) (await laptop.Value).Dispose();
    }

    private Task<Laptop> LaptopAsync(string person) => _laptops.GetOrAdd(person, who => new Lazy<Task<Laptop>>(async () =>
    {
        var laptop = new Laptop(await demo.UrlAsync(), (who == "admin" ? await demo.AdminAsync() : await demo.AnalystAsync(who)).Token);
        var init = await laptop.InitAsync();
        init.ExitCode.ShouldBe(0, init.Output + init.Errors);
        return laptop;
    })).Value;
}
