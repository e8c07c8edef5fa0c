using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Sessions;

/// <summary>Ends sessions that nobody used for the idle limit, and forgets what is long over: sessions, links, wrong passwords.</summary>
internal sealed class SessionSweep(StateDb state, ServerOptions options, TimeProvider time) : IPeriodic
{
    private const int BatchMax = 1_000;

    public string Name => "sessions that are over";

    /// <summary>How late the idle limit may take effect, besides the minute in which a use is noted.</summary>
    public TimeSpan Every => TimeSpan.FromSeconds(30);

    public Task RunAsync(CancellationToken cancellation) => SweepAsync(cancellation);

    public async Task<int> SweepAsync(CancellationToken stop)
    {
        await state.FlushAsync(stop); // uses that were noted but not written yet
        var now = time.Micros();
        var (idle, old) = (now - options.SignIn.SessionIdle, now - options.Limits.KeepSessions);
        var due = (await state.ReadAsync<long>(SessionStore.AnyDueSql, new { now, idle, old }, stop))[0] + (await state.ReadAsync<long>(PasswordLinks.AnyOldSql, new { old }, stop))[0]
            + (await state.ReadAsync<long>(GuessStore.AnyOldSql, new { old = now - Guesses.RememberedFor }, stop))[0];
        if (due == 0) return 0;

        // In pieces, since a delete from a table with a key takes its time and holds up every other write.
        while (await state.WriteAsync(write => SessionStore.ForgetAsync(write, old, BatchMax), stop) == BatchMax)
        {
        }

        return await state.WriteAsync(
            async write =>
            {
                await PasswordLinks.ForgetAsync(write, old);
                await GuessStore.ForgetAsync(write, now - Guesses.RememberedFor);
                var ended = await SessionStore.EndIdleAsync(write, idle);
                if (ended > 0) write.Audit(null, "session.end_idle", null, new JsonObject { ["sessions"] = ended });
                return ended;
            },
            stop);
    }
}
