using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>A job that is due again and again, whoever runs it. The row of <c>job_schedules</c> says when; it outlives restarts.</summary>
/// <param name="First">After the row was made. Later starts keep to the row, so that a server which is restarted often gets there too.</param>
/// <param name="Request">What to start on this state; null: nothing is to be done this time.</param>
internal sealed record JobSchedule(string Kind, TimeSpan First, TimeSpan Every, Func<Snapshot, JobRequest?> Request)
{
    /// <summary>Tells schedules of one kind apart.</summary>
    public string Subject { get; init; } = "";

    /// <summary>Asked instead, where one time can start several jobs, or put some off. The kind is this schedule's alone.</summary>
    public Func<ScheduleLook, ScheduleStarts>? Look { get; init; }
}

/// <summary>What a schedule with several jobs looks at.</summary>
/// <param name="IsMain">Its own time has come; else the time of something that was put off.</param>
/// <param name="Busy">Keys that unfinished jobs have.</param>
/// <param name="PutOff">All that was put off and is not taken up yet, whether its time has come or not.</param>
internal sealed record ScheduleLook(Snapshot Snapshot, DateTime Now, bool IsMain, IReadOnlySet<string> Busy, IReadOnlyList<PutOff> PutOff);

/// <summary>Something that is to be looked at again at a time of its own: a row of <c>job_schedules</c> beside the schedule's.</summary>
/// <param name="Subject">What, in the schedule's own words; never empty.</param>
/// <param name="Slot">The time that it is done for.</param>
internal sealed record PutOff(string Subject, DateTime At, DateTime Slot);

/// <param name="Now">Jobs to start; one whose key is taken is left out, and found again by a later look.</param>
/// <param name="Later">What is put off, or stays so. Of what the look was given, everything that has come and is not here is over.</param>
internal sealed record ScheduleStarts(IReadOnlyList<JobRequest> Now, IReadOnlyList<PutOff> Later);

/// <summary>A row of <c>job_schedules</c>.</summary>
internal sealed record JobScheduleRow
{
    public required string Kind { get; init; }
    public required string Subject { get; init; }
    public DateTime DueAt { get; init; }

    /// <summary>When it was last started; of what is put off, the time that it is done for.</summary>
    public DateTime? StartedAt { get; init; }
}

/// <summary>
/// Starts what is due. Every process looks; the write that moves the time on, and starts the job with it, is one process's. A job of the kind that is
/// still unfinished is left to go on, and what was missed while no server ran is done once.
/// </summary>
internal sealed class JobSchedules(StateDb state, JobRunner jobs, IEnumerable<JobSchedule> schedules) : IPeriodic
{
    public const string Trigger = "schedule";

    private const string All = "SELECT kind, subject, due_at, started_at FROM job_schedules";
    private const string OfKind = "SELECT kind, subject, due_at, started_at FROM job_schedules WHERE kind = @Kind";
    private const string One = "SELECT kind, subject, due_at, started_at FROM job_schedules WHERE kind = @Kind AND subject = @Subject";
    private const string Insert = "INSERT INTO job_schedules (kind, subject, due_at) VALUES (@Kind, @Subject, @Due)";
    private const string Move = "UPDATE job_schedules SET due_at = @Due, started_at = @StartedAt WHERE kind = @Kind AND subject = @Subject";
    private const string Later = "INSERT INTO job_schedules (kind, subject, due_at, started_at) VALUES (@Kind, @Subject, @Due, @StartedAt)";
    private const string Over = "DELETE FROM job_schedules WHERE kind = @Kind AND subject = @Subject";

    private readonly List<JobSchedule> _schedules = [.. schedules.DistinctBy(schedule => (schedule.Kind, schedule.Subject))];

    /// <summary>Where a schedule is at shorter intervals; longer than starts are spread.</summary>
    private static readonly TimeSpan PutOffMax = TimeSpan.FromMinutes(6);

    public string Name => "schedules";

    public TimeSpan Every => TimeSpan.FromSeconds(10);

