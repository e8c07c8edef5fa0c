using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync.Alerts;

/// <summary>What is told of one run.</summary>
/// <param name="Connection">Null: the run was over several.</param>
internal sealed record PullAlert(string RunId, string? Connection, DateTime At, IReadOnlyList<FailingTable> Failing, IReadOnlyList<WorkingTable> Working)
{
    private const int NamesMax = 50;

    /// <summary>What is of one owner's tables.</summary>
    public PullAlert Of(string owner) => this with
    {
        Failing = [.. Failing.Where(table => owner.Equals(table.Owner, StringComparison.OrdinalIgnoreCase))],
        Working = [.. Working.Where(table => owner.Equals(table.Owner, StringComparison.OrdinalIgnoreCase))],
    };

    /// <param name="server">The public address; null where none is set.</param>
    public Letter ToLetter(string to, string? server) => new(to, Subject(), Text(server));

    /// <summary>For the webhook, as docs/operator/alerts.md says.</summary>
    public string ToJson(string? server) => new JsonObject
    {
        ["text"] = Text(server),
        ["event"] = Failing.Count > 0 ? "tables_failing" : "tables_working",
        ["id"] = $"{RunId}-alert",
        ["run_id"] = RunId,
        ["connection"] = Connection,
        ["time"] = Timestamps.Offset(new DateTimeOffset(At, TimeSpan.Zero)),
        ["server"] = server,
        ["failing"] = new JsonArray([.. Failing.Take(NamesMax).Select(table => (JsonNode)table.ToJson())]),
        ["failing_count"] = Failing.Count,
        ["working"] = new JsonArray([.. Working.Take(NamesMax).Select(table => (JsonNode)new JsonObject { ["table"] = table.Name, ["owner"] = table.Owner })]),
        ["working_count"] = Working.Count,
    }.ToJsonString();

    private string Subject() => (Failing.Count, Working.Count) switch
    {
        (1, 0) => $"The table {Failing[0].Name} could not be pulled",
        ( > 1, 0) => string.Create(CultureInfo.InvariantCulture, $"{Failing.Count} tables could not be pulled"),
        (0, 1) => $"The table {Working[0].Name} is pulled again",
        (0, _) => string.Create(CultureInfo.InvariantCulture, $"{Working.Count} tables are pulled again"),
        _ => string.Create(CultureInfo.InvariantCulture, $"Tables: {Failing.Count} could not be pulled, {Working.Count} are pulled again"),
    };

    private string Text(string? server)
    {
        var text = new StringBuilder(Subject()).Append(".\n");
        foreach (var table in Failing.Take(NamesMax)) text.Append(CultureInfo.InvariantCulture, $"\n{table.Name}: {table.Error}\n  {table.Standing()}\n");
        if (Failing.Count > NamesMax) text.Append(CultureInfo.InvariantCulture, $"\nand {Failing.Count - NamesMax} more\n");
        if (Working.Count > 0) text.Append("\nPulled again: ").AppendJoin(", ", Working.Take(NamesMax).Select(table => table.Name)).Append(Working.Count > NamesMax ? " …\n" : "\n");
        if (server is not null) text.Append(CultureInfo.InvariantCulture, $"\n{server}/admin/sync/{RunId}\n");
        return text.ToString();
    }
}

/// <param name="Owner">Whoever registered it.</param>
/// <param name="Error">Without any secret, and short.</param>
internal sealed record FailingTable(string Name, string? Owner, string Error, int Failures, DateTime? LastGood, DateTime? NextTry)
{
    private const int ErrorCharsMax = 300;

    public static FailingTable Of(TableRow row, TablePullRow pull, string? error)
    {
        var said = Redactor.Redact(error ?? "failed").ReplaceLineEndings(" ");
        return new(row.Name, row.RegisteredBy, said.Length > ErrorCharsMax ? said[..ErrorCharsMax] + "…" : said, pull.Failures, pull.PulledAt, pull.RetryAt);
    }

    public string Standing() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Failures == 1 ? "The first time" : $"{Failures} times in a row")}; last pulled {Naming(LastGood, "never")}, next try {Naming(NextTry, "at the next look")}.");

    public JsonObject ToJson() => new()
    {
        ["table"] = Name,
        ["owner"] = Owner,
        ["error"] = Error,
        ["failures"] = Failures,
        ["last_pull"] = Timestamps.Naive(LastGood),
        ["next_try"] = Timestamps.Naive(NextTry),
    };

    private static string Naming(DateTime? time, string none) => time?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? none;
}

internal sealed record WorkingTable(string Name, string? Owner);
