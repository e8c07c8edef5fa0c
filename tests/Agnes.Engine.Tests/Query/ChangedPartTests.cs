using System.Runtime.CompilerServices;
using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Shouldly;
using Xunit;

namespace Agnes.Engine.Tests.Query;

/// <summary>A part that another program can write to (it is linked) may change while a statement reads it. Then no row of the answer counts.</summary>
public sealed class ChangedPartTests(Bench bench) : IClassFixture<Bench>
{
    private static readonly string Sha256 = new('a', 64);

    [Fact]
    public async Task An_answer_from_a_part_that_changed_meanwhile_is_not_given()
    {
        var (outcome, body) = await bench.RunAsync("SELECT count(*) FROM orders", Changing());

        outcome.Status.ShouldBe(StatementStatus.PartDamaged);
        outcome.BodyStarted.ShouldBeFalse();
        outcome.Tables.ShouldBe(["orders"]);
        body.ShouldBe("");
    }

    [Fact]
    public async Task A_failure_over_a_part_that_changed_meanwhile_is_laid_to_the_change()
    {
        var (outcome, _) = await bench.RunAsync("SELECT error(customer) FROM orders WHERE customer::INTEGER > 0", Changing());

        outcome.Status.ShouldBe(StatementStatus.PartDamaged);
    }

    [Fact]
    public async Task A_long_answer_is_cut_when_the_change_shows_at_its_end()
    {
        var (outcome, body) = await bench.RunAsync("SELECT repeat(customer, 200) FROM orders, range(10)", Changing(wholeLooks: 1), limit: 10_000);

        outcome.Status.ShouldBe(StatementStatus.PartDamaged);
        outcome.BodyStarted.ShouldBeTrue();
        body.Length.ShouldBeGreaterThan(1 << 20);
    }

    [Fact]
    public async Task The_worker_goes_on_after_a_change()
    {
        var before = bench.Pool.ProcessIds().Order().ToList();
        await bench.RunAsync("SELECT repeat(customer, 200) FROM orders, range(10)", Changing(), limit: 10_000);

        var (outcome, body) = await bench.RunAsync("SELECT count(*) FROM orders");

        outcome.Status.ShouldBe(StatementStatus.Ok);
        body.ShouldContain("[[1000]]");
        before.ShouldBeSubsetOf(bench.Pool.ProcessIds());
    }

    /// <param name="wholeLooks">Times that the part is still found as it was.</param>
    private Scope Changing(int wholeLooks = 0)
    {
        var looks = new StrongBox<int>();
        return Scope.Of([bench.Orders with { Verify = () => { if (Interlocked.Increment(ref looks.Value) > wholeLooks) throw new PartDamagedException(Sha256, "It was changed."); } }]);
    }
}
