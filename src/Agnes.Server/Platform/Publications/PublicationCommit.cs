using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Publishing;
using Agnes.Protocol;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>What a commit did.</summary>
/// <param name="Collided">Tables whose name another source owns.</param>
/// <param name="Freed">Names that no source owns any more.</param>
internal sealed record CommitOutcome(
    IReadOnlyList<string> Published,
    IReadOnlyList<string> Refreshed,
    IReadOnlyList<string> Removed,
    IReadOnlyList<string> Collided,
    IReadOnlyList<SkippedTable> Skipped,
    string? Problem)
{
    /// <summary>How long the transaction took, with its wait for the gate.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Tables whose source has other columns than were published, and what became of them: see <see cref="SchemaDrifts"/>.</summary>
    public IReadOnlyList<(string Table, string Outcome, SchemaDrift Drift)> Drifts { get; init; } = [];

    public bool Changed => Published.Count + Refreshed.Count + Removed.Count > 0;
}

/// <summary>
/// Takes a prepared publication into the state, inside one transaction. Only what changed is written: the cost does not depend on what else is published.
/// </summary>
internal sealed class PublicationCommit(StateWrite write, Publication publication, SourceKinds kinds, TableBelongings belongings)
{
    // What a scan wrote, a scan may take back; errors of a sync are cleared by a sync.
    private const string SourceProblem = "The source cannot be read: ";
    private const string TableProblem = "Not published: ";

    private readonly string _source = publication.Source;
    private readonly Connection? _own = kinds.OfFolder(write.Before, publication.Source);
    private readonly List<string> _published = [];
    private readonly List<string> _refreshed = [];
    private readonly List<string> _removed = [];
    private readonly List<string> _collided = [];
    private readonly List<(string Table, string Outcome, SchemaDrift Drift)> _drifts = [];

    // New rows, added together at the end: a statement for each would take a first commit of a thousand tables beyond the time that a write has.
    private readonly List<object> _versions = [];
    private readonly List<object> _parts = [];
    private readonly List<object> _states = [];
    private readonly List<object> _history = [];

    /// <summary>Names that the source offered already while another had them, as whoever looks after the server was told: grants on them go on.</summary>
    public IReadOnlyList<string> Waited { get; init; } = [];

    public async Task<CommitOutcome> RunAsync()
    {
        if (publication.Problem is { } problem)
        {
            foreach (var name in write.Before.PublishedNamesOf(_source)) await FailAsync(name, SourceProblem + problem);
        }
        else
        {
            foreach (var name in publication.Removed) await RemoveAsync(name);
            foreach (var table in publication.Tables.Where(IsOurs)) await PublishAsync(table);
            await write.InsertAsync(PublicationSql.InsertVersion, _versions);
            await write.InsertAsync(PublicationSql.InsertPart, _parts);
            await write.InsertAsync(PublicationSql.InsertState, _states);
            await write.InsertAsync(PublicationSql.AddHistory, _history);
            foreach (var skipped in publication.Skipped.Where(s => Belongs(s.Name)))
            {
                if (skipped.Drift is { } refused) await RefuseAsync(skipped, refused);
                else await FailAsync(skipped.Name, TableProblem + skipped.Reason);
            }
        }

        var outcome = new CommitOutcome(_published, _refreshed, _removed, _collided, publication.Skipped, publication.Problem) { Drifts = _drifts };
        if (outcome.Changed) write.Audit(null, "publish", _source, Describe(outcome), "ok");
        return outcome;
    }

    /// <summary>A source of our own holds registered tables only: what else lies there was unregistered or renamed since, and the next run drops it.</summary>
    private bool IsOurs(TablePublication table) => _own is null || IsRegistered(table.Name);

    private bool IsRegistered(string name) => write.Current.TableByName(name) is { } row && kinds.PulledBy(write.Current, row)?.Name == _own?.Name && row.Name == name;

