using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin metadata-show</c> and <c>metadata-apply</c>: what columns mean, as an admin or their agent proposes it in a file.</summary>
internal static class MetadataCommands
{
    private const string ProposalConfidence = "high";
    private const string ProposalSource = "ai_enrichment";
    private const long FileBytesMax = 4L << 20;

    public static IEnumerable<Command> Build(Host host) => [Show(host), Apply(host)];

    private static AgnesCommand Show(Host host)
    {
        var table = new Argument<string>("table") { Description = "The table's id or name." };
        var json = Shared.Json();
        var command = new AgnesCommand("metadata-show", "Shows what is known of a table's columns.", "agnes admin metadata-show orders") { table, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var body = (await host.Api.GetAsync(PathOf(parsed.GetRequiredValue(table)), cancellation)).OrFail().Json();
            var columns = parsed.GetValue(json) ? body.RootElement : AdminApi.List(body.RootElement, "columns");
            AdminApi.Print(
                host, columns, parsed.GetValue(json), AdminApi.Column("COLUMN", "column_name"), AdminApi.Column("TYPE", "basetype"), AdminApi.Column("DESCRIPTION", "description"), AdminApi.Column("CONFIDENCE", "confidence"),
                AdminApi.Column("SOURCE", "source"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Apply(Host host)
    {
        var file = new Argument<string>("file") { Description = """JSON: {"tables":{"orders":{"columns":{"total":{"basetype":"NUMERIC","description":"Gross, in EUR","confidence":"high"}}}}}""" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be written; write nothing." };
        var push = new Option<bool>("--push-to-source") { Description = "Then have the server give it to the source (Keboola) as well." };
        var command = new AgnesCommand(
            "metadata-apply", "Writes what a file says of columns. What it does not name stays as it is.", "agnes admin metadata-apply proposal.json --dry-run", "agnes admin metadata-apply proposal.json --push-to-source") { file, dryRun, push };
        command.SetAction(async (parsed, cancellation) =>
        {
            var proposal = Read(parsed.GetRequiredValue(file));
            if (parsed.GetValue(dryRun))
            {
                foreach (var (table, columns) in proposal) Preview(host, table, columns);
                return ExitCode.Ok;
            }

            var isWhole = true;
            foreach (var (table, columns) in proposal) isWhole &= await ApplyAsync(host, table, columns, parsed.GetValue(push), cancellation);
            return isWhole ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>One table's fault leaves the others to be written: what is applied twice is the same.</summary>
    private static async Task<bool> ApplyAsync(Host host, string table, JsonArray columns, bool push, CancellationToken cancellation)
    {
        var answer = await host.Api.PostAsync(PathOf(table), new JsonObject { ["columns"] = columns }, cancellation);
        if (answer.Status is 401 or 403) throw answer.Failure();
        if (!answer.IsSuccess) return Failed(host, table, ErrorText.Brief(answer.Status, answer.Body));
        host.Out.WriteLine(DisplayText.OneLine($"{table}: {Count(columns.Count)} written."));
        if (!push) return true;

        var pushed = await host.Api.PostAsync($"{PathOf(table)}/push", null, cancellation);
        if (!pushed.IsSuccess) return Failed(host, table, ErrorText.Brief(pushed.Status, pushed.Body));
        using var body = pushed.Json();
        host.Out.WriteLine(DisplayText.OneLine($"{table}: {Count(body.RootElement.TryGetProperty("pushed", out var count) && count.TryGetInt32(out var number) ? number : 0)} given to the source."));
        if (!body.RootElement.TryGetProperty("errors", out var errors) || errors.ValueKind != JsonValueKind.Array) return true;
        foreach (var error in errors.EnumerateArray()) Failed(host, table, error.ToString());
        return false;
    }

    private static string Count(int columns) => columns == 1 ? "1 column" : $"{columns} columns";

    private static bool Failed(Host host, string table, string why)
    {
        host.Error.WriteLine(DisplayText.Message($"Error: {table}: {why}"));
        return false;
    }

    private static void Preview(Host host, string table, JsonArray columns)
    {
        host.Out.WriteLine(DisplayText.OneLine($"{table}:"));
        foreach (var column in columns.OfType<JsonObject>())
        {
            string Field(string name) => column[name]?.ToString() ?? "-";
            host.Out.WriteLine(DisplayText.OneLine($"  {Field("column_name")}  {Field("basetype")}  {Field("description")}  ({Field("confidence")})"));
        }
    }

    /// <exception cref="CliException">No such file, or not of this shape: said before anything is written.</exception>
    private static List<(string Table, JsonArray Columns)> Read(string file)
    {
        if (!File.Exists(file)) throw new CliException($"There is no file '{file}'.");
        if (new FileInfo(file).Length > FileBytesMax) throw new CliException($"'{file}' is larger than {FileBytesMax >> 20} MiB.", ExitCode.Usage);
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(File.ReadAllText(file));
        }
        catch (JsonException problem)
        {
            throw new CliException($"'{file}' is not JSON: {problem.Message}", ExitCode.Usage);
        }

        if ((root as JsonObject)?["tables"] is not JsonObject { Count: > 0 } tables) throw Shape(file, "it has no \"tables\"");
        return [.. tables.Select(table => (table.Key, ColumnsOf(file, table.Key, table.Value)))];
    }

    private static JsonArray ColumnsOf(string file, string table, JsonNode? said)
    {
        if ((said as JsonObject)?["columns"] is not JsonObject { Count: > 0 } columns) throw Shape(file, $"table '{table}' has no \"columns\"");
        var list = new JsonArray();
        foreach (var (name, value) in columns)
        {
            if (value is not JsonObject fields) throw Shape(file, $"column '{name}' of '{table}' is no object");
            var column = new JsonObject { ["column_name"] = name };
            foreach (var field in (string[])["basetype", "description"])
            {
                if (fields.ContainsKey(field)) column[field] = fields[field]?.DeepClone();
            }

            column["confidence"] = fields["confidence"]?.DeepClone() ?? ProposalConfidence;
            column["source"] = ProposalSource;
            list.Add((JsonNode)column);
        }

        return list;
    }

    private static CliException Shape(string file, string what) =>
        new($"'{file}' is no proposal: {what}.", ExitCode.Usage) { Hint = "It looks so: {\"tables\":{\"orders\":{\"columns\":{\"total\":{\"description\":\"Gross, in EUR\"}}}}}" };

    private static string PathOf(string table) => $"/api/admin/metadata/{AdminApi.Escape(table)}";
}
