using System.CommandLine;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes schema</c>: the columns of a table, from the server.</summary>
internal static class SchemaCommand
{
    public static Command Build(Host host)
    {
        var table = new Argument<string>("table") { Description = "Id or name of the table, as 'agnes catalog' lists it." };
        var json = Shared.Json();
        var command = new AgnesCommand("schema", "Shows a table's columns with their types, partitioning and the SQL dialect to write.", "agnes schema orders", "agnes schema orders --json") { table, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = await FetchAsync(host, parsed.GetRequiredValue(table), cancellation);
            if (parsed.GetValue(json))
            {
                using var body = answer.Json();
                JsonText.Write(host, body.RootElement);
            }
            else
            {
                Print(host, answer.As(ProtocolJson.Default.TableSchema));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    public static async Task<ApiResponse> FetchAsync(Host host, string table, CancellationToken cancellation)
    {
        var answer = await host.Api.GetAsync($"/api/v2/schema/{Uri.EscapeDataString(table)}", cancellation);
        return answer.OrFail(ExitFor(answer.Status));
    }

    public static int ExitFor(int status) => status switch
    {
        >= 500 => ExitCode.ServerError,
        403 => ExitCode.NotAllowed,
        _ => ExitCode.Usage,
    };

    public static void Print(Host host, TableSchema schema)
    {
        host.Out.WriteLine($"{schema.TableId} ({(string.IsNullOrEmpty(schema.SourceType) ? "unknown source" : schema.SourceType)}, SQL dialect: {schema.SqlFlavor.ToUpperInvariant()})");
        Columns.Write(
            host.Out,
            ["COLUMN", "TYPE", "NULL", "DESCRIPTION"],
            [.. schema.Columns.Select(column => (IReadOnlyList<string>)[column.Name, column.Type, column.Nullable ? "YES" : "NO", column.Description ?? ""])]);
        if (!string.IsNullOrEmpty(schema.PartitionBy)) host.Out.WriteLine($"Partition: {schema.PartitionBy}");
        if (schema.ClusteredBy is { Count: > 0 }) host.Out.WriteLine($"Clustered: {string.Join(", ", schema.ClusteredBy)}");
        foreach (var (hint, text) in schema.WhereDialectHints ?? new Dictionary<string, string>()) host.Out.WriteLine($"{hint}: {text}");
    }
}
