using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin register-files</c>: a table for each of many files below the server's folder for files.</summary>
internal static class RegisterFilesCommand
{
    private static readonly string[] Extensions = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".ndjson", ".jsonl"];

    public static Command Build(Host host)
    {
        var files = new Argument<string[]>("file") { Description = "Paths below the server's folder for files, as 'orders.csv' or 'web/events-*.csv'; '-' reads them from the standard input, one a line.", Arity = ArgumentArity.OneOrMore };
        var prefix = new Option<string>("--prefix") { Description = "Put before each table's name.", DefaultValueFactory = _ => "" };
        var schedule = new Option<string?>("--sync-schedule") { Description = "'every 1h', 'daily 06:00' (UTC) or 'cron 0 6 * * 1-5 @ Europe/Prague'." };
        var group = new Option<string?>("--grant") { Description = "Grant all of them to this group (name or id)." };
        var sync = new Option<bool>("--sync") { Description = "Bring them at once, and wait." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show the names that the tables would get." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "register-files",
            "Registers a table for each file (CSV, TSV, Parquet, JSON) under the server's folder for files. A table is called after its file; what is registered already is left as it is.",
            "agnes admin register-files orders.csv customers.csv products.parquet --grant analysts --sync",
            "(cd /data/csv && find . -name '*.csv') | agnes admin register-files - --dry-run") { files, prefix, schedule, group, sync, dryRun, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var tables = Tables(await PathsAsync(parsed.GetRequiredValue(files), cancellation), parsed.GetRequiredValue(prefix));
            if (parsed.GetValue(dryRun))
            {
                Print(host, [.. tables.Select(table => new Outcome(table, "would register", null, null))], parsed.GetValue(json));
                return ExitCode.Ok;
            }

            var outcomes = new List<Outcome>();
            foreach (var table in tables) outcomes.Add(await RegisterAsync(host, table, parsed.GetValue(schedule), cancellation));
            Print(host, outcomes, parsed.GetValue(json));
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
        var tables = new List<FileTable>();
        foreach (var path in paths)
        {
            if (path.StartsWith('/') || path.Split('/').Contains("..", StringComparer.Ordinal)) throw new CliException($"'{path}' must be a path below the server's folder for files.", ExitCode.Usage);
            var cut = path.LastIndexOf('/');
            var (folder, file) = cut < 0 ? (null, path) : (path[..cut], path[(cut + 1)..]);
            var extension = Extensions.OrderByDescending(known => known.Length).FirstOrDefault(known => file.EndsWith(known, StringComparison.OrdinalIgnoreCase))
                ?? throw new CliException($"'{path}' is none of {string.Join(", ", Extensions)}.", ExitCode.Usage);
            tables.Add(new FileTable(prefix + NameOf(file[..^extension.Length]), folder, file));
        }

        var twice = tables.GroupBy(table => table.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null) throw new CliException($"Two files would be called '{twice.Key}': {string.Join(", ", twice.Select(table => table.Path))}.", ExitCode.Usage) { Hint = "Register one of them with 'agnes admin register-table' and a name of its own." };
        var bad = tables.Find(table => !Identifiers.IsStrict(table.Name));
        return bad is null ? tables : throw new CliException($"'{bad.Path}' does not make a table name ('{bad.Name}').", ExitCode.Usage) { Hint = "Use --prefix, or 'agnes admin register-table NAME --source-table FILE'." };
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
        var body = new JsonObject { ["name"] = table.Name, ["source_type"] = "csv", ["bucket"] = table.Folder, ["source_table"] = table.File, ["query_mode"] = "local", ["sync_strategy"] = "full_refresh" };
        if (schedule is not null) body["sync_schedule"] = schedule;
        var answer = await host.Api.PostAsync("/api/admin/register-table", body, cancellation);
        if (answer.Status is 401 or 403) throw answer.Failure();
        if (answer.Status == 409) return new Outcome(table, "registered already", null, table.Name);
        if (!answer.IsSuccess) return new Outcome(table, "failed", ErrorText.Brief(answer.Status, answer.Body), null);
        using var json = answer.Json();
        return new Outcome(table, "registered", null, Columns.Field(json.RootElement, "id"));
    }

    private static async Task GrantAsync(Host host, string group, string[] ids, CancellationToken cancellation)
    {
        var id = await AdminApi.GroupIdAsync(host, group, cancellation);
        var body = new JsonObject { ["group_id"] = id, ["resource_type"] = "table", ["add"] = new JsonArray([.. ids.Select(table => (JsonNode)table)]) };
        (await host.Api.PostAsync("/api/admin/grants/bulk", body, cancellation)).OrFail();
        host.Error.WriteLine($"'{group}' may read {(ids.Length == 1 ? "it" : $"all {ids.Length}")}.");
    }

    private static void Print(Host host, List<Outcome> outcomes, bool json)
    {
        if (json)
        {
            JsonText.Write(host, (JsonNode)new JsonArray([.. outcomes.Select(outcome => (JsonNode)new JsonObject { ["name"] = outcome.Table.Name, ["file"] = outcome.Table.Path, ["result"] = outcome.Done, ["error"] = outcome.Error, ["id"] = outcome.Id })]));
            return;
        }

        Columns.Write(host.Out, ["TABLE", "FILE", "RESULT"], [.. outcomes.Select(outcome => (IReadOnlyList<string>)[outcome.Table.Name, outcome.Table.Path, outcome.Error ?? outcome.Done])]);
    }

    private sealed record FileTable(string Name, string? Folder, string File)
    {
        public string Path => Folder is null ? File : $"{Folder}/{File}";
    }

    private sealed record Outcome(FileTable Table, string Done, string? Error, string? Id);
}
