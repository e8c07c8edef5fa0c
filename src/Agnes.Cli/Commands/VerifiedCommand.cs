using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes verified</c>: questions whose answers an admin vouches for, run with one's own values.</summary>
internal static class VerifiedCommand
{
    public static Command Build(Host host) => new AgnesCommand(
        "verified",
        "Questions with verified answers. When one of them is asked, run it rather than writing SQL of your own.",
        "agnes verified list",
        "agnes verified run revenue/revenue_by_channel --param from_date=2026-01-01 --param to_date=2026-01-31") { List(host), Show(host), Run(host) };

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists the questions, with their parameters.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.GetAsync("/api/verified-queries", cancellation)).OrFail();
            if (parsed.GetValue(json))
            {
                using var body = answer.Json();
                JsonText.Write(host, AdminApi.List(body.RootElement, "queries"));
                return ExitCode.Ok;
            }

            var list = answer.As(ProtocolJson.Default.VerifiedQueryList);
            if (list.Count == 0) host.Out.WriteLine("(none) No verified queries over your tables. Look at: agnes catalog --metrics");
            else
            {
                Columns.Write(
                    host.Out, ["ID", "QUESTION", "PARAMETERS", "CANONICAL"],
                    [.. list.Queries.Select(query => (IReadOnlyList<string>)[query.Id, query.Question, query.Parameters.Count == 0 ? "-" : string.Join(", ", query.Parameters.Select(Describe)), query.Canonical ? "yes" : "no"])]);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Show(Host host)
    {
        var id = new Argument<string>("id") { Description = "category/name, as 'agnes verified list' shows it." };
        var json = Shared.Json();
        var command = new AgnesCommand("show", "Shows one: question, parameters, SQL.", "agnes verified show revenue/revenue_by_channel") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = await FindAsync(host, parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(json))
            {
                using var body = answer.Json();
                JsonText.Write(host, body.RootElement);
                return ExitCode.Ok;
            }

            var query = answer.As(ProtocolJson.Default.VerifiedQuery);
            host.Out.WriteLine($"ID: {query.Id}");
            host.Out.WriteLine($"Question: {DisplayText.OneLine(query.Question)}");
            if (query.Description is { Length: > 0 } description) host.Out.WriteLine($"Description: {DisplayText.Lines(description)}");
            foreach (var parameter in query.Parameters) host.Out.WriteLine(DisplayText.OneLine($"Parameter: {Describe(parameter)}{(parameter.Description is null ? "" : $"  {parameter.Description}")}"));
            host.Out.WriteLine($"SQL:\n{DisplayText.Lines(query.Sql)}");
            host.Out.WriteLine($"Run: agnes verified run {query.Id}{string.Concat(query.Parameters.Select(parameter => $" --param {parameter.Name}={parameter.Default ?? "…"}"))}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Run(Host host)
    {
        var id = new Argument<string>("id") { Description = "category/name." };
        var values = new Option<string[]>("--param", "-p") { Description = "A value, name=value; repeat it for several.", HelpName = "name=value", AllowMultipleArgumentsPerToken = false };
        var remote = new Option<bool>("--remote") { Description = "Run on the server, e.g. where nothing was pulled." };
        var format = new Option<string>("--format", "-f") { Description = "How to print the result.", DefaultValueFactory = _ => "table" };
        format.AcceptOnlyFromAmong(ResultFormat.Names);
        var limit = new Option<int>("--limit") { Description = "The most rows to print.", DefaultValueFactory = _ => QueryRequest.LimitDefault }.Positive();
        var command = new AgnesCommand(
            "run", "Runs one on this workspace's tables. What it finds is what 'agnes query' finds with the same SQL.",
            "agnes verified run sales/top_customers --param customers=5") { id, values, remote, format, limit };
        command.SetAction(async (parsed, cancellation) =>
        {
            var given = Given(parsed.GetValue(values) ?? []);
            var (name, rows) = (parsed.GetRequiredValue(id), parsed.GetValue(limit));
            return parsed.GetValue(remote)
                ? await RemoteAsync(host, name, given, parsed.GetRequiredValue(format), rows, cancellation)
                : await LocalAsync(host, name, given, parsed.GetRequiredValue(format), rows, cancellation);
        });
        return command;
    }

    private static async Task<int> LocalAsync(Host host, string id, IReadOnlyDictionary<string, string> given, string format, int limit, CancellationToken cancellation)
    {
        var query = (await FindAsync(host, id, cancellation)).As(ProtocolJson.Default.VerifiedQuery);
        string sql;
        try
        {
            sql = QueryParameters.Compose(query.Sql, query.Parameters, given);
        }
        catch (FormatException problem)
        {
            throw new CliException(problem.Message, ExitCode.Usage) { Hint = $"See: agnes verified show {query.Id}" };
        }

        using var session = LocalSession.Open(Layout.Current(), [], host.Clock);
        try
        {
            using var rows = session.Run(sql);
            Tell(host, limit, ResultFormat.Write(host, format, rows, limit).IsCut);
            return ExitCode.Ok;
        }
        catch (DuckDBException problem)
        {
            throw session.Explained(problem);
        }
    }

    private static async Task<int> RemoteAsync(Host host, string id, IReadOnlyDictionary<string, string> given, string format, int limit, CancellationToken cancellation)
    {
        if (limit > QueryRequest.LimitMax) throw new CliException($"--limit is at most {QueryRequest.LimitMax} on the server.", ExitCode.Usage);
        var body = new JsonObject { ["id"] = id, ["limit"] = limit, ["parameters"] = new JsonObject(given.Select(value => KeyValuePair.Create(value.Key, (JsonNode?)value.Value))) };
        using var json = (await host.Api.SendAsync(HttpMethod.Post, "/api/verified-queries/run", body, EnvironmentNumbers.QueryTimeout, null, cancellation)).OrFail().Json();
        using var rows = new RemoteRows(json.RootElement);
        var written = ResultFormat.Write(host, format, rows, limit);
        Tell(host, limit, written.IsCut || (json.RootElement.TryGetProperty("truncated", out var truncated) && truncated.ValueKind == JsonValueKind.True));
        return ExitCode.Ok;
    }

    private static async Task<Api.ApiResponse> FindAsync(Host host, string id, CancellationToken cancellation)
    {
        var answer = await host.Api.GetAsync($"/api/verified-queries/{YamlFiles.Path(id)}", cancellation);
        return answer.Status == 404
            ? throw new CliException($"There is no verified query '{id}' among yours.") { Hint = "See: agnes verified list" }
            : answer.OrFail();
    }

    private static Dictionary<string, string> Given(string[] values)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            var at = value.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new CliException($"--param takes name=value, not '{value}'.", ExitCode.Usage);
            given[value[..at]] = value[(at + 1)..];
        }

        return given;
    }

    private static string Describe(QueryParameter parameter) => $"{parameter.Name} ({parameter.Type}{(parameter.Default is null ? "" : $", default {parameter.Default}")})";

    private static void Tell(Host host, int limit, bool isCut)
    {
        if (!isCut) return;
        host.Flush();
        host.Error.WriteLine($"Note: cut at {limit} rows; there are more. Raise --limit.");
    }
}
