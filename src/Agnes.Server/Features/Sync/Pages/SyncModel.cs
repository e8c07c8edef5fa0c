namespace Agnes.Server.Features.Sync.Pages;

/// <summary>A run of the list.</summary>
/// <param name="Tables">What it was asked for: <c>all that are due</c>, or a few names.</param>
public sealed record SyncRun(string Id, string Status, string Trigger, string? By, string Tables, DateTime CreatedAt, DateTime? StartedAt, DateTime? FinishedAt, string? Error)
{
    public string Href => $"/admin/sync/{Id}";

    public bool IsRunning => FinishedAt is null;

    public TimeSpan? Duration(DateTime now) => StartedAt is { } started ? (FinishedAt ?? now) - started : null;
}

/// <summary>What a run did to one table.</summary>
public sealed record SyncStep(string Table, string Status, string? Phase, long? Rows, long? Bytes, TimeSpan? Duration, string? Error);

public sealed record SyncModel(IReadOnlyList<SyncRun> Runs, SyncRun? Current, IReadOnlyList<SyncStep> CurrentSteps, string? OlderHref, bool HasTables, DateTime Now);

/// <param name="LogOmitted">Lines before those shown.</param>
public sealed record SyncRunModel(SyncRun Run, IReadOnlyList<SyncStep> Steps, IReadOnlyList<string> Log, long LogOmitted, DateTime Now);
