using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Statements;

internal static class ListStatements
{
    public static IResult Own(HttpContext context, StatementRunner runner, TimeProvider time) =>
        Answer(runner.Running.All().Where(statement => statement.Caller == context.Caller().UserId), context, time);

    public static IResult All(HttpContext context, StatementRunner runner, TimeProvider time) => Answer(runner.Running.All(), context, time);

    private static IResult Answer(IEnumerable<RunningStatement> statements, HttpContext context, TimeProvider time) =>
        JsonBody.Of(new StatementList([.. Views(statements, context.Snapshot(), context.Caller(), time)]), StatementsJson.Default.StatementList);

    public static IEnumerable<StatementView> Views(IEnumerable<RunningStatement> statements, Snapshot snapshot, Caller caller, TimeProvider time)
    {
        var now = time.GetUtcNow();
        return statements.Select(statement => StatementView.Of(statement, snapshot, now, statement.Caller == caller.UserId));
    }
}
