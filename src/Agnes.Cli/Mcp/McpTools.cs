using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;
using DuckDB.NET.Data;
using ModelContextProtocol.Protocol;

namespace Agnes.Cli.Mcp;

/// <summary>What an agent can do here, each answered with JSON as text. All but taking a snapshot only reads; queries run as locked as those of <c>agnes query</c>.</summary>
internal sealed class McpTools(Host host)
{
    private const int RowsDefault = 100;
    private const int RowsMax = 1_000;
    private const int SampleRowsDefault = 5;
    private const int SampleRowsMax = 100;
    private const int ErrorCharsMax = 10_000;
    private const string NoLess = "Read it with the command line, or in the browser.";
    private static readonly TimeSpan QueryTimeMax = TimeSpan.FromSeconds(120);

    /// <summary>One local statement at a time: the engine takes all cores for one anyway.</summary>
    private readonly SemaphoreSlim _local = new(1);

    public static IReadOnlyList<Tool> All { get; } =
    [
        Tool(
            "catalog", "Tables", "Lists the tables that may be read, with mode (local: on this machine; remote: on the server), rows and description.",
            ("search", Text("Only tables whose name or description holds all of these words."), false)),
        Tool("schema", "Columns of a table", "Columns of a table, with types.", ("table", Text("Id or name of a table, as in the catalog."), true)),
        Tool(
            "sample", "First rows of a table", "A few rows of a table.",
            ("table", Text("Id or name of a table, as in the catalog."), true), ("rows", Whole("How many.", SampleRowsDefault, SampleRowsMax), false)),
        Tool(
            "metrics", "Metric definitions", "How the company calculates its figures. Without an id: all of them, in short. With one: SQL and rules. To be used before any calculation.",
            ("id", Text("category/name, e.g. revenue/total_revenue."), false), ("search", Text("Only definitions that hold all of these words."), false)),
        Tool(
            "verified_queries", "Verified queries", "Questions with verified answers. Without an id: all of them. With one: runs it on the server with the given parameters.",
            ("id", Text("category/name."), false), ("parameters", new JsonObject { ["type"] = "object", ["description"] = "Values by the parameters' names." }, false)),
        Tool(
            "query", "Run SQL", "Runs one SELECT. On this machine by default (DuckDB's SQL over local tables), or on the server for remote tables. Aggregate rather than fetch rows.",
            ("sql", Text("The statement."), true), ("remote", new JsonObject { ["type"] = "boolean", ["default"] = false, ["description"] = "Run on the server." }, false),
            ("limit", Whole("Rows at most; the answer says when there were more.", RowsDefault, RowsMax), false)),
        Tool("snapshots", "Snapshots", "Lists the snapshots of this workspace: filtered copies of tables, to be queried like tables. Look here before taking another."),
        Tool(
            "snapshot", "Take a snapshot",
            "Copies the chosen rows and columns of a table to this machine under a name of its own, for repeated questions to a remote table. Never replaces one.", isReadOnly: false,
            ("table", Text("Id of a table, as in the catalog."), true), ("name", Text("Letters, digits and '_'."), true),
            ("select", Texts("Columns; name the ones that are needed."), true), ("where", Text("A predicate in the dialect of the table's source."), false),
            ("limit", new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["description"] = "Rows at most." }, false)),
    ];

    /// <summary>Never throws for what the caller did: a failure is an answer that says what to do next.</summary>
    public async ValueTask<CallToolResult> CallAsync(string name, IDictionary<string, JsonElement>? arguments, CancellationToken stop)
    {
        try
        {
            var given = new McpArguments(name, arguments, All.FirstOrDefault(tool => tool.Name == name) ?? throw new CliException($"There is no tool '{name}'. There are: {string.Join(", ", All.Select(tool => tool.Name))}."));
            return Answer(name switch
            {
                "catalog" => await CatalogAsync(given.Optional("search"), stop),
                "schema" => await GetAsync($"/api/v2/schema/{Uri.EscapeDataString(given.Required("table"))}", "Query its columns: DESCRIBE <table>.", stop),
                "sample" => await SampleAsync(given.Required("table"), given.Whole("rows", SampleRowsDefault, SampleRowsMax), stop),
                "metrics" => given.Optional("id") is { } id ? await GetAsync($"/api/metrics/{YamlFiles.Path(id)}", NoLess, stop) : await MetricsAsync(given.Optional("search"), stop),
                "verified_queries" => await VerifiedAsync(given, stop),
                "snapshots" => Snapshots(),
                "snapshot" => await SnapshotAsync(given, stop),
                _ => await QueryAsync(given, stop),
            });
        }
        catch (CliException failure)
        {
            return Failed(failure.Hint is null ? failure.Message : $"{failure.Message}\n{failure.Hint}");
        }
        catch (DuckDBException failure)
        {
            return Failed($"Query error: {failure.Message}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Failed($"The workspace cannot be read: {failure.Message}");
        }
    }

    private async Task<string> CatalogAsync(string? search, CancellationToken stop)
    {
        var catalog = (await host.Api.GetAsync("/api/v2/catalog", stop)).OrFail().As(ProtocolJson.Default.Catalog);
        var tables = catalog.Tables.Where(table => Holds(search, table.Id, table.Name, table.Description)).Select(table => (JsonNode)new JsonObject
        {
            ["id"] = table.Id,
            ["name"] = table.Name,
            ["mode"] = table.QueryMode,
            ["rows"] = table.Rows,
            ["sql_flavor"] = table.SqlFlavor,
            ["description"] = table.Description,
        });
        return McpText.List("tables", [.. tables], "Narrow it with 'search'.");
    }

    private async Task<string> MetricsAsync(string? search, CancellationToken stop)
    {
        using var body = (await host.Api.GetAsync("/api/metrics", stop)).OrFail().Json();
        var metrics = new List<JsonNode>();
        foreach (var metric in AdminApi.List(body.RootElement, "metrics").EnumerateArray())
        {
            var brief = new JsonObject();
            foreach (var field in (string[])["id", "display_name", "unit", "grain", "description", "synonyms"])
            {
                if (metric.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null) brief[field] = JsonNode.Parse(value.GetRawText());
            }

            if (Holds(search, brief.ToJsonString())) metrics.Add(brief);
        }

        return McpText.List("metrics", metrics, "Narrow it with 'search'.");
    }

    private async Task<string> VerifiedAsync(McpArguments given, CancellationToken stop)
    {
        if (given.Optional("id") is not { } id) return await GetAsync("/api/verified-queries", NoLess, stop);
        var body = new JsonObject { ["id"] = id, ["limit"] = RowsMax };
        if (given.Object("parameters") is { } parameters) body["parameters"] = JsonNode.Parse(parameters.GetRawText());
        return await RemoteAsync("/api/verified-queries/run", body, stop);
    }

    private static string Snapshots()
    {
        var snapshots = SnapshotFiles.List(Layout.Current()).Select(record => (JsonNode)Brief(record));
        return McpText.List("snapshots", [.. snapshots], NoLess);
    }

    private async Task<string> SnapshotAsync(McpArguments given, CancellationToken stop)
    {
        var name = given.Required("name");
        if (!Identifiers.IsStrict(name)) throw new CliException($"'{name}' cannot be a snapshot's name: a letter or '_', then at most 63 letters, digits or '_'.");
        var request = new SnapshotRequest(given.Required("table"), given.Texts("select"), given.Optional("where"), given.OptionalWhole("limit"), null);
        var layout = Layout.Current();
        if (!File.Exists(layout.Database)) throw new CliException($"There is no local data in {layout.Root} yet.") { Hint = "Run: agnes pull" };
        await _local.WaitAsync(stop);
        try
        {
            var snapshots = new Snapshotter(host, layout);
            snapshots.RefuseExisting(name);
            snapshots.RefuseTableNames(name);
            return McpText.Of(Brief(await snapshots.TakeAsync(name, request, 0, SnapshotPurpose.New, stop)));
        }
        finally
        {
            _local.Release();
        }
    }

    private static JsonObject Brief(SnapshotRecord record) => new()
    {
        ["name"] = record.Name,
        ["table"] = record.TableId,
        ["where"] = record.Where,
        ["rows"] = record.Rows,
        ["bytes"] = record.BytesLocal,
        ["fetched_at"] = record.FetchedAt,
    };

    private async Task<string> QueryAsync(McpArguments given, CancellationToken stop)
    {
        var sql = given.Required("sql");
        var limit = given.Whole("limit", RowsDefault, RowsMax);
        if (given.Boolean("remote")) return await RemoteAsync("/api/query", new JsonObject { ["sql"] = sql, ["limit"] = limit }, stop);
        await _local.WaitAsync(stop);
        try
        {
            return await Task.Run(() => Local(sql, limit, stop), stop);
        }
        finally
        {
            _local.Release();
        }
    }

    private string Local(string sql, int limit, CancellationToken stop)
    {
        using var session = LocalSession.Open(Layout.Current(), [], host.Clock);
        using var time = new CancellationTokenSource(QueryTimeMax, host.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        using var interruption = new Interruption(session, either.Token, host.Clock);
        try
        {
            using var rows = session.Run(sql);
            return McpText.Rows(rows, limit);
        }
        catch (Exception failure) when (failure is DuckDBException or CliException && either.IsCancellationRequested)
        {
            stop.ThrowIfCancellationRequested();
            throw new CliException($"The query ran longer than {QueryTimeMax.TotalSeconds:0} s. Filter or aggregate more.");
        }
        catch (DuckDBException failure)
        {
            throw session.Explained(failure, sql);
        }
    }

    private async Task<string> RemoteAsync(string path, JsonObject body, CancellationToken stop)
    {
        using var answer = (await host.Api.SendAsync(HttpMethod.Post, path, body, EnvironmentNumbers.QueryTimeout, null, stop)).OrFail().Json();
        using var rows = new RemoteRows(answer.RootElement);
        var isCut = answer.RootElement.TryGetProperty("truncated", out var truncated) && truncated.ValueKind == JsonValueKind.True;
        return McpText.Rows(rows, RowsMax, isCut);
    }

    private async Task<string> SampleAsync(string table, int count, CancellationToken stop)
    {
        using var body = (await host.Api.GetAsync($"/api/v2/sample/{Uri.EscapeDataString(table)}?n={count}", stop)).OrFail().Json();
        using var rows = new RemoteRows(body.RootElement);
        return McpText.Rows(rows, count);
    }

    private async Task<string> GetAsync(string path, string hint, CancellationToken stop)
    {
        using var body = (await host.Api.GetAsync(path, stop)).OrFail().Json();
        return McpText.Whole(body.RootElement, hint);
    }

    /// <summary>Every word is in one of the texts.</summary>
    private static bool Holds(string? search, params string?[] texts) =>
        search is null || search.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => texts.Any(text => text?.Contains(word, StringComparison.OrdinalIgnoreCase) == true));

    private static CallToolResult Answer(string text) => new() { Content = [new TextContentBlock { Text = text }] };

    private static CallToolResult Failed(string text) => new() { IsError = true, Content = [new TextContentBlock { Text = McpText.Short(Redactor.Redact(text), ErrorCharsMax) }] };

    private static Tool Tool(string name, string title, string description, params (string Name, JsonObject Schema, bool Required)[] arguments) => Tool(name, title, description, isReadOnly: true, arguments);

    private static Tool Tool(string name, string title, string description, bool isReadOnly, params (string Name, JsonObject Schema, bool Required)[] arguments)
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(arguments.Select(argument => KeyValuePair.Create(argument.Name, (JsonNode?)argument.Schema))),
            ["required"] = new JsonArray([.. arguments.Where(argument => argument.Required).Select(argument => (JsonNode)argument.Name)]),
            ["additionalProperties"] = false,
        };
        using var document = JsonDocument.Parse(schema.ToJsonString());
        return new Tool
        {
            Name = name,
            Title = title,
            Description = description,
            InputSchema = document.RootElement.Clone(),
            Annotations = new ToolAnnotations { Title = title, ReadOnlyHint = isReadOnly, DestructiveHint = false, IdempotentHint = isReadOnly, OpenWorldHint = false },
        };
    }

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    private static JsonObject Texts(string description) => new() { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" }, ["minItems"] = 1, ["description"] = description };

    private static JsonObject Whole(string description, int absent, int max) =>
        new() { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = max, ["default"] = absent, ["description"] = description };
}
