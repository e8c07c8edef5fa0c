using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// What a look at the tables starts: a run for each connection that has tables which are due, so that one that takes long holds up no other.
/// Tables that are queries over others wait for the runs of what they read.
/// </summary>
/// <param name="every">From one look to the next.</param>
internal sealed class SyncLook(SourceKinds kinds, TimeSpan every)
{
    private const string ConnectionPrefix = "connection:";
    private const string TablePrefix = "table:";

    public ScheduleStarts Find(ScheduleLook look)
    {
        var plan = SyncPlan.Of(look.Snapshot, kinds, null, look.Now, isAsked: false);
        var found = new Found(look);
        var besides = plan.NoConnector.Where(row => !look.Snapshot.SyncStates.ContainsKey(row.Name)).Select(row => SyncJob.KeyOf(row, kinds))
            .Where(key => !look.Busy.Contains(key)).Distinct(StringComparer.Ordinal).ToList(); // what is known already is not told again
        foreach (var (own, rows) in plan.Pulls.Where(source => !source.Own.Kind.IsDerived))
        {
            if (found.StartOf(own, rows) is not { } slot) continue;
            found.Now.Add(SyncJob.Request(own, slot, besides: besides));
            besides = [];
        }

        foreach (var (own, rows) in plan.Pulls.Where(source => source.Own.Kind.IsDerived))
        {
            var free = rows.Where(row => found.IsFree(own, row, TableReads.SourcesOf(look.Snapshot, kinds, row).Select(read => SyncJob.KeyOf(read, kinds)))).ToList();
            if (free.Count > 0) found.Now.Add(SyncJob.Request(own, free.Min(found.SlotOf), free));
        }

        var registered = kinds.RegisteredByConnection(look.Snapshot);
        foreach (var own in kinds.Pulled(look.Snapshot).Where(found.IsLookedAt)) AddNextMinute(found, own, registered[own.Name]);
        return new ScheduleStarts(found.Now, found.Later);
    }

    /// <summary>Tables that name the minute are not left until the next look.</summary>
    private void AddNextMinute(Found found, Connection own, IEnumerable<TableRow> registered)
    {
        var next = registered.Select(row => SyncPlan.ScheduleOf(row)?.Next(found.Look.Now)).Min();
        if (next is { } at && at <= found.Look.Now + every) found.PutOff(ConnectionPrefix + own.Name, at, at);
    }

    /// <summary>What a look has come to so far.</summary>
    private sealed class Found(ScheduleLook look)
    {
        /// <summary>Keys of what runs, starts now, or is put off for a little: what is derived from it comes after.</summary>
        private readonly HashSet<string> _coming = [.. look.Busy];

        public ScheduleLook Look => look;

        public List<JobRequest> Now { get; } = [];

        public List<PutOff> Later { get; } = [];

        public bool IsLookedAt(Connection own) => look.IsMain || HasCome(ConnectionPrefix + own.Name) is not null;

        /// <returns>The time that a run which starts now is for; null: none starts.</returns>
        public DateTime? StartOf(Connection own, IReadOnlyList<TableRow> rows)
        {
            var subject = ConnectionPrefix + own.Name;
            var waited = look.PutOff.FirstOrDefault(late => late.Subject == subject);
            if (waited is null && !look.IsMain) return null; // due since the last look; the next one finds it
            _coming.Add(SyncJob.KeyOf(own));
            if (waited?.At <= look.Now)
            {
                if (!look.Busy.Contains(SyncJob.KeyOf(own))) return waited.Slot;
                Later.Add(waited); // as soon as that has ended
                return null;
            }

            if (waited is not null && waited.Slot <= look.Now) return null; // it is spread, and its turn comes
            if (look.Busy.Contains(SyncJob.KeyOf(own))) return null;
            var after = SpreadOf(own, rows);
            if (after == TimeSpan.Zero) return look.Now;
            PutOff(subject, look.Now + after, look.Now);
            return null;
        }

        /// <summary>Whether a derived table that is due can be run now; else it is put off until it can.</summary>
        public bool IsFree(Connection own, TableRow row, IEnumerable<string> sources)
        {
            var subject = TablePrefix + row.Id;
            if (!IsLookedAt(own) && HasCome(subject) is null) return false;
            if (!look.Busy.Contains(SyncJob.KeyOf(own)) && !sources.Any(_coming.Contains)) return true;
            Later.Add(HasCome(subject) ?? new PutOff(subject, look.Now, look.Now));
            return false;
        }

        /// <summary>The time that a derived table is due for, however long it had to wait.</summary>
        public DateTime SlotOf(TableRow row) => HasCome(TablePrefix + row.Id)?.Slot ?? look.Now;

        /// <summary>The earliest time stands, and the earliest that it is for.</summary>
        public void PutOff(string subject, DateTime at, DateTime slot)
        {
            var known = Later.FindIndex(late => late.Subject == subject);
            if (known < 0) Later.Add(new PutOff(subject, at, slot));
            else Later[known] = new PutOff(subject, at < Later[known].At ? at : Later[known].At, slot < Later[known].Slot ? slot : Later[known].Slot);
        }

        private PutOff? HasCome(string subject) => look.PutOff.FirstOrDefault(late => late.Subject == subject && late.At <= look.Now);

        /// <summary>What was never pulled, names its minute, or failed, is not kept waiting.</summary>
        private TimeSpan SpreadOf(Connection own, IReadOnlyList<TableRow> rows)
        {
            var waits = rows.Select(row => look.Snapshot.Pulls.GetValueOrDefault(row.Name) is { PulledAt: not null, Failures: 0 }
                ? StartSpread.Of(own.Name, SyncPlan.ScheduleOf(row)?.Interval)
                : TimeSpan.Zero);
            return waits.Min();
        }
    }
}
