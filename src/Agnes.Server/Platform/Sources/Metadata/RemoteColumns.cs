using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Platform.Sources.Metadata;

/// <summary>
/// The columns of a table that stays at its source: as it said them last, however long ago. Only one that never said them is asked.
/// </summary>
internal sealed class RemoteColumns(MetadataCache cache, StatementRunner runner)
{
    /// <param name="table">Of the asker's scope.</param>
    /// <exception cref="ProblemException">The source failed, does not know the table, or may not be asked any more.</exception>
    public async Task<IReadOnlyList<TableColumn>> OfAsync(HttpContext context, ScopedTable table, StatementLimits? limits = null)
    {
        if (table.Source is not RowSource.Remote remote) return table.Columns;
        if (await cache.ColumnsAsync(table.Id, remote, context.RequestAborted) is { } known) return known;
        var (failure, said) = await runner.DescribeAsync(context.Lease(), table, limits ?? StatementLimits.Default, context.RequestAborted);
        if (said is null) throw new ProblemException(StatusCodes.Status400BadRequest, StatementAnswer.Refuse(context, failure!));
        await cache.SaveAsync(table.Id, remote, said, context.RequestAborted);
        return said.Columns;
    }
}
