using Agnes.Engine.Query.Remote;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>
/// Generated statements, of which some go to a real PostgreSQL as a whole, and some join tables that are there with tables that are here.
/// Each has the answer that the engine gives over the same rows, or is refused with a form that is not known to mean the same.
/// </summary>
internal static class RandomStatements
{
    private const int ShownMax = 4;
    private const int MixedEvery = 4;

    public static async Task RunAsync(CampaignRun run)
    {
        await using var cluster = new PostgresCluster();
        await using var twins = await TwinTables.StartAsync(await cluster.NewDatabaseAsync(), cluster.Address);
        await twins.FillSalesAsync();
        await using var mixed = await MixedStatements.StartAsync(twins, run.Random.Next());
        var questions = new RandomQuestions(run.Random.Next());
        for (var round = 0; round < run.Count && !run.Cancellation.IsCancellationRequested; round++)
        {
            run.Progress(round);
            if (round % MixedEvery == 0) await mixed.RoundAsync(run);
            else await WholeAsync(run, twins, questions.Next());
        }
    }

    private static async Task WholeAsync(CampaignRun run, TwinTables twins, string sql)
    {
        try
        {
            var there = await twins.ThereAsync(sql, "sales");
            if (Compare(run, sql, there, twins.Here(sql))) run.Add("answers there as here");
        }
        catch (RemoteException refused) when (refused.Message.Contains("cannot be asked this", StringComparison.Ordinal))
        {
            run.Add("statements refused");
        }
        catch (RemoteException failed)
        {
            if (FailsHere(twins, sql)) run.Add("statements that fail there and here");
            else run.Fail($"{sql}\n    {failed.Message}");
        }
    }

    private static bool FailsHere(TwinTables twins, string sql)
    {
        try
        {
            twins.Here(sql);
            return false;
        }
        catch (DuckDBException)
        {
            return true;
        }
    }

    /// <summary>Rows in any order.</summary>
    internal static bool Compare(CampaignRun run, string sql, List<string> there, List<string> here)
    {
        there.Sort(StringComparer.Ordinal);
        here.Sort(StringComparer.Ordinal);
        if (there.SequenceEqual(here, StringComparer.Ordinal)) return true;
        run.Fail($"{sql}\n    there alone: {Alone(there, here)}\n    here alone: {Alone(here, there)}");
        return false;
    }

    private static string Alone(List<string> rows, List<string> others)
    {
        var left = new List<string>(others);
        return string.Join("; ", rows.Where(row => !left.Remove(row)).Take(ShownMax));
    }
}
