using Agnes.Engine.Limits;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Campaigns;

/// <summary>Whatever happens to the rows of a PostgreSQL, to the runs that pull them and to their connections: what is here is what is there.</summary>
internal static class DatabaseChanges
{
    private const int TablesPerDatabase = 10;
    private const int Rounds = 6;

    public static async Task RunAsync(CampaignRun run)
    {
        await using var cluster = new PostgresCluster();
        for (var done = 0; done < run.Count; done += TablesPerDatabase)
        {
            var seed = run.Random.Next();
            var program = new WorkerProgram(ServerProcess.Program("agnes-server"), []);
            var address = await cluster.NewDatabaseAsync();
            await using var source = NpgsqlDataSource.Create(address);
            var database = await ChangedPostgres.OpenAsync(source, address, cluster.Address);
            using var tables = await ChangingDatabase.OpenAsync(database, seed, Math.Min(TablesPerDatabase, run.Count - done), program);
            for (var round = 0; round < Rounds; round++)
            {
                var differences = await tables.RoundAsync(kills: true, run.Cancellation);
                foreach (var difference in differences) run.Fail($"database {seed}, round {round}: {difference}");
                if (differences.Count > 0) break;
            }

            run.Add("kills", tables.Kills);
            run.Add("failed runs", tables.Faults);
            run.Add("comparisons", tables.Compared);
            run.Progress(done + TablesPerDatabase);
        }
    }
}
