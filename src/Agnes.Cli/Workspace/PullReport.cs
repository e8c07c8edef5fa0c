using System.Text.Json.Nodes;

namespace Agnes.Cli.Workspace;

/// <summary>What went wrong with a table, or with a stage of the pull.</summary>
internal sealed record PullError(string? Table, string? Stage, string Error)
{
    public override string ToString() => $"{Table ?? Stage}: {Error}";
}

/// <param name="IsQuiet">Started by a hook rather than a person: gives way to another pull, and leaves a rolled-back workspace as it is.</param>
internal sealed record PullOptions(bool DryRun, bool SkipMaterialized, bool Prune, bool IsQuiet)
{
    /// <summary>How long a server may take to say what there is.</summary>
    public TimeSpan FirstAnswer { get; init; } = Api.ApiClient.MetadataIdle;
}

/// <summary>What a pull did.</summary>
internal sealed record PullReport
{
    public IReadOnlyList<string> Updated { get; init; } = [];

    public IReadOnlyList<string> Removed { get; init; } = [];

    public IReadOnlyList<PullError> Errors { get; init; } = [];

    /// <summary>Worth saying, and no failure.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public int ParquetsTotal { get; init; }

    public int RemoteTables { get; init; }

    public long BytesReceived { get; init; }

    public int PartsReceived { get; init; }

    /// <summary>With --dry-run: what would be brought.</summary>
    public long BytesPlanned { get; init; }

    public int PartsPlanned { get; init; }

    public bool IsDryRun { get; init; }

    public bool IsSkippedLocked { get; init; }

    /// <summary>The tables stay at the version of an earlier rollback.</summary>
    public bool IsHeld { get; init; }

    public InstructionsOutcome Instructions { get; init; }

    public TimeSpan Duration { get; init; }

    public JsonObject ToJson()
    {
        if (IsSkippedLocked) return new JsonObject { ["skipped"] = "locked" };
        var json = new JsonObject
        {
            ["tables_updated"] = IsDryRun ? 0 : Updated.Count,
            ["parquets_total"] = ParquetsTotal,
            ["rules_count"] = 0,
            ["duration_s"] = Math.Round(Duration.TotalSeconds, 3),
            ["errors"] = new JsonArray([.. Errors.Select(ToJson)]),
            ["tables_removed"] = IsDryRun ? 0 : Removed.Count,
            ["removed"] = new JsonArray([.. Removed.Select(name => (JsonNode)name)]),
            ["parts_downloaded"] = PartsReceived,
            ["bytes_downloaded"] = BytesReceived,
            ["remote_tables"] = RemoteTables,
            ["warnings"] = new JsonArray([.. Warnings.Select(text => (JsonNode)text)]),
        };
        if (IsHeld) json["held"] = true;
        if (Instructions != InstructionsOutcome.None) json["instructions"] = Instructions switch { InstructionsOutcome.Updated => "updated", InstructionsOutcome.KeptEdited => "kept_edited", _ => "unchanged" };
        if (!IsDryRun) return json;
        json["dry_run"] = true;
        json["would_update"] = new JsonArray([.. Updated.Select(name => (JsonNode)name)]);
        json["would_remove"] = new JsonArray([.. Removed.Select(name => (JsonNode)name)]);
        json["would_download_parts"] = PartsPlanned;
        json["would_download_bytes"] = BytesPlanned;
        return json;
    }

    private static JsonObject ToJson(PullError error)
    {
        var json = new JsonObject();
        if (error.Table is not null) json["table"] = error.Table;
        if (error.Stage is not null) json["stage"] = error.Stage;
        json["error"] = error.Error;
        return json;
    }
}
