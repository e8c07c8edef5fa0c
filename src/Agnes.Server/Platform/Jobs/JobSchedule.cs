using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>A job that is due again and again, whoever runs it. The row of <c>job_schedules</c> says when; it outlives restarts.</summary>
/// <param name="First">After the row was made. Later starts keep to the row, so that a server which is restarted often gets there too.</param>
/// <param name="Request">What to start on this state; null: nothing is to be done this time.</param>
internal sealed record JobSchedule(string Kind, TimeSpan First, TimeSpan Every, Func<Snapshot, JobRequest?> Request)
{
    /// <summary>Tells schedules of one kind apart.</summary>
    public string Subject { get; init; } = "";
}

/// <summary>A row of <c>job_schedules</c>.</summary>
internal sealed record JobScheduleRow
{
    public required string Kind { get; init; }
    public required string Subject { get; init; }
    public DateTime DueAt { get; init; }
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
    private const string One = "SELECT kind, subject, due_at, started_at FROM job_schedules WHERE kind = @Kind AND subject = @Subject";
    private const string Insert = "INSERT INTO job_schedules (kind, subject, due_at) VALUES (@Kind, @Subject, @Due)";
    private const string Move = "UPDATE job_schedules SET due_at = @Due, started_at = @StartedAt WHERE kind = @Kind AND subject = @Subject";

    private readonly List<JobSchedule> _schedules = [.. schedules.DistinctBy(schedule => (schedule.Kind, schedule.Subject))];

    public string Name => "schedules";

    public TimeSpan Every => TimeSpan.FromSeconds(30);

    public TimeSpan First => TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancellation)
    {
        var rows = (await state.ReadAsync<JobScheduleRow>(All, cancellation: cancellation)).ToDictionary(row => (row.Kind, row.Subject));
        foreach (var schedule in _schedules)
        {
            if (IsToMove(schedule, rows.GetValueOrDefault((schedule.Kind, schedule.Subject)), state.Options.Time.Micros())) await MoveAsync(schedule, cancellation);
        }
    }

    private static bool IsToMove(JobSchedule schedule, JobScheduleRow? row, DateTime now) => row is null || row.DueAt <= now || row.DueAt > now + Max(schedule.First, schedule.Every);

    private async Task MoveAsync(JobSchedule schedule, CancellationToken cancellation)
    {
        var started = await state.WriteAsync(
            async write =>
            {
                var row = await write.QueryFirstAsync<JobScheduleRow>(One, schedule);
                if (!IsToMove(schedule, row, write.Now)) return null; // another process was quicker
                if (row is null) await write.ExecuteAsync(Insert, new { schedule.Kind, schedule.Subject, Due = write.Now + schedule.First });
                if (row is null) return null;
                var isDue = row.DueAt <= write.Now; // or further away than it can be: the operator made the interval shorter
                await write.ExecuteAsync(Move, new { schedule.Kind, schedule.Subject, Due = write.Now + schedule.Every, StartedAt = isDue ? write.Now : row.StartedAt });
                if (!isDue || schedule.Request(write.Current) is not { } request) return null;
                return await jobs.StartWithinAsync(write, request) is JobStart.Started ? request : null;
            },
            cancellation);
        if (started is not null) jobs.Wake(started);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
