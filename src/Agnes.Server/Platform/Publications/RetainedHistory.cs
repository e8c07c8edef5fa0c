using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Of the syncs of tables.</summary>
internal sealed class RetainedHistory(StateDb state, ServerOptions options) : RetainedRows(
    state,
    "SELECT max(synced_at) FROM (SELECT synced_at FROM sync_history WHERE synced_at < @before ORDER BY synced_at LIMIT @batch) AS oldest",
    "DELETE FROM sync_history WHERE synced_at <= @slice")
{
    public override string Name => "history";

    public override TimeSpan KeptFor => options.Limits.KeepHistory;
}
