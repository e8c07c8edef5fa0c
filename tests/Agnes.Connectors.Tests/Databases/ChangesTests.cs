using Agnes.Testing;
using MySqlConnector;
using Npgsql;

namespace Agnes.Connectors.Tests.Databases;

/// <summary>A few seeds of the campaign <c>database-changes</c>.</summary>
public sealed class ChangesTests(Testing.Postgres postgres, MariaDb mariaDb) : IClassFixture<MariaDb>
{
    private const int Tables = 5;
    private const int Rounds = 4;

    [Fact]
    public async Task What_is_pulled_by_its_changes_from_PostgreSQL_is_what_is_there()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(address);
        await CompareAsync(await ChangedPostgres.OpenAsync(source, address, postgres.Address), 3);
    }

    [Fact]
    [Long]
    public async Task And_from_MariaDB()
    {
        var ended = "SELECT id FROM information_schema.processlist WHERE user = 'reader'";
        await CompareAsync(
            new ChangedDatabase("mysql", mariaDb.Options, "char(200)", "datetime", sql => mariaDb.ExecuteAsync(sql), mariaDb.LinesAsync, async () =>
            {
                foreach (var id in await mariaDb.LinesAsync(ended))
                {
                    try
                    {
                        await mariaDb.ExecuteAsync($"KILL {id}");
                    }
                    catch (MySqlException)
                    {
                        continue; // it has left by itself
                    }
                }
            }),
            4);
    }

    private static async Task CompareAsync(ChangedDatabase database, int seed)
    {
        using var changing = await ChangingDatabase.OpenAsync(database, seed, Tables);
        for (var round = 0; round < Rounds; round++)
            (await changing.RoundAsync(kills: round is 1 or 2, TestContext.Current.CancellationToken)).ShouldBeEmpty($"round {round}");
        changing.Compared.ShouldBe(Tables * Rounds);
    }
}
