namespace Agnes.Server.Platform.Jobs;

internal static class JobSql
{
    private const string Columns =
        "id, kind, subject, key, lane, status, trigger, requested_by, created_at, started_at, finished_at, heartbeat_at, cancel_requested_at, owner, progress, checkpoint, error, result, input, attempts";

    /// <summary>Takes the place in the queue of its lane, if there is one.</summary>
    public const string Enqueue =
        """
        INSERT INTO jobs (id, kind, subject, key, lane, status, trigger, requested_by, created_at, input, attempts)
        SELECT @Id, @Kind, @Subject, @Key, @Lane, 'queued', @Trigger, @RequestedBy, @Now, @Input, 0
        WHERE (SELECT count(*) FROM jobs WHERE status = 'queued' AND lane = @Lane) < @QueuedMax
        RETURNING id
        """;

    /// <summary>Who has which keys; few, since queues are bounded.</summary>
    public const string Held = "SELECT id, key FROM jobs WHERE finished_at IS NULL AND key IS NOT NULL";

    /// <summary>What is done with may be another's before the job ends.</summary>
    public const string KeepKeys = "UPDATE jobs SET key = @key WHERE id = @id AND owner = @owner AND status = 'running' RETURNING id";

    /// <summary>The lease: whoever gets a row back runs the job.</summary>
    public const string Claim =
        """
        UPDATE jobs SET status = 'running', owner = @owner, started_at = coalesce(started_at, @now), heartbeat_at = @now, attempts = coalesce(attempts, 0) + 1
        WHERE id = @id AND status = 'queued'
        RETURNING id
        """;

    public const string NextQueued = "SELECT id FROM jobs WHERE status = 'queued' AND lane = @lane ORDER BY created_at, id LIMIT 1";

    public const string ById = $"SELECT {Columns} FROM jobs WHERE id = @id";

    /// <summary>Also tells whether somebody asked for an end.</summary>
    public const string Heartbeat =
        "UPDATE jobs SET heartbeat_at = @now WHERE id = @id AND owner = @owner AND status = 'running' RETURNING cancel_requested_at";

    public const string Finish =
        """
        UPDATE jobs SET status = @status, finished_at = @now, error = @error, result = @result
        WHERE id = @id AND owner = @owner AND status = 'running'
        RETURNING id
        """;

    private const string IsLeft = "status = 'running' AND (owner IS NULL OR owner <> @owner) AND (heartbeat_at IS NULL OR heartbeat_at < @before)";

    /// <summary>Jobs whose process is gone go back to the queue; after <see cref="GiveUp"/>.</summary>
    public const string Requeue =
        $"""
        UPDATE jobs SET status = 'queued', owner = NULL, interruptions = coalesce(interruptions, 0) + 1
        WHERE {IsLeft}
        RETURNING lane
        """;

    /// <summary>Those that were left so often since their checkpoint changed: it may be they that end processes.</summary>
    public const string GiveUp =
        $"""
        UPDATE jobs SET status = 'failed', finished_at = @now, error = @error
        WHERE {IsLeft} AND coalesce(interruptions, 0) + 1 >= @interruptionsMax
        RETURNING id
        """;

    public const string RequestCancel = "UPDATE jobs SET cancel_requested_at = @now WHERE id = @id AND finished_at IS NULL RETURNING status";

    public const string CancelQueued = "UPDATE jobs SET status = 'cancelled', finished_at = @now WHERE id = @id AND status = 'queued' RETURNING id";

    public const string SaveCheckpoint =
        """
        UPDATE jobs SET checkpoint = @checkpoint, interruptions = CASE WHEN checkpoint IS DISTINCT FROM @checkpoint THEN 0 ELSE interruptions END
        WHERE id = @id AND owner = @owner AND status = 'running'
        RETURNING id
        """;

    public const string AppendLog = "INSERT INTO job_log (job_id, seq, ts, line) VALUES (@JobId, @Seq, @Ts, @Line)";

    public const string SaveStep =
        """
        INSERT INTO job_steps (job_id, name, status, phase, rows, bytes, started_at, finished_at, error)
        VALUES (@JobId, @Name, @Status, @Phase, @Rows, @Bytes, @StartedAt, @FinishedAt, @Error)
        ON CONFLICT (job_id, name) DO UPDATE SET status = excluded.status, phase = excluded.phase, rows = excluded.rows, bytes = excluded.bytes,
            finished_at = excluded.finished_at, error = excluded.error
        """;

    public const string Steps = "SELECT name, status, phase, rows, bytes, started_at, finished_at, error FROM job_steps WHERE job_id = @id ORDER BY started_at NULLS LAST, name";

    public const string Log = "SELECT seq, ts, line FROM job_log WHERE job_id = @id AND seq > @after ORDER BY seq LIMIT @limit";

    public const string LastLogSeq = "SELECT coalesce(max(seq), 0) FROM job_log WHERE job_id = @id";

    public const string Newest = $"SELECT {Columns} FROM jobs WHERE kind = @kind ORDER BY created_at DESC, id DESC LIMIT @limit";

    public const string NewestBefore =
        $"""
        SELECT {Columns} FROM jobs
        WHERE kind = @kind AND (created_at, id) < (SELECT created_at, id FROM jobs WHERE id = @before)
        ORDER BY created_at DESC, id DESC LIMIT @limit
        """;

    public const string AnyUnfinished = "SELECT count(*) FROM jobs WHERE kind = @kind AND finished_at IS NULL";

    /// <summary>Jobs that ended long ago; their log and steps go with them.</summary>
    public const string Expired =
        "SELECT id FROM jobs WHERE finished_at < @before ORDER BY finished_at LIMIT @limit";

    public const string DeleteLog = "DELETE FROM job_log WHERE job_id = @id";
    public const string DeleteSteps = "DELETE FROM job_steps WHERE job_id = @id";
    public const string Delete = "DELETE FROM jobs WHERE id = @id AND finished_at IS NOT NULL";
}
