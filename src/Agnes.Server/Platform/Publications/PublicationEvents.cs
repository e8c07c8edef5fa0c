using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>What became of a table. Of several that follow each other before a listener hears of them it hears the last.</summary>
internal sealed record PublicationEvent
{
    public const string Published = "published";

    /// <summary>The same rows, extracted again.</summary>
    public const string Refreshed = "refreshed";
    public const string Removed = "removed";

    public required string Id { get; init; }
    public required string TableName { get; init; }

    /// <summary><see cref="Published"/>, <see cref="Refreshed"/> or <see cref="Removed"/>.</summary>
    public required string What { get; init; }

    /// <summary>Of the version that is current after it; none after a removal.</summary>
    public long? Number { get; init; }
    public DateTime HappenedAt { get; init; }
    public int Attempts { get; init; }
}

/// <summary>
/// Hears what became of tables, each at least once after it was committed, also when the process ended in between. It may hear of one twice, so it looks at how
/// things stand and makes its own follow.
/// </summary>
internal interface IPublicationListener
{
    /// <summary>Stays the same: what waits for a listener is stored under its name.</summary>
    string Name { get; }

    /// <summary>Where its deliveries wait for their turn.</summary>
    Lane Lane => Lane.Disk;

    /// <summary>Whether it takes room on the disk; then it hears nothing while less than the reserve is free.</summary>
    bool FillsDisk => true;

    /// <exception cref="Exception">It is told of these again later.</exception>
    Task HearAsync(JobContext job, IReadOnlyList<PublicationEvent> events, CancellationToken cancellation);
}

internal static class ListenerServices
{
    /// <summary>Has a listener hear of publications; it is also there under its own type.</summary>
    public static void AddPublicationListener<T>(this IServiceCollection services)
        where T : class, IPublicationListener
    {
        services.AddSingleton<T>();
        services.AddSingleton<IPublicationListener>(provider => provider.GetRequiredService<T>());
        services.AddSingleton<IJobHandler>(provider => ActivatorUtilities.CreateInstance<DeliveryJob>(provider, provider.GetRequiredService<T>()));
    }
}

/// <summary>
/// The rows of <c>publication_events</c>: for each listener, one for each table that something became of. They are written with what they tell of, and deleted once
/// they were heard.
/// </summary>
internal sealed class PublicationEvents(StateDb state, JobRunner jobs, IServiceProvider services) : IPeriodic
{
    // Listeners start jobs and read publications too, so they come later.
    private readonly Lazy<IReadOnlyList<IPublicationListener>> _listeners = new(() => [.. services.GetServices<IPublicationListener>()]);

    public string Name => "publication events";

    /// <summary>For what an ended process left, and what failed.</summary>
    public TimeSpan Every => TimeSpan.FromSeconds(30);

    public TimeSpan First => TimeSpan.FromSeconds(5);

    /// <summary>In the transaction of what they tell of; <see cref="DeliverAsync"/> follows its commit.</summary>
    public async Task AddAsync(StateWrite write, string what, IReadOnlyCollection<string> tables)
    {
        if (tables.Count == 0 || _listeners.Value.Count == 0) return;
        var waiting = (await write.QueryAsync<string>(PublicationEventSql.Waiting)).ToHashSet(StringComparer.Ordinal);
        foreach (var table in tables.Where(waiting.Contains)) await write.ExecuteAsync(PublicationEventSql.Forget, new { table });
        var rows =
            from listener in _listeners.Value
            from table in tables
            select new
            {
                Listener = listener.Name,
                TableName = table,
                Id = write.NewId(),
                What = what,
                Number = what == PublicationEvent.Removed ? null : write.Current.PublishedTable(table)?.Number,
                HappenedAt = write.Now,
                Attempts = 0,
                DueAt = write.Now,
            };
        await write.InsertAsync(PublicationEventSql.Insert, [.. rows]);
    }

    public async Task AddAsync(StateWrite write, CommitOutcome outcome)
    {
        await AddAsync(write, PublicationEvent.Published, outcome.Published);
        await AddAsync(write, PublicationEvent.Refreshed, outcome.Refreshed);
        await AddAsync(write, PublicationEvent.Removed, outcome.Removed);
    }

    /// <summary>Starts what delivers. Should the process end before, the next one does.</summary>
    public async Task DeliverAsync(CancellationToken cancellation)
    {
        foreach (var listener in _listeners.Value) await jobs.StartAsync(DeliveryJob.Request(listener.Name), cancellation);
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        var due = (await state.ReadAsync<string>(PublicationEventSql.Due, new { now = state.Options.Time.Micros() }, cancellation)).ToHashSet(StringComparer.Ordinal);
        foreach (var listener in _listeners.Value.Where(listener => due.Contains(listener.Name))) await jobs.StartAsync(DeliveryJob.Request(listener.Name), cancellation);
    }
}

