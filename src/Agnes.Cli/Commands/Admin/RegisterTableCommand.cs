using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class RegisterTableCommand
{
    public static Command Build(Host host)
    {
        var options = new RegisterOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Register nothing; ask the server to check it, and of files to show the first rows, the columns, and how they are read." };
        var ifMissing = new Option<bool>("--if-missing") { Description = "Succeed, and change nothing, where it is registered already." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "register-table",
            "Tells the server of a table to bring. Registering grants nothing: see 'agnes admin grant create'.",
            "agnes admin register-table orders --source-type csv --source-table orders.csv",
            "agnes admin register-table events --source-type csv --bucket web --source-table 'events-*.csv.gz' --description 'One row per click'",
            "agnes admin register-table orders --source-type keboola --bucket in.c-crm --sync-schedule 'every 1h'") { options.Name, dryRun, ifMissing, json };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = await options.BodyAsync(parsed, cancellation);
            return parsed.GetValue(dryRun)
                ? await PrecheckAsync(host, body, parsed.GetValue(json), cancellation)
                : await RegisterAsync(host, body, parsed.GetValue(ifMissing), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RegisterAsync(Host host, JsonObject body, bool ifMissing, bool json, CancellationToken cancellation)
    {
        var answer = await host.Api.PostAsync("/api/admin/register-table", body, cancellation);
        if (answer.Status == 409 && ifMissing)
        {
            host.Out.WriteLine($"'{body["name"]}' is registered already.");
            return ExitCode.Ok;
        }

        answer.OrFail();
        using var registered = answer.Json();
        var id = Columns.Field(registered.RootElement, "id");
        if (json)
        {
            JsonText.Write(host, registered.RootElement);
            return ExitCode.Ok;
        }

        host.Out.WriteLine(answer.Status == 202 ? $"Registered '{id}'; the server is still building it." : $"Registered '{id}'.");
        // A kind of source that is asked makes its tables such, whatever was said.
        var isElsewhere = "remote" == Columns.Field(registered.RootElement, "query_mode") || "remote" == body["query_mode"]!.GetValue<string>();
        if (isElsewhere) host.Out.WriteLine($"Try it: agnes query --remote 'SELECT * FROM \"{body["name"]}\" LIMIT 5'");
        else if (answer.Status != 202) host.Out.WriteLine($"Bring it now: agnes admin sync trigger {id} --watch");
        host.Out.WriteLine($"Nobody but admins sees it yet: agnes admin grant create <group> table {id}");
        return ExitCode.Ok;
    }

    private static async Task<int> PrecheckAsync(Host host, JsonObject body, bool json, CancellationToken cancellation)
    {
        using var answer = (await host.Api.PostAsync("/api/admin/register-table/precheck", body, cancellation)).OrFail().Json();
        if (json)
        {
            JsonText.Write(host, answer.RootElement);
            return ExitCode.Ok;
        }

        PrecheckText.Write(host, answer.RootElement.TryGetProperty("table", out var table) ? table : answer.RootElement);
        return ExitCode.Ok;
    }
}

/// <summary>What can be said about a table when it is registered.</summary>
internal sealed class RegisterOptions
{
    private readonly Option<string> _sourceType = new("--source-type")
    {
        Description = "Where it comes from: csv (files), keboola, bigquery, jira, postgres, derived (a query over other tables), local.",
        DefaultValueFactory = _ => "keboola",
    };

    private readonly Option<string?> _connection = new("--connection") { Description = "Through which connection of that source; default: the one of its name." };
    private readonly Option<string?> _bucket = new("--bucket") { Description = "Where it lies in the source: sub-folder, bucket or dataset." };
    private readonly Option<string?> _sourceTable = new("--source-table") { Description = "What it is called there: table, file or glob; default: the name." };
    private readonly Option<string> _queryMode = new("--query-mode") { Description = "local: copied to laptops; remote: stays at the source; materialized: the result of --query.", DefaultValueFactory = _ => "local" };
    private readonly Option<string?> _query = new("--query")
    {
        Description = "SQL of a materialized table, or @file. Without --query-mode, the table is one.",
    };

    private readonly Option<FileInfo?> _queryFile = new("--query-file") { Description = "The same, from a file." };
    private readonly Option<string?> _description = new("--description") { Description = "What a row is, for people and agents." };
    private readonly Option<string> _strategy = new("--sync-strategy") { Description = "full_refresh, incremental or partitioned.", DefaultValueFactory = _ => "full_refresh" };
    private readonly Option<string?> _primaryKey = new("--primary-key") { Description = "Columns, joined by commas." };
    private readonly Option<string?> _filters = new("--where-filters-json") { Description = "Filters as JSON, or @file." };
    private readonly Option<string[]> _settings = TableSettings.Option();

    private readonly (Option<string?> Option, string Field)[] _texts =
    [
        (new("--sync-schedule") { Description = "'every 1h', 'daily 06:00' (UTC) or 'cron 0 6 * * 1-5 @ Europe/Prague'; default: the server's." }, "sync_schedule"),
        (new("--partition-by") { Description = "Column to partition by." }, "partition_by"),
        (new("--schema-contract")
        {
            Description = "When its source has other columns: evolve (take them; the default), freeze (keep the last version) or discard (leave new ones out).",
        }, "schema_contract"),
        (new("--partition-granularity") { Description = "day, month or year." }, "partition_granularity"),
    ];

    private readonly (Option<int?> Option, string Field)[] _numbers =
    [
        (new("--incremental-window-days") { Description = "incremental: how many days are read again each time." }, "incremental_window_days"),
        (new("--max-history-days") { Description = "partitioned: how many days are kept." }, "max_history_days"),
        (new("--initial-load-chunk-days") { Description = "partitioned: how many days a step of the first load brings." }, "initial_load_chunk_days"),
    ];

    public RegisterOptions()
    {
        _queryMode.AcceptOnlyFromAmong("local", "remote", "materialized");
        _strategy.AcceptOnlyFromAmong("full_refresh", "incremental", "partitioned");
    }

    public Argument<string> Name { get; } = new("name") { Description = "What analysts will call it." };

    public void AddTo(Command command)
    {
        Option[] options =
        [
            _sourceType, _connection, _bucket, _sourceTable, _queryMode, _query, _queryFile, _description,
            _strategy, _primaryKey, _filters, _settings,
        ];
        foreach (var option in options) command.Add(option);
        foreach (var (option, _) in _texts) command.Add(option);
        foreach (var (option, _) in _numbers) command.Add(option);
    }

    public async Task<JsonObject> BodyAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetRequiredValue(Name);
        var source = parsed.GetRequiredValue(_sourceType);
        var bucket = parsed.GetValue(_bucket);
        var given = parsed.GetValue(_queryFile) is { } file ? $"@{file.FullName}" : parsed.GetValue(_query);
        if (parsed.GetValue(_query) is not null && parsed.GetValue(_queryFile) is not null)
            throw new CliException("--query and --query-file say the same thing; give one of them.", ExitCode.Usage);
        var query = given is null ? null : await TextOrFile.ReadAsync(given, cancellation);
        var saysNoMode = parsed.GetResult(_queryMode) is null or { Implicit: true };
        var mode = query is not null && saysNoMode ? "materialized" : parsed.GetRequiredValue(_queryMode);
        if (mode == "materialized" && string.IsNullOrWhiteSpace(query) && source is not ("keboola" or "bigquery"))
            throw new CliException("A materialized table needs its SQL: --query 'SELECT …' or --query @file.sql", ExitCode.Usage);
        if (mode == "materialized" && string.IsNullOrWhiteSpace(query) && string.IsNullOrWhiteSpace(bucket))
            throw new CliException(
                "A materialized table needs its SQL (--query 'SELECT …'), or --bucket, to be taken whole.", ExitCode.Usage);
        var body = new JsonObject
        {
            ["name"] = name,
            ["source_type"] = source,
            ["bucket"] = bucket,
            ["source_table"] = parsed.GetValue(_sourceTable) ?? name,
            ["query_mode"] = mode,
            ["description"] = parsed.GetValue(_description),
            ["sync_strategy"] = parsed.GetRequiredValue(_strategy),
        };
        if (parsed.GetValue(_connection) is { } connection) body["connection"] = connection;
        if (!string.IsNullOrWhiteSpace(query)) body["source_query"] = query;
        if (parsed.GetValue(_primaryKey) is { } key) body["primary_key"] = new JsonArray([.. key.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(column => (JsonNode)column)]);
        if (parsed.GetValue(_filters) is { } filters) body["where_filters"] = ParseFilters(await TextOrFile.ReadAsync(filters, cancellation));
        if (parsed.GetValue(_settings) is { Length: > 0 } settings) body["settings"] = await TableSettings.ReadAsync(settings, cancellation);
        foreach (var (option, field) in _texts)
        {
            if (parsed.GetValue(option) is { } value) body[field] = value;
        }

        foreach (var (option, field) in _numbers)
        {
            if (parsed.GetValue(option) is { } value) body[field] = value;
        }

        return body;
    }

    private static JsonNode? ParseFilters(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException problem)
        {
            throw new CliException($"--where-filters-json is not JSON: {problem.Message}", ExitCode.Usage);
        }
    }
}
