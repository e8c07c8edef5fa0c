using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Features.Query;

/// <summary>
/// <c>POST /api/query/hybrid</c>, for admins: BigQuery answers statements first, each under the guard, the bounds and the account that hold
/// for any statement of its asker, and another statement joins the answers with the tables here.
/// </summary>
internal static class RunHybrid
{
    private const int AliasesMax = 16;
    private const int AliasCharsShown = 64;
    private static readonly string[] Reserved = ["information_schema", "main", "memory", "system", "temp"];

    public static async Task<IResult> HandleAsync(
        HttpContext context, Scopes scopes, StatementRunner runner, RemoteQuota quota, Scratch scratch, AuditLog audit, SecretStore secrets,
        ServerOptions options, TimeProvider time)
    {
        var statement = await ReadAsync(context);
        foreach (var (alias, _) in statement.Asked)
            if (FaultOf(alias) is { } fault) return Refuse(alias, "query_error", fault);
        var caller = context.Caller();
        var most = HybridOptions.From(SettingLayers.Open(options, secrets).Instance);
        var room = scratch.Room;
        if (room <= 0) return DiskReserve.Refusal();
        using var budget = quota.For(caller.UserId);
        var limits = StatementLimits.Default with { Time = most.Time, Budget = budget };
        using var folder = scratch.NewFolder("hybrid");
        await using var file = new FileStream(Path.Combine(folder.Path, "answer"), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            Options = FileOptions.Asynchronous,
        });
        var output = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        var (outcome, at, kind) = await runner.RunHybridAsync(
            context.Lease(), scopes.Of(context.Snapshot(), caller), statement, most.ResultRowsMax,
            new AnswersMost(most.RowsMax, Math.Min(most.BytesMax, room)), output, limits, context.RequestAborted);
        await output.CompleteAsync();
        await audit.AppendAsync(
            caller.UserId, "query_hybrid", null, Describe(statement, outcome, quota), StatementAnswer.AuditedAs(outcome),
            (int)outcome.Elapsed.TotalMilliseconds, CancellationToken.None);
        if (!outcome.IsOk) return Refuse(context, outcome, at, kind);
        await EndAsync(file, statement, context.RequestAborted);
        await SpooledAnswer.SendAsync(context, file, "application/json", time);
        return Results.Empty;
    }

    private static async Task<HybridStatement> ReadAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        var sql = body.String("sql");
        var asked = new List<(string, string)>();
        var given = body.Element("register_bq");
        if (given.ValueKind != JsonValueKind.Object)
        {
            body.Refuse("register_bq", "register_bq must be an object of statements by their aliases");
        }
        else
        {
            foreach (var one in given.EnumerateObject())
            {
                if (one.Value.ValueKind == JsonValueKind.String) asked.Add((one.Name, one.Value.GetString()!));
                else body.Refuse("register_bq", $"register_bq: '{one.Name}' must be a statement");
            }

            if (asked.Count is 0 or > AliasesMax) body.Refuse("register_bq", $"register_bq must have 1 to {AliasesMax} statements");
            if (asked.DistinctBy(one => one.Item1, StringComparer.OrdinalIgnoreCase).Count() < asked.Count)
                body.Refuse("register_bq", "register_bq has an alias twice");
        }

        body.ThrowIfInvalid();
        return new HybridStatement(sql, asked);
    }

    private static string? FaultOf(string alias) =>
        !Identifiers.IsStrict(alias) ? "The alias must match [a-zA-Z_][a-zA-Z0-9_]{0,63}."
        : Reserved.Contains(alias, StringComparer.OrdinalIgnoreCase) || alias.StartsWith("duckdb_", StringComparison.OrdinalIgnoreCase)
            ? "The alias is a name of the engine's own. Take another." : null;

    /// <summary>What is said of the asker rather than of the statement has the shape that it has everywhere.</summary>
    private static IResult Refuse(HttpContext context, StatementOutcome outcome, string? alias, HybridFault fault)
    {
        if (outcome.Status is StatementStatus.OverQuota or StatementStatus.Busy or StatementStatus.Killed or StatementStatus.Revoked
            or StatementStatus.ClientGone or StatementStatus.PartDamaged) return StatementAnswer.Refuse(context, outcome);
        var message = outcome.Message ?? "The statement could not be run.";
        const string Prefix = "Query error: ";
        if (message.StartsWith(Prefix, StringComparison.Ordinal)) message = message[Prefix.Length..];
        if (alias is null) return Problem.Detail(StatusCodes.Status400BadRequest, $"Query: query_error: {message}");
        return Refuse(alias, fault switch
        {
            HybridFault.Rows => "row_limit",
            HybridFault.Memory => "memory_limit",
            HybridFault.System => "bq_error",
            _ => "query_error",
        }, message);
    }

    private static IResult Refuse(string alias, string kind, string message)
    {
        var shown = alias.Length <= AliasCharsShown ? alias : $"{alias[..AliasCharsShown]}…";
        return Problem.Detail(StatusCodes.Status400BadRequest, $"BQ '{shown}': {kind}: {message}");
    }

    /// <summary>Puts what is said of the answers before the last bracket of a statement's body.</summary>
    private static async Task EndAsync(FileStream file, HybridStatement statement, CancellationToken stop)
    {
        var answers = new JsonObject
        {
            ["registered_aliases"] = new JsonArray([.. statement.Asked.Select(one => (JsonNode)one.Alias)]),
            ["alias_count"] = statement.Asked.Count,
        };
        file.Position = file.Length - 1;
        await file.WriteAsync(Encoding.UTF8.GetBytes($",\"bq_stats\":{answers.ToJsonString()}}}"), stop);
    }

    private static JsonObject Describe(HybridStatement statement, StatementOutcome outcome, RemoteQuota quota)
    {
        var what = new JsonObject
        {
            ["sql_sha256"] = HashOf(statement.Sql),
            ["aliases"] = new JsonObject(statement.Asked.Select(one => KeyValuePair.Create(one.Alias, (JsonNode?)HashOf(one.Sql)))),
            ["tables"] = new JsonArray([.. outcome.Tables.Select(table => (JsonNode)table)]),
            ["rows"] = outcome.Rows,
            ["truncated"] = outcome.Truncated,
        };
        quota.Describe(outcome.Asked, what);
        return what;
    }

    private static string HashOf(string sql) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
}

/// <summary>For the description: a statement's answer, as a worker writes it, and what is put behind it.</summary>
internal sealed record HybridAnswer(
    IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<JsonElement>> Rows, long RowCount, bool Truncated, HybridCounts BqStats);

/// <inheritdoc cref="HybridAnswer"/>
internal sealed record HybridCounts(IReadOnlyList<string> RegisteredAliases, int AliasCount);
