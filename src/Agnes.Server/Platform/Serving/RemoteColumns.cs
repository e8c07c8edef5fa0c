using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Serving;

/// <summary>The columns of a table, for which its source is asked where it stays there.</summary>
internal static class RemoteColumns
{
    /// <exception cref="ProblemException">The source failed, does not know the table, or may not be asked any more.</exception>
    public static async Task<IReadOnlyList<TableColumn>> OfAsync(
        HttpContext context, StatementRunner runner, ScopedTable table, StatementLimits? limits = null)
    {
        if (table.Source is not RowSource.Remote) return table.Columns;
        var (failure, columns) = await runner.DescribeAsync(context.Lease(), table, limits ?? StatementLimits.Default, context.RequestAborted);
        return columns ?? throw new ProblemException(StatusCodes.Status400BadRequest, StatementAnswer.Refuse(context, failure!));
    }
}
