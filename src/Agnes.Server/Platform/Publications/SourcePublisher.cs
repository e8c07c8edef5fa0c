using System.Collections.Concurrent;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>What is wrong with a source, for those who look after it.</summary>
/// <param name="Problem">Why nothing of it could be read; null where only some tables could not.</param>
internal sealed record SourceTrouble(string Source, string? Problem, IReadOnlyList<SkippedTable> Skipped, IReadOnlyList<string> Collided);

/// <summary>Prepares what lies in a source's extract and commits it. A reader sees the old or the new state of all its tables.</summary>
internal sealed class SourcePublisher(
    StateDb state, Publisher publisher, DataFolder folder, PartStore parts, PublishingGate gate, PublicationEvents events, TableBelongings belongings, SourceKinds kinds)
{
    private const string Misnamed = "its folder has a name that no source can have: use letters, digits and underscores, and none of the server's own names.";

    private readonly ConcurrentDictionary<string, SourceTrouble> _troubles = new(StringComparer.Ordinal); // by folder below extracts/
    private readonly ConcurrentDictionary<string, Look> _seen = new(StringComparer.Ordinal); // the same

    /// <summary>What stands, also of folders whose name keeps them from being a source at all.</summary>
    public IReadOnlyCollection<SourceTrouble> Troubles =>
        [.. _troubles.Values.Concat(publisher.Misnamed().Select(name => new SourceTrouble(name, Misnamed, [], []))).OrderBy(trouble => trouble.Source, StringComparer.Ordinal)];

    /// <summary>What the publisher has to know of a source, so that it reads only what changed.</summary>
    public IReadOnlyList<PublishedTable> Known(string source)
    {
        var snapshot = state.Snapshot;
        return [.. snapshot.PublishedNamesOf(source).Select(name => snapshot.PublishedTable(name)!).Select(version => new PublishedTable(
            version.Name, version.Description, version.QueryMode, version.ExtractedAt, version.Columns, version.Rows, version.Parts,
            [.. version.Parts.Select(part => parts.Proven(part.Sha256, part.SizeBytes) ?? default)], version.Md5, version.Origin)
        {
            Id = snapshot.TableByName(version.Name)?.Id,
            Contract = snapshot.TableByName(version.Name)?.SchemaContract,
        })];
    }

    /// <summary>Sources whose extract is another file than when it was last published, or whose tables have other contracts.</summary>
    public IReadOnlyList<string> Changed()
    {
        var there = publisher.Sources();
        var gone = state.Snapshot.ViewOwners.Values.Select(owner => owner.SourceName).Distinct(StringComparer.Ordinal).Except(there, StringComparer.Ordinal);
        return [.. there.Concat(gone).Where(source => !_seen.TryGetValue(source, out var seen) || seen != LookOf(source))];
    }

    /// <summary>Makes the next look take the source for changed.</summary>
    public void Forget(string source) => _seen.TryRemove(source, out _);

    /// <exception cref="WorkerFailedException">The child ended without an answer; what was published stays.</exception>
    public async Task<CommitOutcome> PublishAsync(string source, CancellationToken cancellation)
    {
        using var entered = await gate.PrepareAsync(cancellation);
        var look = LookOf(source);
        _seen[source] = look; // before it is read: one that is written, or forgotten, meanwhile is looked at again
        try
        {
            var prepared = look.Stamp == default ? Missing(source) : await publisher.PrepareAsync(source, Known(source), cancellation);
            return await CommitAsync(prepared, cancellation);
        }
        catch
        {
            Forget(source);
            throw;
        }
    }

    /// <summary>Commits what was prepared elsewhere, by a run that holds the gate.</summary>
    /// <param name="also">Done in the same transaction.</param>
    public async Task<CommitOutcome> CommitAsync(Publication prepared, CancellationToken cancellation, Func<StateWrite, CommitOutcome, Task>? also = null)
    {
        var started = state.Options.Time.GetTimestamp();
        foreach (var table in prepared.Tables.Where(table => table.Changed))
        {
            foreach (var (part, stamp) in table.Parts.Zip(table.Stamps)) parts.Mark(part.Sha256, stamp);
        }

        var waited = _troubles.GetValueOrDefault(prepared.Source)?.Collided ?? [];
        var outcome = await state.WriteAsync(
            async write =>
            {
                var done = await new PublicationCommit(write, prepared, kinds, belongings) { Waited = waited }.RunAsync();
                if (also is not null) await also(write, done);
                await events.AddAsync(write, done);
                return done;
            },
            cancellation);
        outcome = outcome with { Elapsed = state.Options.Time.GetElapsedTime(started) };
        if (outcome.Problem is null && outcome.Skipped.Count == 0 && outcome.Collided.Count == 0) _troubles.TryRemove(prepared.Source, out _);
        else _troubles[prepared.Source] = new SourceTrouble(prepared.Source, outcome.Problem, outcome.Skipped, outcome.Collided);
        if (outcome.Changed) await events.DeliverAsync(cancellation);
        foreach (var waiting in _troubles.Values.Where(t => t.Source != prepared.Source && t.Collided.Intersect(outcome.Removed, StringComparer.OrdinalIgnoreCase).Any()))
            Forget(waiting.Source); // a name is free that this one also offers
        return outcome;
    }

    /// <summary>Our own run has just written the extract and committed what is in it.</summary>
    public void Seen(string source) => _seen[source] = LookOf(source);

    /// <summary>The same, of a run that held its tables to these contracts: one that was changed meanwhile has the source looked at again.</summary>
    /// <param name="contracts">As <see cref="ContractsOf"/> said before the run.</param>
    public void Seen(string source, string contracts) => _seen[source] = LookOf(source) with { Contracts = contracts };

    /// <summary>Of the tables that a source publishes: what tells one state of them from another.</summary>
    public string ContractsOf(string source)
    {
        var snapshot = state.Snapshot;
        var contracts = snapshot.PublishedNamesOf(source).Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Contract: snapshot.TableByName(name)?.SchemaContract)).Where(one => one.Contract is not null);
        return string.Join(' ', contracts.Select(one => $"{one.Name}:{one.Contract}"));
    }

    private Look LookOf(string source) => new(FileStamp.TryOf(folder.ExtractFile(source)) ?? default, ContractsOf(source));

    /// <summary>A folder that is gone takes its tables along; one that lost its file only is damaged, and its tables stay as they were.</summary>
    private Publication Missing(string source) => Directory.Exists(folder.Source(source))
        ? Publication.Failed(source, "extract.duckdb is missing; put it back, or remove the folder to remove its tables.")
        : new Publication(source, [], [.. state.Snapshot.PublishedNamesOf(source)], []);

    /// <summary>What decides whether a source has to be looked at again.</summary>
    private readonly record struct Look(FileStamp Stamp, string Contracts);
}
