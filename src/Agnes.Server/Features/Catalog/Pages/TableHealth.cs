using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary>How far a table's rows can be trusted to be of today: what the chip beside its age says.</summary>
/// <param name="Tone">See <see cref="Web.Components.Chip"/>.</param>
/// <param name="LoadedAt">When the rows that are served were taken from the source.</param>
/// <param name="Error">Of the last attempt, when it failed.</param>
public sealed record TableHealth(string Tone, string Label, DateTime? LoadedAt, string? Error)
{
    public bool IsProblem => Tone is "bad" or "warn";

    /// <param name="known">What the source said, where the table stays there.</param>
    internal static TableHealth Of(
        Snapshot snapshot, TableRow? row, PublishedVersion? published, string name, DateTime now, TableMetadata? known = null)
    {
        var state = snapshot.SyncStates.GetValueOrDefault(name);
        var loadedAt = published?.ExtractedAt ?? state?.LastSync;
        if (row?.QueryMode == "remote")
            return known?.ErrorMsg is { } said ? new("bad", "Source failed", loadedAt, said) : new("info", "Live", loadedAt, null);
        if (state is { Status: "error" }) return new("bad", published is null ? "Failed" : "Last sync failed", loadedAt, state.Error);
        if (published is null) return new("warn", "Not loaded yet", null, null);
        if (SyncSchedule.TryParse(row?.SyncSchedule, out var schedule) && schedule.IsDue(snapshot.Pulls.GetValueOrDefault(name)?.PulledAt ?? loadedAt, now)) return new("warn", "Late", loadedAt, null);
        return new("good", "Fresh", loadedAt, null);
    }
}