    public TimeSpan First => TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancellation)
    {
        var rows = (await state.ReadAsync<JobScheduleRow>(All, cancellation: cancellation)).ToLookup(row => row.Kind);
        foreach (var schedule in _schedules)
        {
            var now = state.Options.Time.Micros();
            if (IsToMove(schedule, rows[schedule.Kind].FirstOrDefault(row => row.Subject == schedule.Subject), now)) await MoveAsync(schedule, cancellation);
            if (schedule.Look is null || !PutOffOf(schedule, rows[schedule.Kind]).Any(late => HasCome(schedule, late, now))) continue;
            if (await IsAnythingToDoAsync(schedule, rows[schedule.Kind], now, cancellation)) await TakeUpAsync(schedule, cancellation);
        }
    }

    private static bool IsToMove(JobSchedule schedule, JobScheduleRow? row, DateTime now) => row is null || row.DueAt <= now || row.DueAt > now + Max(schedule.First, schedule.Every);

    /// <summary>Also what is further away than anything is put off: the clock went back.</summary>
    private static bool HasCome(JobSchedule schedule, PutOff late, DateTime now) => late.At <= now || late.At > now + Max(schedule.Every, PutOffMax);

    private static List<PutOff> PutOffOf(JobSchedule schedule, IEnumerable<JobScheduleRow> rows) =>
        [.. rows.Where(row => row.Subject != schedule.Subject).Select(row => new PutOff(row.Subject, row.DueAt, row.StartedAt ?? row.DueAt))];

    private async Task MoveAsync(JobSchedule schedule, CancellationToken cancellation)
    {
        var started = await state.WriteAsync(
            async write =>
            {
                var row = await write.QueryFirstAsync<JobScheduleRow>(One, schedule);
                if (!IsToMove(schedule, row, write.Now)) return []; // another process was quicker
                if (row is null) await write.ExecuteAsync(Insert, new { schedule.Kind, schedule.Subject, Due = write.Now + schedule.First });
                if (row is null) return [];
                var isDue = row.DueAt <= write.Now; // or further away than it can be: the operator made the interval shorter
                await write.ExecuteAsync(Move, new { schedule.Kind, schedule.Subject, Due = write.Now + schedule.Every, StartedAt = isDue ? write.Now : row.StartedAt });
                if (!isDue) return [];
                if (schedule.Look is not null) return await LookAsync(write, schedule, isMain: true);
                return schedule.Request(write.Current) is { } request && await jobs.StartWithinAsync(write, request) is JobStart.Started ? [request] : [];
            },
            cancellation);
        foreach (var request in started) jobs.Wake(request);
    }

    /// <summary>Without a write: what waits for something else waits through many looks.</summary>
    private async Task<bool> IsAnythingToDoAsync(JobSchedule schedule, IEnumerable<JobScheduleRow> rows, DateTime now, CancellationToken cancellation)
    {
        var waiting = PutOffOf(schedule, rows);
        var found = schedule.Look!(new ScheduleLook(state.Snapshot, now, IsMain: false, await jobs.HeldAsync(cancellation), Come(schedule, waiting, now)));
        return found.Now.Count > 0 || !waiting.Where(late => HasCome(schedule, late, now)).All(found.Later.Contains) || !found.Later.All(waiting.Contains);
    }

    private async Task TakeUpAsync(JobSchedule schedule, CancellationToken cancellation)
    {
        var started = await state.WriteAsync(write => LookAsync(write, schedule, isMain: false), cancellation);
        foreach (var request in started) jobs.Wake(request);
    }

    /// <returns>What was started.</returns>
    private async Task<IReadOnlyList<JobRequest>> LookAsync(StateWrite write, JobSchedule schedule, bool isMain)
    {
        var waiting = PutOffOf(schedule, await write.QueryAsync<JobScheduleRow>(OfKind, schedule));
        var come = waiting.Where(late => HasCome(schedule, late, write.Now)).Select(late => late.Subject).ToHashSet(StringComparer.Ordinal);
        if (!isMain && come.Count == 0) return []; // another process was quicker
        var found = schedule.Look!(new ScheduleLook(write.Current, write.Now, isMain, await JobRunner.HeldAsync(write), Come(schedule, waiting, write.Now)));
        foreach (var late in found.Later.DistinctBy(late => late.Subject))
        {
            var before = waiting.FirstOrDefault(known => known.Subject == late.Subject);
            var isAgain = before is not null && !come.Remove(late.Subject); // what waits already goes on waiting for the earlier of the two
            var merged = isAgain ? late with { At = Earlier(late.At, before!.At), Slot = Earlier(late.Slot, before.Slot) } : late;
            if (merged == before) continue;
            await write.ExecuteAsync(before is null ? Later : Move, new { schedule.Kind, merged.Subject, Due = merged.At, StartedAt = merged.Slot });
        }

        foreach (var subject in come) await write.ExecuteAsync(Over, new { schedule.Kind, subject });
        var started = new List<JobRequest>();
        foreach (var request in found.Now)
        {
            if (await jobs.StartWithinAsync(write, request) is JobStart.Started) started.Add(request);
        }

        return started;
    }

    /// <summary>So that whoever looks has nothing to know of clocks that go back.</summary>
    private static List<PutOff> Come(JobSchedule schedule, List<PutOff> waiting, DateTime now) =>
        [.. waiting.Select(late => late.At > now && HasCome(schedule, late, now) ? late with { At = now } : late)];

    private static DateTime Earlier(DateTime one, DateTime other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
