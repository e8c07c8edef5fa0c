using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>The other installation's audit log, entry by entry in the order of time. An entry that is here already is known by its id.</summary>
internal sealed class ImportHistory(StateDb state, ImportReport report)
{
    private const string Kind = "audit entries";
    private const int RowsPerWrite = 500;
    private readonly List<AuditEntry> _waiting = [];

    public async Task AddAsync(ForeignRow row, CancellationToken stop)
    {
        if (row.Text("id") is not { } id || row.Text("action") is not { } action || row.Time("timestamp") is not { } at)
        {
            report.Leave(Kind, row.Text("id") ?? "?", "without an id, an action or a time");
            return;
        }

        _waiting.Add(new AuditEntry
        {
            Id = id,
            Timestamp = at,
            UserId = row.Text("user_id"),
            Action = action,
            Resource = row.Text("resource"),
            Params = row.Text("params"),
            Result = row.Text("result"),
            DurationMs = row.Integer("duration_ms"),
        });
        if (_waiting.Count >= RowsPerWrite) await FlushAsync(stop);
    }

    public Task AddDroppedAsync(ImportPlan plan, DateTime now, CancellationToken stop)
    {
        foreach (var (id, user, table, reason) in plan.DroppedRequests)
        {
            _waiting.Add(new AuditEntry
            {
                Id = ImportPlan.StableId("access_request.dropped", id),
                Timestamp = now,
                UserId = user,
                Action = "access_request.dropped",
                Resource = table,
                Params = new JsonObject { ["request_id"] = id, ["reason"] = reason }.ToJsonString(),
            });
        }

        return FlushAsync(stop);
    }

    public async Task FlushAsync(CancellationToken stop)
    {
        foreach (var chunk in _waiting.Chunk(RowsPerWrite))
        {
            var taken = await state.WriteAsync(write => AddAsync(write, chunk), stop);
            if (taken > 0) report.Take(Kind, taken);
            if (taken < chunk.Length) report.Find(Kind, chunk.Length - taken);
        }

        _waiting.Clear();
    }

    private static async Task<int> AddAsync(StateWrite write, AuditEntry[] entries)
    {
        // Dropped requests carry the time of the import that noted them, so they are looked for at any time.
        var (from, to) = (entries.Min(entry => entry.Timestamp), entries.Max(entry => entry.Timestamp));
        var known = (await write.QueryAsync<string>("SELECT id FROM audit_log WHERE (timestamp >= @from AND timestamp <= @to) OR action = 'access_request.dropped'", new { from, to })).ToHashSet(StringComparer.Ordinal);
        var missing = entries.DistinctBy(entry => entry.Id).Where(entry => !known.Contains(entry.Id)).ToList();
        if (missing.Count > 0) await write.InsertAsync(AuditEntry.InsertSql, missing);
        return missing.Count;
    }
}