    private async Task PublishAsync(TablePublication table)
    {
        if (!await ClaimAsync(table.Name)) return;
        var current = write.Current.PublishedTable(table.Name);
        if (current is not null && (!table.Changed || IsSame(current, table)))
        {
            await ClearProblemAsync(table.Name);
            return;
        }

        var digest = PartsList.Digest(table.Parts);
        if (current?.InsteadOf is { } rejected && rejected == digest)
        {
            await ClearProblemAsync(table.Name); // an admin went back behind these rows: others are waited for
            await NoteExtractionAsync(table);
            return;
        }

        if (current is not null && IsOutsideContract(current, table)) return;
        var sameRows = current is not null && current.Source == _source && current.PartsDigest == digest && current.QueryMode == table.QueryMode
            && current.Name == table.Name && current.Columns.SequenceEqual(table.Columns);
        if (sameRows) await RefreshAsync(current!, table);
        else await ReplaceAsync(current, table, digest);
        await NoteDriftAsync(current, table);
        await SaveStateAsync(table);
    }

    /// <summary>
    /// The contract was set while the rows were brought, so that nobody has held them to it yet: the next look at the source does, and says why.
    /// </summary>
    private bool IsOutsideContract(PublishedVersion current, TablePublication table) =>
        write.Current.TableByName(table.Name)?.SchemaContract is SchemaContract.Freeze or SchemaContract.Discard
        && current.Source == _source && current.Columns.Count > 0 && table.QueryMode != TableRules.ModeRemote
        && !SchemaDrift.Between(current.Columns, table.Columns).IsNone;

    private bool IsSame(PublishedVersion current, TablePublication table) =>
        current.Source == _source && current.Name == table.Name && current.ExtractedAt == UtcTime.Cut(table.ExtractedAt) && current.Origin == table.Origin
        && current.Description == table.Description && current.PartsDigest == PartsList.Digest(table.Parts);

    private async Task RefreshAsync(PublishedVersion current, TablePublication table)
    {
        var next = current with { ExtractedAt = UtcTime.Cut(table.ExtractedAt), Description = table.Description, Origin = table.Origin };
        await write.ExecuteAsync(PublicationSql.Refresh, new { next.ExtractedAt, next.Description, next.Origin, next.Name, next.Number });
        write.Apply(snapshot => snapshot.WithVersion(next));
        _refreshed.Add(table.Name);
    }

    private async Task ReplaceAsync(PublishedVersion? current, TablePublication table, string digest)
    {
        if (current is not null) await VersionRows.SupersedeAsync(write, current);
        var version = new PublishedVersion
        {
            Name = table.Name,
            Number = VersionRows.NextNumber(write, table.Name),
            Source = _source,
            Description = table.Description,
            Columns = table.Columns,
            Rows = table.Rows,
            Bytes = table.Bytes,
            Parts = table.Parts,
            Md5 = table.Md5,
            PartsDigest = digest,
            QueryMode = table.QueryMode,
            ExtractedAt = UtcTime.Cut(table.ExtractedAt),
            PublishedAt = write.Now,
            Origin = table.Origin,
        };
        _versions.Add(VersionRows.Version(version));
        _parts.AddRange(VersionRows.Parts(version));
        write.Apply(snapshot => snapshot.WithVersion(version));
        _published.Add(table.Name);
    }

    private async Task NoteDriftAsync(PublishedVersion? current, TablePublication table)
    {
        if (table.LeftOut is { } leftOut)
        {
            if (LeftOutOrigin.Is(current?.Origin) && write.Current.IsNoted(table.Name, leftOut, SchemaDrifts.LeftOut)) return;
            await NoteAsync(table.Name, leftOut, SchemaDrifts.LeftOut);
            return;
        }

        if (current is null or { QueryMode: TableRules.ModeRemote } or { Columns.Count: 0 } || table.QueryMode == TableRules.ModeRemote || current.Source != _source)
            return;
        var drift = SchemaDrift.Between(current.Columns, table.Columns);
        if (!drift.IsNone) await NoteAsync(table.Name, drift, SchemaDrifts.Taken);
    }

    /// <summary>What stands already is not said again at each look.</summary>
    private async Task RefuseAsync(SkippedTable skipped, SchemaDrift drift)
    {
        var error = TableProblem + skipped.Reason;
        if (!write.HasSyncError(skipped.Name, error)) await NoteAsync(skipped.Name, drift, SchemaDrifts.Refused);
        await FailAsync(skipped.Name, error);
    }

