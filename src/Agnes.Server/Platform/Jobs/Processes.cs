using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>
/// The server processes that share a state, each with a lease that it renews. What lies in scratch and staging is a process's own while its lease holds, and is
/// removed by any of the others once it has run out.
/// </summary>
internal sealed class Processes(StateDb state, Scratch scratch, PartStore parts) : IPeriodic, IHostedService
{
    /// <summary>Long: a process that could not write for a while goes on with what it has.</summary>
    private static readonly TimeSpan LeaseLasts = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(1);

    private const string Insert = "INSERT INTO processes (id, started_at, seen_at) VALUES (@id, @now, @now)";
    private const string Renew = "UPDATE processes SET seen_at = @now WHERE id = @id";
    private const string Living = "SELECT id FROM processes WHERE seen_at >= @since";
    private const string Dead = "SELECT id FROM processes WHERE seen_at < @since";
    private const string Forget = "DELETE FROM processes WHERE seen_at < @before";
    private const string End = "DELETE FROM processes WHERE id = @id";

    public string Name => "this process's lease";

    public TimeSpan Every => TimeSpan.FromSeconds(30);

    /// <summary>A part of names, so nothing that could be part of another.</summary>
    public static string NewId() => $"p{Guid.NewGuid():N}-";

    /// <summary>To be called before anything is put into scratch or staging.</summary>
    public async Task BeginAsync(CancellationToken cancellation)
    {
        await state.WriteAsync(
            async write =>
            {
                // An embedded state belongs to this process alone, so all others are no more.
                await write.ExecuteAsync(Forget, new { before = state.Engine == StateEngine.DuckDb ? write.Now.AddDays(1) : write.Now - ForgottenAfter });
                await write.ExecuteAsync(Insert, new { id = scratch.Owner, now = write.Now });
            },
            cancellation);
        var living = await IdsAsync(Living, cancellation);
        Sweep(name => !living.Any(id => name.Contains(id, StringComparison.Ordinal)));
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await state.WriteAsync(
            async write =>
            {
                var mine = new { id = scratch.Owner, now = write.Now };
                if (await write.ExecuteAsync(Renew, mine) == 0) await write.ExecuteAsync(Insert, mine);
            },
            cancellation);
        var dead = await IdsAsync(Dead, cancellation);
        if (dead.Count > 0) Sweep(name => dead.Any(id => name.Contains(id, StringComparison.Ordinal)));
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => state.WriteAsync(write => write.ExecuteAsync(End, new { id = scratch.Owner }), cancellationToken);

    private Task<IReadOnlyList<string>> IdsAsync(string sql, CancellationToken cancellation) =>
        state.ReadAsync<string>(sql, new { since = state.Options.Time.Micros() - LeaseLasts }, cancellation);

    private void Sweep(Func<string, bool> isLeft)
    {
        scratch.Sweep(isLeft);
        parts.SweepIncoming(isLeft);
    }
}
