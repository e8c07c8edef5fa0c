using Agnes.Testing;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>A few seeds of the campaign <c>keboola-changes</c>.</summary>
public sealed class ChangesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2, Traits = ["Runs", "long"])]
    public async Task A_table_that_is_pulled_by_its_changes_is_the_table(int seed)
    {
        await using var tables = await ChangingTables.OpenAsync(seed, 4);
        for (var round = 0; round < 4; round++) (await tables.RoundAsync(kills: round is 1 or 2, Project.Stop))
            .ShouldBeEmpty($"round {round}");
        tables.Compared.ShouldBe(16);
    }
}