    private async Task NoteAsync(string table, SchemaDrift drift, string outcome)
    {
        await write.NoteDriftAsync(table, drift, outcome);
        _drifts.Add((table, outcome, drift));
    }

    private async Task<bool> ClaimAsync(string name)
    {
        if (write.Current.ViewOwners.TryGetValue(name, out var owner))
        {
            if (owner.SourceName == _source) return true;
            _collided.Add(name);
            return false;
        }
        // A name that another source had: whoever was granted that table was not granted this one.
        if (write.Current.Kept.GetValueOrDefault(name)?.ByNumber.Values.MaxBy(version => version.Number) is { } before && before.Source != _source
            && !Waited.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            await belongings.DropUnregisteredAsync(write, before.Name, $"the table was of the source {before.Source}, and is now of {_source}");
        }

        await write.QueryAsync<string>(PublicationSql.ClaimName, new { name, source = _source, now = write.Now });
        write.Apply(snapshot => snapshot.WithViewOwner(new ViewOwnerRow { ViewName = name, SourceName = _source, RegisteredAt = write.Now }));
        return true;
    }

    private async Task RemoveAsync(string name)
    {
        if (write.Current.PublishedTable(name) is not { } current || current.Source != _source) return;
        if (_own is not null && IsRegistered(name)) return; // its extract is yet to be written under this name; unregistering is what removes it
        await VersionRows.SupersedeAsync(write, current);
        await write.ExecuteAsync(PublicationSql.FreeName, new { name });
        write.Apply(snapshot => snapshot.WithoutViewOwner(name));
        if (write.Current.TableByName(name) is null)
        {
            await write.ExecuteAsync(PublicationSql.DeleteState, new { name });
            write.Apply(snapshot => snapshot.WithoutSyncState(name));
        }
        _removed.Add(current.Name);
    }

    private async Task SaveStateAsync(TablePublication table)
    {
        var row = new SyncStateRow
        {
            TableId = table.Name,
            LastSync = UtcTime.Cut(table.ExtractedAt),
            Rows = table.Rows,
            FileSizeBytes = table.Bytes,
            Columns = table.Columns.Count,
            Hash = table.Md5 ?? "",
        };
        var values = VersionRows.State(row);
        // A row of a name that differs in upper and lower case is another row.
        if (!write.Current.SyncStates.ContainsKey(table.Name) || await write.ExecuteAsync(PublicationSql.UpdateState, values) == 0) _states.Add(values);
        _history.Add(new { id = write.NewId(), name = table.Name, now = write.Now, rows = (long?)table.Rows, durationMs = (int?)null, status = "ok", error = (string?)null });
        write.Apply(snapshot => snapshot.WithSyncState(row));
    }

    /// <summary>Rows that are not published were pulled all the same: else their table would be due at once again, for ever.</summary>
    private async Task NoteExtractionAsync(TablePublication table)
    {
        var at = UtcTime.Cut(table.ExtractedAt);
        if (write.Current.SyncStates.GetValueOrDefault(table.Name) is not { } known || known.LastSync >= at) return;
        var next = known with { LastSync = at };
        await write.ExecuteAsync(PublicationSql.UpdateState, VersionRows.State(next));
        write.Apply(snapshot => snapshot.WithSyncState(next));
    }

    private bool Belongs(string name) => !write.Current.IsServedByOther(name, _source) && (write.Current.TableByName(name) is not null || write.Current.PublishedTable(name) is not null);

    private async Task FailAsync(string name, string error) => await write.SaveSyncErrorAsync(name, error);

    private async Task ClearProblemAsync(string name)
    {
        if (write.Current.SyncStates.GetValueOrDefault(name)?.Error is not { } error) return;
        if (error.StartsWith(SourceProblem, StringComparison.Ordinal) || error.StartsWith(TableProblem, StringComparison.Ordinal)) await write.ClearSyncErrorAsync(name);
    }

    private static JsonObject Describe(CommitOutcome outcome) => new()
    {
        ["published"] = Names(outcome.Published),
        ["refreshed"] = Names(outcome.Refreshed),
        ["removed"] = Names(outcome.Removed),
    };

    private static JsonArray Names(IReadOnlyList<string> names) => new([.. names.Select(name => (JsonNode)JsonValue.Create(name))]);
}
