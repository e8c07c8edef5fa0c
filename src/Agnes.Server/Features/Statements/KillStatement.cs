using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Statements;

/// <summary>Ends a statement: its worker stops, and so does the question that another system was asked.</summary>
internal static class KillStatement
{
    private const string NotFound = "There is no such statement, or it has ended.";

    public static Task<IResult> OwnAsync(HttpContext context, StatementRunner runner, AuditLog audit, string id)
    {
        var found = runner.Running.Find(id);
        return KillAsync(context, runner, audit, found?.Caller == context.Caller().UserId ? found : null);
    }

    public static Task<IResult> AnyAsync(HttpContext context, StatementRunner runner, AuditLog audit, string id) =>
        KillAsync(context, runner, audit, runner.Running.Find(id));

    private static async Task<IResult> KillAsync(HttpContext context, StatementRunner runner, AuditLog audit, RunningStatement? statement)
    {
        if (statement is null || !runner.Running.Kill(statement.Id)) return Problem.NotFound(NotFound);
        var what = new JsonObject
        {
            ["owner"] = statement.Caller,
            ["sql_sha256"] = statement.Text.Length == 0 ? null : StatementView.HashOf(statement.Text),
            ["tables"] = new JsonArray([.. statement.Tables.Select(table => (JsonNode)JsonValue.Create(table))]),
        };
        await audit.AppendAsync(context.Caller().UserId, "statement.kill", $"statement:{statement.Id}", what, "ok", cancellation: CancellationToken.None);
        return TypedResults.NoContent();
    }
}