/// <summary>Tells one listener what waits for it.</summary>
internal sealed class DeliveryJob(IPublicationListener listener, StateDb state, DiskReserve disk) : IJobHandler
{
    private const int BatchMax = 1_000;
    private static readonly TimeSpan RetryMin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromHours(1);
    private const int DoublingsMax = 6;

    public string Kind => KindOf(listener.Name);

    public Lane Lane => listener.Lane;

    /// <summary>Looked at below, so that what cannot be heard now is put off.</summary>
    public bool FillsDisk => false;

    public static JobRequest Request(string listener) => new(KindOf(listener), listener, KindOf(listener), "publication", null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        while (await NextAsync(cancellation) is { Count: > 0 } events)
        {
            try
            {
                if (listener.FillsDisk && disk.IsLow) throw new IOException($"{DiskReserve.Code}: {DiskReserve.Refused}");
                await listener.HearAsync(job, events, cancellation);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                await PutOffAsync(events, cancellation);
                throw;
            }
            await state.WriteAsync(write => write.ExecuteAsync(PublicationEventSql.Heard, events.Select(heard => new { Listener = listener.Name, heard.TableName, heard.Id }).ToList()), cancellation);
        }

        return new JobResult(JobStatus.Ok)
        {
            // What was committed while this job ended found it busy.
            Next = async write => (await write.QueryAsync<string>(PublicationEventSql.Due, new { now = write.Now })).Contains(listener.Name) ? Request(listener.Name) : null,
        };
    }

    private static string KindOf(string listener) => $"deliver:{listener}";

    private Task<IReadOnlyList<PublicationEvent>> NextAsync(CancellationToken cancellation) =>
        state.ReadAsync<PublicationEvent>(PublicationEventSql.Next, new { listener = listener.Name, now = state.Options.Time.Micros(), limit = BatchMax }, cancellation);

    private Task PutOffAsync(IReadOnlyList<PublicationEvent> events, CancellationToken cancellation) => state.WriteAsync(
        write => write.ExecuteAsync(
            PublicationEventSql.PutOff,
            events.Select(heard => new { Listener = listener.Name, heard.TableName, heard.Id, DueAt = write.Now + Wait(heard.Attempts) }).ToList()),
        cancellation);

    private static TimeSpan Wait(int attempts) => TimeSpan.FromTicks(Math.Min(RetryMin.Ticks << Math.Min(attempts, DoublingsMax), RetryMax.Ticks));
}

/// <summary>Of a listener that never comes to hear, or that is no more.</summary>
internal sealed class RetainedPublicationEvents(StateDb state, ServerOptions options) : IRetained
{
    public string Name => "publication_events";

    public TimeSpan KeptFor => options.Limits.KeepJobs;

    public async Task<int> RemoveAsync(DateTime before, int batch, CancellationToken cancellation) =>
        (await state.WriteAsync(write => write.QueryAsync<string>(PublicationEventSql.Expire, new { before, batch }), cancellation)).Count;
}

internal static class PublicationEventSql
{
    public const string Waiting = "SELECT DISTINCT table_name FROM publication_events";

    public const string Due = "SELECT DISTINCT listener FROM publication_events WHERE due_at <= @now";

    public const string Next =
        """
        SELECT id, table_name, what, number, happened_at, attempts FROM publication_events
        WHERE listener = @listener AND due_at <= @now ORDER BY happened_at, table_name LIMIT @limit
        """;

    /// <summary>Something else became of the table before anybody heard.</summary>
    public const string Forget = "DELETE FROM publication_events WHERE table_name = @table";

    public const string Insert =
        """
        INSERT INTO publication_events (listener, table_name, id, what, number, happened_at, attempts, due_at)
        VALUES (@Listener, @TableName, @Id, @What, @Number, @HappenedAt, @Attempts, @DueAt)
        """;

    /// <summary>By its id as well: what came meanwhile was not heard.</summary>
    public const string Heard = "DELETE FROM publication_events WHERE listener = @Listener AND table_name = @TableName AND id = @Id";

    public const string PutOff =
        "UPDATE publication_events SET attempts = attempts + 1, due_at = @DueAt WHERE listener = @Listener AND table_name = @TableName AND id = @Id";

    public const string Expire =
        """
        DELETE FROM publication_events WHERE id IN (SELECT id FROM publication_events WHERE happened_at < @before ORDER BY happened_at LIMIT @batch)
        RETURNING id
        """;
}
