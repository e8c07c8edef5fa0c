using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Files;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Sessions;

/// <summary>Uploads what waits in the queue. Killed at any moment, nothing is lost: an entry leaves the disk only after what became of it was written down.</summary>
internal sealed class Pusher(Host host, ApiClient api, Layout layout)
{
    private static readonly TimeSpan UploadIdle = TimeSpan.FromSeconds(60);

    private readonly SessionQueue _queue = new(layout, host.Clock);
    private readonly HashSet<SessionEntry> _seen = [];
    private readonly PushReport _report = new();
    private bool _isStopped;

    /// <returns>Null: another push is at work, or the lock cannot be had.</returns>
    public async Task<PushReport?> RunAsync(bool legacyScan, CancellationToken cancellation)
    {
        // A folder that is no workspace is not made one.
        if (!Directory.Exists(layout.Claude)) return _report;
        using var locked = TryLock();
        if (locked is null) return null;
        foreach (var file in _queue.TakeOver()) await PushFileAsync(file, cancellation);
        if (legacyScan)
        {
            foreach (var path in Transcripts.Find(layout)) await PushAsync(new SessionEntry(Path.GetFileNameWithoutExtension(path), path), cancellation);
        }

        if (!_isStopped) await PushLocalNotesAsync(cancellation);
        return _report;
    }

    public JsonObject DryRun(bool legacyScan)
    {
        var isPrivate = _queue.PrivateIds();
        var entries = _queue.Peek().ToList();
        if (legacyScan) entries.AddRange(Transcripts.Find(layout).Where(path => !entries.Exists(entry => entry.Path == path)).Select(path => new SessionEntry(Path.GetFileNameWithoutExtension(path), path)));
        var sessions = new List<JsonNode>();
        var refused = new List<JsonNode>();
        foreach (var entry in entries.Where(entry => !isPrivate.Contains(entry.Id)))
        {
            using var opened = OwnFile.Transcript(layout, entry.Path);
            if (opened.Outcome == Opening.Opened) sessions.Add(Path.GetFullPath(entry.Path));
            else if (opened.Outcome != Opening.Missing) refused.Add(new JsonObject { ["path"] = entry.Path, ["error"] = opened.Why });
        }

        var skipped = entries.Where(entry => isPrivate.Contains(entry.Id)).Select(entry => (JsonNode)new JsonObject { ["session_id"] = entry.Id, ["path"] = entry.Path }).ToArray();
        using var notes = OwnFile.Notes(layout);
        var hasNotes = notes.Outcome == Opening.Opened;
        return new JsonObject
        {
            ["dry_run"] = true,
            ["would_upload"] = new JsonObject { ["sessions"] = new JsonArray([.. sessions]), ["local_md"] = hasNotes ? layout.LocalNotes : null },
            ["would_skip_private"] = new JsonArray(skipped),
            ["would_refuse"] = new JsonArray([.. refused]),
            ["summary"] = new JsonObject { ["sessions_count"] = sessions.Count, ["private_skipped_count"] = skipped.Length, ["local_md_present"] = hasNotes, ["uploaded_log"] = layout.SessionsUploaded },
        };
    }

