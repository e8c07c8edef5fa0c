using System.IO.Pipelines;
using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

/// <summary>Whoever keeps account of answers hears of each before its rows leave: of a small one at its end, of a large one before its first byte.</summary>
public sealed class LeavingTests(Bench bench) : IClassFixture<Bench>
{
    private const string Large = "SELECT repeat(customer, 200) FROM orders, range(10)";

    [Fact]
    public async Task A_large_answer_is_announced_once_and_before_its_first_byte()
    {
        using var body = new MemoryStream();
        var heard = new List<(string Tables, long Left)>();
        var outcome = await RunAsync(Large, body, tables =>
        {
            heard.Add((string.Join(',', tables), body.Length));
            return Task.CompletedTask;
        });
        outcome.IsOk.ShouldBeTrue(outcome.Message);
        heard.ShouldBe([("orders", 0L)]);
        body.Length.ShouldBeGreaterThan(1 << 20);
    }

    [Fact]
    public async Task A_small_answer_has_not_left_when_it_is_known_how_it_ended()
    {
        using var body = new MemoryStream();
        var heard = 0;
        var outcome = await RunAsync("SELECT count(*) FROM orders", body, _ =>
        {
            heard++;
            return Task.CompletedTask;
        });
        (outcome.IsOk, heard, body.Length).ShouldBe((true, 0, 0L));
    }

    [Fact]
    public async Task Nothing_leaves_where_it_cannot_be_put_on_record()
    {
        using var body = new MemoryStream();
        (await Should.ThrowAsync<InvalidOperationException>(() => RunAsync(Large, body, _ => throw new InvalidOperationException("no record")))).Message.ShouldBe("no record");
        body.Length.ShouldBe(0);
        (await bench.RunAsync("SELECT count(*) FROM orders")).Outcome.IsOk.ShouldBeTrue(); // the worker goes on
    }

    private async Task<StatementOutcome> RunAsync(string sql, MemoryStream body, Func<IReadOnlyList<string>, Task> leaving)
    {
        var output = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        return await bench.Runner.RunAsync(Bench.LeaseOf("guest"), bench.Guest, sql, 10_000, output, StatementLimits.Default, CancellationToken.None, leaving);
    }
}
