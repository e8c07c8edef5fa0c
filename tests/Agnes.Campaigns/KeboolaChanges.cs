using Agnes.Engine.Limits;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>Whatever happens to the rows of a project, and to the runs that pull them: a table that is pulled by its changes is the
/// table.</summary>
internal static class KeboolaChanges
{
    private const int TablesPerProject = 10;
    private const int Rounds = 6;

    public static async Task RunAsync(CampaignRun run)
    {
        for (var done = 0; done < run.Count; done += TablesPerProject)
        {
            var seed = run.Random.Next();
            var program = new WorkerProgram(ServerProcess.Program("agnes-server"), []);
            await using var tables = await ChangingTables.OpenAsync(seed, Math.Min(TablesPerProject, run.Count - done), program);
            for (var round = 0; round < Rounds; round++)
            {
                var differences = await tables.RoundAsync(kills: true, run.Cancellation);
                foreach (var difference in differences) run.Fail($"project {seed}, round {round}: {difference}");
                if (differences.Count > 0) break;
            }

            run.Add("kills", tables.Kills);
            run.Add("failed runs", tables.Faults);
            run.Add("comparisons", tables.Compared);
            run.Progress(done + TablesPerProject);
        }
    }
}