    private FileStream? TryLock()
    {
        try
        {
            return FileLock.TryTake(layout, layout.PushLock, TimeSpan.Zero, host.Clock);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"warn: nothing was pushed: {problem.Message}");
            return null;
        }
    }

    private async Task PushFileAsync(string file, CancellationToken cancellation)
    {
        var again = new List<SessionEntry>();
        foreach (var entry in SessionQueue.Read(file))
        {
            if (!await PushAsync(entry, cancellation)) again.Add(entry);
        }

        // First back into the queue, then away from here: a crash between the two leaves a line twice, never not at all.
        _queue.Append(again);
        File.Delete(file);
    }

    /// <returns>False: it is to be tried again later.</returns>
    private async Task<bool> PushAsync(SessionEntry entry, CancellationToken cancellation)
    {
        if (!_seen.Add(entry)) return true;
        // Read for each one: a session may be marked while others upload.
        if (entry.Id.Length > 0 && _queue.PrivateIds().Contains(entry.Id))
        {
            _queue.Log(layout.SessionsPrivateSkipped, entry.Id, entry.Path);
            _report.PrivateSkipped++;
            return true;
        }

        using var opened = OwnFile.Transcript(layout, entry.Path);
        switch (opened.Outcome)
        {
            case Opening.Opened: return !_isStopped && await UploadAsync(entry, opened.File!, cancellation);
            case Opening.TooLarge: return NeverTaken(entry, 413);
            case Opening.Unreadable:
                Note(entry.Path, opened.Why);
                return false;
            default:
                _report.Skipped++;
                Note(entry.Path, opened.Why);
                return true;
        }
    }

    private async Task<bool> UploadAsync(SessionEntry entry, OwnFile file, CancellationToken cancellation)
    {
        try
        {
            var answer = await api.UploadAsync("/api/upload/sessions", file, UploadIdle, cancellation);
            if (answer.Status == 200)
            {
                _queue.Log(layout.SessionsUploaded, entry.Path);
                _report.Sessions++;
                return true;
            }

            if (answer.Status is 400 or 403 or 404 or 413 or 415 or 422) return NeverTaken(entry, answer.Status);
            _report.Errors.Add((JsonNode)new JsonObject { ["file"] = file.Name, ["status"] = answer.Status });
            // The token is what all others would be refused for too; it will be renewed.
            _isStopped |= answer.Status == 401;
            return false;
        }
        catch (CliException unreachable) when (unreachable.ExitCode == ExitCode.Failed)
        {
            Note(entry.Path, unreachable.Message);
            _isStopped = true;
            return false;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Note(entry.Path, problem.Message);
            return false;
        }
    }

    /// <summary>The server does not take it and never will.</summary>
    private bool NeverTaken(SessionEntry entry, int status)
    {
        _report.Errors.Add((JsonNode)new JsonObject { ["file"] = Path.GetFileName(entry.Path), ["status"] = status });
        _queue.Log(layout.SessionsFailed, entry.Id, $"{status}", entry.Path);
        _report.DroppedPermanent++;
        return true;
    }

    private void Note(string path, string error) => _report.Errors.Add((JsonNode)new JsonObject { ["file"] = Path.GetFileName(path), ["error"] = error });

    private async Task PushLocalNotesAsync(CancellationToken cancellation)
    {
        using var notes = OwnFile.Notes(layout);
        if (notes.Outcome == Opening.Missing) return;
        var name = Path.GetFileName(layout.LocalNotes);
        if (notes.File is not { } file)
        {
            Note(layout.LocalNotes, notes.Why);
            return;
        }

        try
        {
            var answer = await api.PostAsync("/api/upload/local-md", new JsonObject { ["content"] = await file.ReadTextAsync(cancellation) }, cancellation);
            if (answer.Status == 200) _report.LocalNotes = true;
            else _report.Errors.Add((JsonNode)new JsonObject { ["file"] = name, ["status"] = answer.Status });
        }
        catch (CliException unreachable) when (unreachable.ExitCode == ExitCode.Failed)
        {
            Note(layout.LocalNotes, unreachable.Message);
        }
    }
}

/// <summary>What became of the queue.</summary>
internal sealed class PushReport
{
    public int Sessions { get; set; }

    public bool LocalNotes { get; set; }

    public JsonArray Errors { get; } = [];

    public int Skipped { get; set; }

    public int PrivateSkipped { get; set; }

    public int DroppedPermanent { get; set; }

    public JsonObject ToJson() => new()
    {
        ["sessions"] = Sessions,
        ["local_md"] = LocalNotes,
        ["errors"] = Errors.DeepClone(),
        ["skipped"] = Skipped,
        ["private_skipped"] = PrivateSkipped,
        ["dropped_permanent"] = DroppedPermanent,
    };
}
