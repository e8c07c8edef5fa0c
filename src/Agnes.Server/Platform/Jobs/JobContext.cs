using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>What a handler has in hand while its job runs.</summary>
internal sealed class JobContext
{
    private const int LogLinesMax = 10_000;
    private const int LineCharsMax = 4_000;
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(250);

    private readonly StateDb _state;
    private readonly JobEvents _events;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, (JobStepRow Row, long Shown)> _steps = new(StringComparer.Ordinal); // a job's own tables
    private long _logged;

    public JobContext(JobRow job, StateDb state, JobEvents events, TimeProvider time, long logged)
    {
        Job = job;
        _state = state;
        _events = events;
        _time = time;
        _logged = logged;
        Checkpoint = job.Checkpoint;
        Keys = job.Key?.Split(JobRunner.KeySeparator) ?? [];
    }

    public JobRow Job { get; }

    /// <summary>What an earlier attempt saved; null at the first.</summary>
    public string? Checkpoint { get; private set; }

    /// <summary>What the job has to itself.</summary>
    public IReadOnlyList<string> Keys { get; private set; }

    public ICollection<JobStepRow> Steps => [.. _steps.Values.Select(step => step.Row)];

    /// <summary>Saved before it returns: to be called before something is done that must not be done twice.</summary>
    public async Task SaveCheckpointAsync(string checkpoint, CancellationToken cancellation)
    {
        var owned = await _state.WriteAsync(write => write.QueryAsync<string>(JobSql.SaveCheckpoint, new { id = Job.Id, owner = Job.Owner, checkpoint }), cancellation);
        if (owned.Count == 0) throw new JobLostException(Job.Id);
        Checkpoint = checkpoint;
    }

    /// <summary>Leaves what the job is done with to others, before its end.</summary>
    public async Task ReleaseAsync(IReadOnlyCollection<string> keys, CancellationToken cancellation)
    {
        var kept = Keys.Except(keys, StringComparer.Ordinal).ToList();
        if (kept.Count == Keys.Count) return;
        var key = kept.Count == 0 ? null : string.Join(JobRunner.KeySeparator, kept);
        var owned = await _state.WriteAsync(write => write.QueryAsync<string>(JobSql.KeepKeys, new { id = Job.Id, owner = Job.Owner, key }), cancellation);
        if (owned.Count == 0) throw new JobLostException(Job.Id);
        Keys = kept;
    }

    public async ValueTask LogAsync(string line, CancellationToken cancellation)
    {
        var seq = Interlocked.Increment(ref _logged);
        if (seq > LogLinesMax) return;
        var text = seq == LogLinesMax ? $"The log ends here: it has {LogLinesMax} lines." : Redactor.Redact(line.Length > LineCharsMax ? line[..LineCharsMax] : line);
        await _state.AppendAsync(JobSql.AppendLog, new { JobId = Job.Id, Seq = seq, Ts = _time.Micros(), Line = text }, cancellation);
    }

    public ValueTask TableStartedAsync(string table, CancellationToken cancellation) =>
        SaveAsync(new JobStepRow { Name = table, Status = "running", StartedAt = _time.Micros() }, "table_started", cancellation);

    /// <summary>For those who look on; stored with the next step only.</summary>
    public void TableProgress(string table, long? rows, long? bytes, string? phase)
    {
        if (!_steps.TryGetValue(table, out var step)) return;
        var row = step.Row with { Rows = rows ?? step.Row.Rows, Bytes = bytes ?? step.Row.Bytes, Phase = phase ?? step.Row.Phase };
        var show = phase != step.Row.Phase || _time.GetElapsedTime(step.Shown) >= ProgressEvery;
        _steps[table] = (row, show ? _time.GetTimestamp() : step.Shown);
        if (show) Publish("table_progress", Data(row));
    }

    public ValueTask TableDoneAsync(string table, string status, long? rows, long? bytes, CancellationToken cancellation) =>
        SaveAsync(StepOf(table) with { Status = status, Phase = null, Rows = rows, Bytes = bytes, FinishedAt = _time.Micros() }, "table_done", cancellation);

    public ValueTask TableFailedAsync(string table, string error, CancellationToken cancellation) =>
        SaveAsync(StepOf(table) with { Status = "failed", Error = Redactor.Redact(error), FinishedAt = _time.Micros() }, "table_failed", cancellation);

    public void Publish(string name, JsonObject data) => _events.Publish(Job.Id, Job.Kind, name, data.ToJsonString());

    private JobStepRow StepOf(string table) => _steps.TryGetValue(table, out var step)
        ? step.Row
        : new JobStepRow { Name = table, Status = "running", StartedAt = _time.Micros() };

    private ValueTask SaveAsync(JobStepRow row, string name, CancellationToken cancellation)
    {
        _steps[row.Name] = (row, _time.GetTimestamp());
        Publish(name, Data(row));
        return _state.AppendAsync(
            JobSql.SaveStep,
            new { JobId = Job.Id, row.Name, row.Status, row.Phase, row.Rows, row.Bytes, row.StartedAt, row.FinishedAt, row.Error },
            cancellation);
    }

    private JsonObject Data(JobStepRow row)
    {
        var data = new JsonObject { ["run_id"] = Job.Id, ["table"] = row.Name, ["status"] = row.Status, ["rows"] = row.Rows, ["bytes"] = row.Bytes };
        if (row.Status == "running") (data["phase"], data["pct"]) = (row.Phase, null);
        if (row.Error is not null) data["error"] = row.Error;
        return data;
    }
}

/// <summary>Another process has taken the job over: this one must stop and write nothing more of it.</summary>
internal sealed class JobLostException(string id) : Exception($"The job {id} no longer belongs to this process.");
