using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>Has SQL that admins stored parsed and bound, over the tables as they are, by the engine in a query worker.</summary>
internal sealed class MetricCheck(StatementRunner runner, Scopes scopes)
{
    private const string ServerName = "definitions";

    /// <summary>The row with the tables that the engine bound it to, which decide who may see it.</summary>
    /// <param name="faults">Why it cannot be stored: a statement that is not exactly one SELECT.</param>
    /// <param name="warnings">Why it could not be run at present, a missing table, an unknown column, a table without data: until that is mended, it is for admins.</param>
    public Task<MetricRow> ReadAsync(Asker asker, MetricRow metric, List<string> faults, List<string> warnings, CancellationToken stop) =>
        new MetricBinding(this, asker, metric, faults, warnings).RunAsync(stop);

    /// <param name="prefix">A <c>WITH</c> clause that the statement is run under.</param>
    /// <exception cref="ProblemException">The workers have no time for it now, so that nothing is known.</exception>
    public async Task<StatementCheck> CheckAsync(Asker asker, string sql, string prefix, CancellationToken stop)
    {
        var check = await CheckedAsync(asker, sql, prefix, stop);
        if (check.Status is StatementStatus.Busy or StatementStatus.ClientGone)
            throw new ProblemException(StatusCodes.Status429TooManyRequests, check.Message ?? "All query workers are busy. Try again in a moment.");
        return check;
    }

    private async Task<StatementCheck> CheckedAsync(Asker asker, string sql, string prefix, CancellationToken stop)
    {
        var scope = asker.Caller is { } caller ? scopes.Of(asker.Snapshot, caller) : scopes.OfEverything(asker.Snapshot);
        try
        {
            return await runner.CheckAsync(scope, Bare(sql), prefix, StatementLimits.For(asker.Caller?.UserId ?? ServerName), stop);
        }
        catch (PartDamagedException damaged)
        {
            return new StatementCheck(StatementStatus.PartDamaged, damaged.Message, []) { IsSelect = true };
        }
    }

    /// <summary>Without the semicolon that people end a statement with.</summary>
    public static string Bare(string sql) => sql.AsSpan().TrimEnd().TrimEnd(';').ToString();
}

/// <summary>Whose tables a definition is tried on.</summary>
/// <param name="Caller">Null: the server's own, which are all.</param>
internal sealed record Asker(Snapshot Snapshot, Caller? Caller)
{
    public static Asker Of(HttpContext context) => new(context.Snapshot(), context.Caller());

    public static Asker Server(Snapshot snapshot) => new(snapshot, null);
}
