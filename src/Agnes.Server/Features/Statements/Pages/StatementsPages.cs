using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Statements.Pages;

/// <summary>What runs now. Ending one is a call of the API, made by the page's script.</summary>
internal static class StatementsPages
{
    public static void MapStatementsPages(this IEndpointRouteBuilder routes) => routes.MapGet("/statements", Show).ExcludeFromDescription().SignedIn();

    private static IResult Show(HttpContext context, StatementRunner runner, TimeProvider time)
    {
        var (caller, snapshot, now) = (context.Caller(), context.Snapshot(), time.GetUtcNow());
        var all = caller.IsAdmin && context.Request.Query["all"] == "1";
        var shown = runner.Running.All().Where(statement => all || statement.Caller == caller.UserId).Select(statement =>
        {
            var isOwn = statement.Caller == caller.UserId;
            return new StatementEntry(
                statement.Id, now - statement.StartedAt, statement.Tables, statement.System, isOwn ? statement.Text : null,
                isOwn ? null : snapshot.User(statement.Caller)?.Email ?? statement.Caller,
                $"{(isOwn ? "/api/statements" : "/api/admin/statements")}/{statement.Id}");
        });
        return Page.Show<StatementsPage>(new StatementsModel([.. shown], all, caller.IsAdmin));
    }
}
