using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Scans;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;
using PredicateFault = Agnes.Sql.PredicateFault;

namespace Agnes.Server.Features.Scans;

/// <summary>What the two endpoints say about a table that is not there for the asker.</summary>
internal readonly record struct ScanTexts(string Missing, string Denied);

/// <summary>A request that may be run: its table is the asker's and its columns and predicate are the table's.</summary>
internal sealed record ScanPlan(NamedTable Table, ScanStatement Statement)
{
    /// <summary>Its rows are at the source, and are as they are there now.</summary>
    public bool IsAsked => Statement.Table.Source is RowSource.Remote;

    /// <summary>The checks in their order: the table, access, the limit, the predicate, the columns, the order.</summary>
    /// <exception cref="ProblemException">The first that fails.</exception>
    public static async Task<ScanPlan> MakeAsync(HttpContext context, ScanBody body, ScanTexts texts, int limitMax, Scopes scopes, RemoteColumns remote, StatementRunner runner, StatementLimits limits)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var named = NamedTable.Resolve(snapshot, caller, body.TableId);
        // Only who may read everything learns that a table does not exist.
        if (!caller.IsAdmin && (named is null || !Access.CanRead(snapshot, caller, named))) throw new ProblemException(StatusCodes.Status403Forbidden, texts.Denied);
        if (named is null) throw new ProblemException(StatusCodes.Status404NotFound, texts.Missing.Replace("{table}", body.TableId, StringComparison.Ordinal));
        if (body.Limit > limitMax) throw new ProblemException(StatusCodes.Status400BadRequest, $"limit is {body.Limit}; api.scan.max_limit allows {limitMax}");
        if (scopes.Of(snapshot, caller).Find(named.Name) is not { IsEmpty: false } table)
            throw Refuse(StatusCodes.Status404NotFound, "not_materialized", $"table '{body.TableId}' has no data yet; an admin runs its sync");
        table = table with { Columns = await remote.OfAsync(context, table, limits) };

        var where = body.Where is null ? null : await PredicateAsync(context, table, named, body.Where, runner, limits);
        var columns = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var column in table.Columns) columns.TryAdd(column.Name, column.Name);
        var select = body.Select?.Select(name => Column(columns, name)).Distinct(StringComparer.Ordinal).ToList() ?? [];
        var order = body.OrderBy?.Select(term => Order(columns, term)).ToList() ?? [];
        return new ScanPlan(named, new ScanStatement(table, select, where, order, (int)(body.Limit ?? limitMax)));
    }

    private static async Task<string> PredicateAsync(HttpContext context, ScopedTable table, NamedTable named, string where, StatementRunner runner, StatementLimits limits)
    {
        PredicateFault? first = null;
        // A predicate may call the table by its id, and by the name that SQL knows it by.
        foreach (var alias in ((string[])[named.Id ?? named.Name, named.Name]).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var check = await runner.CheckPredicateAsync(context.Lease(), table, where, alias, limits, context.RequestAborted);
            if (check.Failure is { } failure) throw new ProblemException(StatusCodes.Status400BadRequest, StatementAnswer.Refuse(context, failure));
            if (check.Fault is null) return check.Sql!;
            first ??= check.Fault;
            if (check.Fault.Kind != PredicateFault.CrossTable) break;
        }

        var details = new JsonObject();
        if (first!.Detail is { } detail) details[detail] = first.Name;
        throw new ProblemException(
            StatusCodes.Status400BadRequest,
            Problem.Detail(StatusCodes.Status400BadRequest, new JsonObject { ["error"] = "validator_rejected", ["kind"] = first.Kind, ["details"] = details }));
    }

    private static string Column(Dictionary<string, string> columns, string name) => columns.TryGetValue(name, out var known)
        ? known
        : throw new ProblemException(StatusCodes.Status400BadRequest, $"unknown column '{name}'; the table has: {string.Join(", ", columns.Values.Order(StringComparer.Ordinal))}");

    /// <summary>A column, perhaps with a direction; a column whose name ends like one is meant as itself.</summary>
    private static ScanOrder Order(Dictionary<string, string> columns, string term)
    {
        var text = term.Trim();
        if (columns.TryGetValue(text, out var bare)) return new ScanOrder(bare, IsDescending: false);
        var space = text.LastIndexOf(' ');
        var direction = space < 0 ? "" : text[(space + 1)..].ToUpperInvariant();
        return direction is "ASC" or "DESC" ? new ScanOrder(Column(columns, text[..space].TrimEnd()), direction == "DESC") : new ScanOrder(Column(columns, text), IsDescending: false);
    }

    private static ProblemException Refuse(int status, string error, string message) =>
        new(status, Problem.Detail(status, new JsonObject { ["error"] = error, ["message"] = message, ["details"] = new JsonObject() }));
}
