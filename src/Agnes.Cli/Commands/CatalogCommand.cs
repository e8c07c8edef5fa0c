using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Agnes.Cli.Output;
using Agnes.Cli.Sessions;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes catalog</c>: which tables there are, and the company's metric definitions.</summary>
internal static class CatalogCommand
{
    public static Command Build(Host host)
    {
        var json = Shared.Json();
        var refresh = new Option<bool>("--refresh") { Description = "Ask the server to look again rather than answer from its cache." };
        var metrics = new Option<bool>("--metrics") { Description = "Metric definitions instead of tables." };
        var show = new Option<string?>("--show") { Description = "With --metrics: one definition in full.", HelpName = "id" };
        var history = new Option<string?>("--history") { Description = "The versions of one table that the server keeps.", HelpName = "table" };
        var command = new AgnesCommand(
            "catalog",
            "Lists the tables you may read. Start here: 'local' and 'materialized' tables are on this machine after 'agnes pull'; 'remote' ones are queried with 'agnes query --remote'.",
            "agnes catalog",
            "agnes catalog --json",
            "agnes catalog --metrics --show revenue/mrr",
            "agnes catalog --history orders") { json, refresh, metrics, show, history };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(history) is { } table) return TableHistoryOutput.ShowAsync(host, table, parsed.GetValue(json), cancellation);
            if (parsed.GetValue(show) is { } id) return MetricAsync(host, id, parsed.GetValue(json), cancellation);
            return parsed.GetValue(metrics)
                ? MetricsAsync(host, parsed.GetValue(json), cancellation)
                : TablesAsync(host, parsed.GetValue(refresh), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> TablesAsync(Host host, bool refresh, bool json, CancellationToken cancellation)
    {
        var answer = (await host.Api.GetAsync($"/api/v2/catalog?refresh={(refresh ? 1 : 0)}", cancellation)).OrFail(ExitCode.CatalogFailed);
        if (json)
        {
            using var body = answer.Json();
            JsonText.Write(host, body.RootElement);
            return ExitCode.Ok;
        }

        var catalog = answer.As(ProtocolJson.Default.Catalog);
        if (catalog.Tables.Count == 0)
        {
            host.Out.WriteLine("(no tables) You have not been granted any table yet; ask an admin.");
            return ExitCode.Ok;
        }

        var here = PullState.Read(Layout.Current()).State.Servers.Values.SelectMany(server => server.Tables).DistinctBy(table => table.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        Columns.Write(
            host.Out,
            ["ID", "SOURCE", "MODE", "FLAVOR", "NAME", "ROWS", "SIZE", "HERE", "DESCRIPTION"],
            [.. catalog.Tables.Select(table => (IReadOnlyList<string>)[table.Id, Or(table.SourceType), table.QueryMode, table.SqlFlavor, table.Name, table.Rows?.ToString() ?? "-", TableAdvice.Size(table), Here(host, table, here), table.Description ?? ""])]);
        WriteAdvice(host, catalog.Tables);
        return ExitCode.Ok;
    }

    /// <summary>Rows that are elsewhere are asked for otherwise: said once, with a table that there is.</summary>
    private static void WriteAdvice(Host host, IReadOnlyList<CatalogTable> tables)
    {
        if (tables.FirstOrDefault(TableAdvice.IsRemote) is not { } remote) return;
        host.Out.WriteLine("'remote' tables stay at their source. Filter there, or take along the rows that you need; look at the cost first:");
        foreach (var command in TableAdvice.Commands(remote)) host.Out.WriteLine(DisplayText.OneLine($"  {command}"));
        host.Out.WriteLine("What a table is partitioned by, and how to filter it: agnes describe TABLE");
    }

    /// <summary>How old the rows in this workspace are; where they are not here, what brings them.</summary>
    private static string Here(Host host, CatalogTable table, Dictionary<string, TableState> here)
    {
        if (table.QueryMode == "remote") return "on server";
        if (!here.TryGetValue(table.Name, out var state)) return "not pulled";
        return DateTimeOffset.TryParse(state.Updated, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var updated) ? $"of {HookCommands.Age(host.Clock.GetUtcNow() - updated)} ago" : "yes";
    }

    private static async Task<int> MetricsAsync(Host host, bool json, CancellationToken cancellation)
    {
        using var body = (await host.Api.GetAsync("/api/metrics", cancellation)).OrFail(ExitCode.CatalogFailed).Json();
        var list = body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("metrics", out var inner) ? inner : body.RootElement;
        if (json)
        {
            JsonText.Write(host, list);
            return ExitCode.Ok;
        }

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
        {
            host.Out.WriteLine("(no metrics) No metric definitions found.");
            return ExitCode.Ok;
        }

        foreach (var category in list.EnumerateArray().GroupBy(metric => Columns.Field(metric, "category") is var name && name == "-" ? "uncategorized" : name).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            host.Out.WriteLine($"{category.Key}:");
            foreach (var metric in category)
            {
                var unit = Columns.Field(metric, "unit");
                host.Out.WriteLine(DisplayText.OneLine($"  {Columns.Field(metric, "name")}  {Columns.Field(metric, "display_name")}{(unit == "-" ? "" : $" ({unit})")}"));
            }
        }

        host.Out.WriteLine("SQL and rules of one: agnes catalog --metrics --show <category>/<name>");
        return ExitCode.Ok;
    }

    private static async Task<int> MetricAsync(Host host, string id, bool json, CancellationToken cancellation)
    {
        // The id holds a slash that belongs to the path; everything else in it is escaped.
        var path = string.Join('/', id.Split('/').Select(Uri.EscapeDataString));
        using var body = (await host.Api.GetAsync($"/api/metrics/{path}", cancellation)).OrFail().Json();
        if (json)
        {
            JsonText.Write(host, body.RootElement);
            return ExitCode.Ok;
        }

        (string Label, string Field)[] always = [("ID", "id"), ("Name", "name"), ("Display Name", "display_name"), ("Category", "category"), ("Type", "type")];
        (string Label, string Field)[] whenPresent = [("Unit", "unit"), ("Grain", "grain"), ("Table", "table_name"), ("Time Column", "time_column"), ("Expression", "expression"), ("Description", "description"), ("Filters", "filters"), ("Dimensions", "dimensions"), ("SQL", "sql"), ("Synonyms", "synonyms")];
        foreach (var (label, field) in always) host.Out.WriteLine($"{label}: {Columns.Field(body.RootElement, field)}");
        foreach (var (label, field) in whenPresent)
        {
            if (Columns.Field(body.RootElement, field) is var value && value is not ("-" or "")) host.Out.WriteLine($"{label}: {DisplayText.Lines(value.TrimEnd())}");
        }

        if (body.RootElement.TryGetProperty("notes", out var notes) && notes.ValueKind == JsonValueKind.Array)
        {
            host.Out.WriteLine("Notes:");
            foreach (var note in notes.EnumerateArray()) host.Out.WriteLine(DisplayText.OneLine($"  - {note}"));
        }

        foreach (var (key, sql) in Variants(body.RootElement)) host.Out.WriteLine($"SQL {key}: {DisplayText.Lines(sql.TrimEnd())}");
        return ExitCode.Ok;
    }

    /// <summary>They arrive as JSON in a text.</summary>
    private static IEnumerable<(string Key, string Sql)> Variants(JsonElement metric)
    {
        if (!metric.TryGetProperty("sql_variants", out var text) || text.ValueKind != JsonValueKind.String) yield break;
        JsonDocument variants;
        try
        {
            variants = JsonDocument.Parse(text.GetString()!);
        }
        catch (JsonException)
        {
            yield break; // a server that keeps something else there
        }

        using (variants)
        {
            if (variants.RootElement.ValueKind != JsonValueKind.Object) yield break;
            foreach (var variant in variants.RootElement.EnumerateObject()) yield return (variant.Name.Replace('_', ' '), variant.Value.ToString());
        }
    }

    private static string Or(string? text) => string.IsNullOrEmpty(text) ? "-" : text;
}
