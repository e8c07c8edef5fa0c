using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Commands.Admin;

/// <summary>
/// <c>agnes admin register-files</c>: a table for each of many files and folders below the server's folder for files. One that cannot be registered is left, with the reason,
/// and holds up none of the others.
/// </summary>
internal static class RegisterFilesCommand
{
    private static readonly string[] Extensions = [".csv", ".txt", ".tsv", ".tab", ".json", ".ndjson", ".jsonl", ".parquet"];
    private static readonly string[] Compressions = [".gz", ".zst"];

    private const string ByItself = "register it by itself: agnes admin register-table NAME --source-type csv --source-table FILE";

    public static Command Build(Host host)
    {
        var files = new Argument<string[]>("file") { Description = "Paths below the server's folder for files, as 'orders.csv' or 'web/events-*.csv', or folders of files that make one table; '-' reads them from the standard input, one a line.", Arity = ArgumentArity.OneOrMore };
        var prefix = new Option<string>("--prefix") { Description = "Put before each table's name.", DefaultValueFactory = _ => "" };
        var schedule = new Option<string?>("--sync-schedule") { Description = "'every 1h', 'daily 06:00' (UTC) or 'cron 0 6 * * 1-5 @ Europe/Prague'." };
        var group = new Option<string?>("--grant") { Description = "Grant all of them to this group (name or id)." };
        var sync = new Option<bool>("--sync") { Description = "Bring them at once, and wait." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Register nothing; show the names that the tables would get, their rows and columns, and which files cannot be read." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "register-files",
            "Registers a table for each file (CSV, TSV, Parquet, JSON), or each folder of files, under the server's folder for files. A table is called after its file; what is registered already is left as it is, and so is, with the reason, what cannot be registered.",
            "agnes admin register-files orders.csv customers.csv products.parquet --grant analysts --sync",
            "(cd /data/csv && find . -name '*.csv') | agnes admin register-files - --dry-run") { files, prefix, schedule, group, sync, dryRun, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var tables = Tables(await PathsAsync(parsed.GetRequiredValue(files), cancellation), parsed.GetRequiredValue(prefix));
            var isDry = parsed.GetValue(dryRun);
            var outcomes = new List<Outcome>();
            foreach (var table in tables)
            {
                if (table.Fault is { } fault) outcomes.Add(new Outcome(table, "left", fault, null));
                else outcomes.Add(isDry ? await PrecheckAsync(host, table, cancellation) : await RegisterAsync(host, table, parsed.GetValue(schedule), cancellation));
            }

            if (isDry)
            {
                Print(host, outcomes, parsed.GetValue(json), isDry);
                return outcomes.TrueForAll(outcome => outcome.Error is null) ? ExitCode.Ok : ExitCode.Failed;
            }

            Print(host, outcomes, parsed.GetValue(json), isDry);
            var ids = outcomes.Where(outcome => outcome.Id is not null).Select(outcome => outcome.Id!).ToArray();
            if (ids.Length > 0 && parsed.GetValue(group) is { } name) await GrantAsync(host, name, ids, cancellation);
            var isSynced = ids.Length == 0 || !parsed.GetValue(sync) || await SyncCommands.TriggerAndWatchAsync(host, ids, host.Error, cancellation);
            return isSynced && outcomes.TrueForAll(outcome => outcome.Error is null) ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<List<string>> PathsAsync(string[] given, CancellationToken cancellation)
    {
        var paths = given.Where(path => path != "-").ToList();
        if (given.Contains("-", StringComparer.Ordinal))
        {
            while (await Terminal.In.ReadLineAsync(cancellation) is { } line)
            {
                if (line.Trim() is { Length: > 0 } path) paths.Add(path);
            }
        }

        return [.. paths.Select(path => path.Replace('\\', '/')).Select(path => path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path).Distinct(StringComparer.Ordinal)];
    }

    private static List<FileTable> Tables(List<string> paths, string prefix)
    {
        var tables = paths.Select(path => Table(path, prefix)).ToList();
        foreach (var same in tables.Where(table => table.Fault is null).GroupBy(table => table.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1).ToList())
        {
            foreach (var table in same) tables[tables.IndexOf(table)] = table with { Fault = $"'{same.Key}' would also be the name of {string.Join(", ", same.Where(other => other != table).Select(other => other.Path))}: {ByItself}" };
        }

        return tables;
    }

    private static FileTable Table(string path, string prefix)
    {
        var isFolder = path.EndsWith('/');
        var whole = path.TrimEnd('/');
        var cut = whole.LastIndexOf('/');
        var (folder, file) = cut < 0 ? (null, whole) : (whole[..cut], whole[(cut + 1)..]);
        var (stem, extension) = Split(file);
        if (isFolder || !file.Contains('.', StringComparison.Ordinal)) (stem, extension) = (file, "");
        var table = new FileTable(prefix + NameOf(stem), folder, file);
        if (path.StartsWith('/') || path.Split('/').Contains("..", StringComparer.Ordinal)) return table with { Fault = "it must be a path below the server's folder for files" };
        if (extension is null) return table with { Fault = $"it is none of {string.Join(", ", Extensions)} (but for .parquet also with {string.Join(" or ", Compressions)}), nor a folder" };
        return Identifiers.IsStrict(table.Name) ? table : table with { Fault = $"it does not make a table name ('{table.Name}'): use --prefix; or {ByItself}" };
    }

    /// <returns>Extension null: none that is known.</returns>
    private static (string Stem, string? Extension) Split(string file)
    {
        var compression = Compressions.FirstOrDefault(known => file.EndsWith(known, StringComparison.OrdinalIgnoreCase)) ?? "";
        var plain = file[..^compression.Length];
        var extension = Extensions.FirstOrDefault(known => plain.EndsWith(known, StringComparison.OrdinalIgnoreCase));
        return extension is null || (extension == ".parquet" && compression.Length > 0) ? (file, null) : (plain[..^extension.Length], extension + compression);
    }

    /// <summary>What stands in the file's name, in the letters that table names have.</summary>
    private static string NameOf(string stem)
    {
        var kept = new string([.. stem.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
        while (kept.Contains("__", StringComparison.Ordinal)) kept = kept.Replace("__", "_", StringComparison.Ordinal);
        kept = kept.Trim('_');
        return kept.Length > 0 && char.IsAsciiDigit(kept[0]) ? "t_" + kept : kept;
    }

    private static async Task<Outcome> RegisterAsync(Host host, FileTable table, string? schedule, CancellationToken cancellation)
    {
        var body = Body(table);
        if (schedule is not null) body["sync_schedule"] = schedule;
        var answer = await host.Api.PostAsync("/api/admin/register-table", body, cancellation);
        if (answer.Status is 401 or 403) throw answer.Failure();
        if (answer.Status == 409 && await IdOfSameAsync(host, table, cancellation) is { } known) return new Outcome(table, "registered already", null, known);
        if (!answer.IsSuccess) return new Outcome(table, "left", ErrorText.Brief(answer.Status, answer.Body), null);
        using var json = answer.Json();
        return new Outcome(table, "registered", null, Columns.Field(json.RootElement, "id"));
    }

    /// <summary>What the server makes of it; nothing is written.</summary>
    private static async Task<Outcome> PrecheckAsync(Host host, FileTable table, CancellationToken cancellation)
    {
        var answer = await host.Api.PostAsync("/api/admin/register-table/precheck", Body(table), cancellation);
        if (answer.Status is 401 or 403) throw answer.Failure();
        if (answer.Status == 409 && await IdOfSameAsync(host, table, cancellation) is { } known) return new Outcome(table, "registered already", null, known);
        if (!answer.IsSuccess) return new Outcome(table, "left", ErrorText.Brief(answer.Status, answer.Body), null);
        using var json = answer.Json();
        var found = json.RootElement.TryGetProperty("table", out var described) ? described : json.RootElement;
        var columns = found.TryGetProperty("columns", out var list) && list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : 0;
        return new Outcome(table, "would register", PrecheckText.Error(found), null)
        {
            Rows = found.TryGetProperty("rows", out var rows) && rows.ValueKind == JsonValueKind.Number && rows.TryGetInt64(out var count) ? count : null,
            Columns = found.TryGetProperty("column_count", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var counted) ? counted : columns > 0 ? columns : null,
        };
    }

    /// <summary>A table of that name may also be of another file; then it is not ours to grant.</summary>
    private static async Task<string?> IdOfSameAsync(Host host, FileTable table, CancellationToken cancellation)
    {
        using var registry = (await host.Api.GetAsync("/api/admin/registry", cancellation)).OrFail().Json();
        foreach (var row in registry.RootElement.GetProperty("tables").EnumerateArray())
        {
            if (!string.Equals(Text(row, "name"), table.Name, StringComparison.OrdinalIgnoreCase)) continue;
            return (Text(row, "bucket") ?? "") == (table.Folder ?? "") && Text(row, "source_table") == table.File ? Text(row, "id") : null;
        }

        return null;
    }

    private static string? Text(JsonElement row, string field) => row.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonObject Body(FileTable table) =>
        new() { ["name"] = table.Name, ["source_type"] = "csv", ["bucket"] = table.Folder, ["source_table"] = table.File, ["query_mode"] = "local", ["sync_strategy"] = "full_refresh" };

    private static async Task GrantAsync(Host host, string group, string[] ids, CancellationToken cancellation)
    {
        var id = await AdminApi.GroupIdAsync(host, group, cancellation);
        var body = new JsonObject { ["group_id"] = id, ["resource_type"] = "table", ["add"] = new JsonArray([.. ids.Select(table => (JsonNode)table)]) };
        (await host.Api.PostAsync("/api/admin/grants/bulk", body, cancellation)).OrFail();
        host.Error.WriteLine($"'{group}' may read {(ids.Length == 1 ? "it" : $"all {ids.Length}")}.");
    }

    private static void Print(Host host, List<Outcome> outcomes, bool json, bool isDry)
    {
        if (json)
        {
            JsonText.Write(host, (JsonNode)new JsonArray([.. outcomes.Select(outcome => (JsonNode)Describe(outcome, isDry))]));
            return;
        }

        string[] heads = isDry ? ["TABLE", "FILE", "ROWS", "COLUMNS", "RESULT"] : ["TABLE", "FILE", "RESULT"];
        Columns.Write(host.Out, heads, [.. outcomes.Select(outcome => (IReadOnlyList<string>)(isDry
            ? [outcome.Table.Name, outcome.Table.Path, Number(outcome.Rows), Number(outcome.Columns), Said(outcome)]
            : [outcome.Table.Name, outcome.Table.Path, Said(outcome)]))]);
    }

    private static JsonObject Describe(Outcome outcome, bool isDry)
    {
        var row = new JsonObject { ["name"] = outcome.Table.Name, ["file"] = outcome.Table.Path, ["result"] = outcome.Done, ["error"] = outcome.Error, ["id"] = outcome.Id };
        if (!isDry) return row;
        row["rows"] = outcome.Rows;
        row["columns"] = outcome.Columns;
        return row;
    }

    private static string Said(Outcome outcome) => outcome.Error is null ? outcome.Done : $"{outcome.Done}: {DisplayText.Message(outcome.Error)}";

    /// <summary>What is not known is not none.</summary>
    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";

    /// <param name="Fault">Why it cannot be registered.</param>
    private sealed record FileTable(string Name, string? Folder, string File, string? Fault = null)
    {
        public string Path => Folder is null ? File : $"{Folder}/{File}";
    }

    private sealed record Outcome(FileTable Table, string Done, string? Error, string? Id)
    {
        public long? Rows { get; init; }

        public long? Columns { get; init; }
    }
}
