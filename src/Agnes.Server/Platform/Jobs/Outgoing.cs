using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>A way out of the house: mail, a chat, a webhook.</summary>
internal interface IOutlet
{
    /// <summary>Stays the same: what waits is stored under it.</summary>
    string Channel { get; }

    /// <param name="content">As it was posted.</param>
    /// <exception cref="OutletException">It was not taken.</exception>
    Task SendAsync(string content, CancellationToken cancellation);
}

/// <param name="reason">For the log: no address, no text, no secret.</param>
/// <param name="isForNow">Worth another try.</param>
internal class OutletException(string reason, bool isForNow, Exception? inner = null) : Exception(reason, inner)
{
    public bool IsForNow { get; } = isForNow;
}

/// <summary>
/// What is to leave the house: a row of <c>outbox</c>, sealed, since it may hold a link that is a key. A job sends each; what was not taken for now is tried again
/// for some hours, also after a restart, and may then arrive twice.
/// </summary>
internal sealed partial class Outgoing(StateDb state, JobRunner jobs, SessionKey key, ILogger<Outgoing> log) : IPeriodic
{
    /// <summary>In one channel.</summary>
    public const int WaitingMax = 1_000;

    private const string Insert =
        """
        INSERT INTO outbox (id, channel, content, created_at, attempts, due_at)
        SELECT @Id, @Channel, @Content, @Now, 0, @Due WHERE (SELECT count(*) FROM outbox WHERE channel = @Channel) < @WaitingMax
        RETURNING id
        """;

    private const string New = "SELECT count(*) FROM outbox WHERE channel = @channel AND attempts = 0";
    private const string Due = "SELECT id FROM outbox WHERE due_at <= @now ORDER BY due_at LIMIT @limit";

    /// <summary>Until then its first job has it.</summary>
    private static readonly TimeSpan FirstJobLasts = TimeSpan.FromMinutes(2);
    private readonly SessionKey _key = key.For("outbox");

    public string Name => "what is to be sent";

    public TimeSpan Every => TimeSpan.FromSeconds(30);

    /// <returns>Whether it was taken; not whether it will arrive.</returns>
    public async Task<bool> PostAsync(string channel, string content, CancellationToken cancellation)
    {
        var sealedContent = _key.Seal(Encoding.UTF8.GetBytes(content));
        var request = await state.WriteAsync(
            async write =>
            {
                var row = new { Id = write.NewId(), Channel = channel, Content = sealedContent, write.Now, Due = write.Now + FirstJobLasts, WaitingMax };
                if ((await write.QueryAsync<string>(Insert, row)).Count == 0) return null;
                var send = SendJob.Request(row.Id);
                await jobs.StartWithinAsync(write, send); // where its lane is full, it is found when it is due
                return send;
            },
            cancellation);
        if (request is null) LogFull(log, channel, WaitingMax);
        else jobs.Wake(request);
        return request is not null;
    }

    /// <summary>Whether something waits that was not tried yet.</summary>
    public async Task<bool> IsAnyNewAsync(string channel, CancellationToken cancellation) => (await state.ReadAsync<long>(New, new { channel }, cancellation))[0] > 0;

    /// <summary>Null: it was sealed with another key.</summary>
    public string? Open(string content) => _key.Open(content, charsMax: int.MaxValue) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var id in await state.ReadAsync<string>(Due, new { now = state.Options.Time.Micros(), limit = WaitingMax }, cancellation))
        {
            if (await jobs.StartAsync(SendJob.Request(id), cancellation) is JobStart.QueueFull) return;
        }
    }

    [LoggerMessage(EventId = 6005, Level = LogLevel.Error, Message = "Something to be sent by {Channel} was dropped: {WaitingMax} wait already.")]
    private static partial void LogFull(ILogger log, string channel, int waitingMax);
}

/// <summary>A row of <c>outbox</c>.</summary>
internal sealed record OutgoingRow
{
    public required string Id { get; init; }
    public required string Channel { get; init; }

    /// <summary>Sealed.</summary>
    public required string Content { get; init; }
    public DateTime CreatedAt { get; init; }
    public int Attempts { get; init; }
}

/// <summary>Sends one of what is to be sent. So one that is slow holds up none but its slot.</summary>
internal sealed class SendJob(StateDb state, Outgoing outgoing, IEnumerable<IOutlet> outlets, TimeProvider time) : IJobHandler
{
    public const string KindName = "send";
    private const int AttemptsMax = 8;

    /// <summary>Within one job: a server that is busy for a moment.</summary>
    private const int TriesMax = 3;
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TryTimeMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AttemptAfter = TimeSpan.FromMinutes(2);
    private const string One = "SELECT id, channel, content, created_at, attempts FROM outbox WHERE id = @id";
    private const string Sent = "DELETE FROM outbox WHERE id = @id";
    private const string PutOff = "UPDATE outbox SET attempts = @attempts, due_at = @due WHERE id = @id";

    public string Kind => KindName;

    /// <summary>Of its own: syncs that wait for servers elsewhere must not keep a link from its reader.</summary>
    public Lane Lane { get; } = new("outgoing", 4);

    public bool FillsDisk => false;

    public static JobRequest Request(string id) => new(KindName, id, $"{KindName}:{id}", "outbox", null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var id = job.Job.Subject!;
        if ((await state.ReadAsync<OutgoingRow>(One, new { id }, cancellation)).FirstOrDefault() is not { } row) return JobResult.Ok;
        if (await TrySendAsync(row, cancellation) is not { } fault)
        {
            await state.WriteAsync(write => write.ExecuteAsync(Sent, new { id }), cancellation);
            return JobResult.Ok;
        }

        // 2, 4, 8 … minutes: a mail server that is down for some hours is waited for.
        var attempts = row.Attempts + 1;
        var isOver = !fault.IsForNow || attempts >= AttemptsMax;
        await state.WriteAsync(
            write => isOver
                ? write.ExecuteAsync(Sent, new { id })
                : write.ExecuteAsync(PutOff, new { id, attempts, due = write.Now + (AttemptAfter * (1 << row.Attempts)) }),
            cancellation);
        return new JobResult(JobStatus.Failed, Error: $"{row.Channel}: {fault.Message}; {(isOver ? "it was given up" : "it is tried again")}.");
    }

    private async Task<OutletException?> TrySendAsync(OutgoingRow row, CancellationToken cancellation)
    {
        if (outlets.FirstOrDefault(outlet => outlet.Channel == row.Channel) is not { } outlet) return new OutletException("this server sends nothing this way", isForNow: true);
        if (outgoing.Open(row.Content) is not { } content) return new OutletException("it was sealed with another SESSION_SECRET", isForNow: false);
        for (var attempt = 1; ; attempt++)
        {
            if (await TryOnceAsync(outlet, content, cancellation) is not { } fault) return null;
            if (!fault.IsForNow || attempt == TriesMax) return fault;
            await Task.Delay(TryAgainAfter * attempt, time, cancellation);
        }
    }

    private static async Task<OutletException?> TryOnceAsync(IOutlet outlet, string content, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TryTimeMax);
        try
        {
            await outlet.SendAsync(content, limit.Token);
            return null;
        }
        catch (OutletException fault)
        {
            return fault;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new OutletException($"no answer within {TryTimeMax.TotalSeconds} seconds", isForNow: true);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return new OutletException(fault.GetType().Name, isForNow: false, fault); // what it says may hold what was to be sent
        }
    }
}
