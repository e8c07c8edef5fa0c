using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// An admin goes back to rows of before, or forward again. They are published as a new version, and stay until the source brings other
/// rows than those that were gone back behind.
/// </summary>
internal sealed class Rollback(StateDb state, PublicationEvents events)
{
    /// <param name="number">Of a version that is still kept.</param>
    /// <returns>The version that is current now.</returns>
    /// <exception cref="ProblemException">404: no such table, or no such version any more. 409: it is the current one.</exception>
    public async Task<PublishedVersion> RunAsync(Caller caller, string tableId, long number, CancellationToken cancellation)
    {
        var made = await state.WriteAsync(
            async write =>
            {
                var row = write.Current.Table(tableId) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Table not found");
                var current = write.Current.PublishedTable(row.Name)
                    ?? throw new ProblemException(StatusCodes.Status409Conflict, $"'{row.Name}' has no rows yet.");
                if (write.Current.Kept.GetValueOrDefault(row.Name)?.ByNumber.GetValueOrDefault(number) is not { } before || before.Source != current.Source)
                    throw new ProblemException(StatusCodes.Status404NotFound, $"There is no version {number} of '{row.Name}' any more: GET /api/v2/history/{tableId}");
                if (before.PartsDigest == current.PartsDigest)
                    throw new ProblemException(StatusCodes.Status409Conflict, $"Version {number} has the rows that '{row.Name}' has now.");
                var offered = current.InsteadOf ?? current.PartsDigest;
                var version = before with
                {
                    Number = VersionRows.NextNumber(write, row.Name),
                    PublishedAt = write.Now,
                    SupersededAt = null,
                    Whole = null,
                    WholeMadeAt = null,
                    InsteadOf = offered == before.PartsDigest ? null : offered,
                };
                await VersionRows.SupersedeAsync(write, current);
                await write.InsertAsync(PublicationSql.InsertVersion, [VersionRows.Version(version)]);
                await write.InsertAsync(PublicationSql.InsertPart, [.. VersionRows.Parts(version)]);
                write.Apply(snapshot => snapshot.WithVersion(version));
                await SaveStateAsync(write, version);
                await events.AddAsync(write, PublicationEvent.Published, [version.Name]);
                write.Audit(
                    caller.UserId, "rollback_table", tableId,
                    new JsonObject { ["version"] = number, ["instead_of"] = current.Number, ["published_as"] = version.Number }, "ok");
                return version;
            },
            cancellation);
        await events.DeliverAsync(CancellationToken.None);
        return made;
    }

    /// <summary>When it was last pulled stays: that decides when it is due.</summary>
    private static async Task SaveStateAsync(StateWrite write, PublishedVersion version)
    {
        if (write.Current.SyncStates.GetValueOrDefault(version.Name) is not { } known) return;
        var next = known with { Rows = version.Rows, FileSizeBytes = version.Bytes, Columns = version.Columns.Count, Hash = version.Md5 ?? "" };
        await write.ExecuteAsync(PublicationSql.UpdateState, VersionRows.State(next));
        write.Apply(snapshot => snapshot.WithSyncState(next));
    }
}
