namespace Agnes.Bench.Scenarios;

/// <summary>P12: start-up with a thousand published tables, and memory when nothing happens.</summary>
internal static class StartUp
{
    private const int IdleSeconds = 10;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        Manifests.AddThousandTables(world);
        await world.StartAsync();
        await world.PublishedAsync(Manifests.Tables);
        List<double> seconds = [], megabytes = [];
        for (var round = 0; round < Rounds.RoundsMin; round++)
        {
            await world.StopAsync();
            await world.StartAsync();
            seconds.Add(world.StartedIn.TotalSeconds);
            await Task.Delay(TimeSpan.FromSeconds(IdleSeconds));
            megabytes.Add(world.ResidentMegabytes());
        }

        var ready = Rounds.Median(seconds);
        var idle = Rounds.Median(megabytes);
        return
        [
            new Measurement("P12", "ready with 1,000 tables", "s", ready, null, "≤ 1 s", ready <= 1),
            new Measurement("P12", "idle memory with 1,000 tables", "MB", idle, null, "≤ 150 MB", idle <= 150),
        ];
    }
}
