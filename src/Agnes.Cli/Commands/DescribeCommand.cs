using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Output;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes describe</c> and <c>agnes sample</c>: columns and a few rows, from the server.</summary>
internal static class DescribeCommand
{
    private const int RowsDefault = 5;
    private const int RowsMax = 100;

    public static Command Build(Host host, string name)
    {
        var table = new Argument<string>("table") { Description = "Id or name of the table, as 'agnes catalog' lists it." };
        var rows = new Option<int>("--rows", "-n") { Description = $"How many rows, 1 to {RowsMax}.", DefaultValueFactory = _ => RowsDefault };
        rows.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var count) && count is < 1 or > RowsMax) result.AddError($"--rows must be between 1 and {RowsMax}.");
        });
        var json = Shared.Json();
        var command = new AgnesCommand(name, "Shows a table's columns and a few of its rows.", $"agnes {name} orders", $"agnes {name} orders -n 20 --json") { table, rows, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = parsed.GetRequiredValue(table);
            var schema = await SchemaCommand.FetchAsync(host, id, cancellation);
            var sample = await host.Api.GetAsync($"/api/v2/sample/{Uri.EscapeDataString(id)}?n={parsed.GetValue(rows)}", cancellation);
            sample.OrFail(SchemaCommand.ExitFor(sample.Status));
            using var schemaBody = schema.Json();
            using var sampleBody = sample.Json();
            if (parsed.GetValue(json))
            {
                WriteJson(host, schemaBody.RootElement, sampleBody.RootElement);
                return ExitCode.Ok;
            }

            SchemaCommand.Print(host, schema.As(ProtocolJson.Default.TableSchema));
            if (await FindAsync(host, id, cancellation) is { } entry) TableAdvice.Write(host, entry);
            host.Out.WriteLine();
            using var grid = new RemoteRows(sampleBody.RootElement);
            ResultFormat.Write(host, "table", grid, RowsMax);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>
    /// Its line of the catalog; a server that does not know how to give one line gives all. What is asked for is there already, so
    /// one that has none is no reason to fail.
    /// </summary>
    private static async Task<CatalogTable?> FindAsync(Host host, string table, CancellationToken cancellation)
    {
        var answer = await host.Api.GetAsync($"/api/v2/catalog?table={Uri.EscapeDataString(table)}", cancellation);
        if (answer.Status != 200) return null;
        var tables = answer.As(ProtocolJson.Default.Catalog).Tables;
        return tables.FirstOrDefault(one => one.Id == table)
            ?? tables.FirstOrDefault(one => string.Equals(one.Name, table, StringComparison.OrdinalIgnoreCase));
    }

    private static void WriteJson(Host host, JsonElement schema, JsonElement sample)
    {
        using (var writer = new Utf8JsonWriter(host.OutBytes, JsonText.Indented))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("schema");
            schema.WriteTo(writer);
            writer.WritePropertyName("sample");
            sample.WriteTo(writer);
            writer.WriteEndObject();
        }

        host.Out.Write('\n');
    }
}
