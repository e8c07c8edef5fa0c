using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes query</c>: SQL on this machine's tables, or on the server's.</summary>
internal static class QueryCommand
{
    private const int StdinCharactersMax = 16 << 20;

    public static Command Build(Host host)
    {
        var positional = new Argument<string?>("sql") { Description = "The statement (DuckDB's dialect for local tables).", Arity = ArgumentArity.ZeroOrOne };
        var sql = new Option<string?>("--sql") { Description = "The statement, as an option." };
        var stdin = new Option<bool>("--stdin") { Description = "Read {\"sql\":\"…\"} from the standard input; saves all quoting." };
        var remote = new Option<bool>("--remote") { Description = "Run on the server: for tables with mode 'remote', or where nothing was pulled." };
        var format = new Option<string>("--format", "-f") { Description = "How to print the result; 'parquet' writes the file that --output names.", DefaultValueFactory = _ => "table" };
        format.AcceptOnlyFromAmong([.. ResultFormat.Names, QueryFile.Parquet]);
        var output = new Option<string?>("--output", "-o") { Description = $"The Parquet file to write, all rows unless --limit is given. Without a terminal only below {QueryFile.Folder}/ of the workspace.", HelpName = "FILE" };
        var explain = new Option<bool>("--explain") { Description = "Show the plan instead of the rows." };
        var json = new Option<bool>("--json") { Description = "The same as --format json." };
        var limit = new Option<int>("--limit") { Description = "The most rows to print; a note on stderr says when there were more.", DefaultValueFactory = _ => QueryRequest.LimitDefault }.Positive();
        var allow = new Option<string[]>("--allow-files") { Description = "Let the statement read files of this folder too. For people: it is refused without a terminal of theirs.", HelpName = "DIR", AllowMultipleArgumentsPerToken = false };
        var command = new AgnesCommand(
            "query",
            "Runs one SQL statement that reads. Local by default, on what 'agnes pull' brought, without the network; sees only this workspace's tables and cannot write.",
            "agnes query \"SELECT count(*) FROM orders\"",
            "agnes query \"DESCRIBE orders\"",
            "agnes query \"FROM orders WHERE status = 'paid'\" --format csv --limit 100000 > paid.csv",
            $"agnes query \"FROM orders WHERE status = 'paid'\" --format parquet --output {QueryFile.Folder}/paid.parquet",
            "echo '{\"sql\":\"SELECT 1 AS x\"}' | agnes query --stdin --format json",
            "agnes query --remote \"SELECT country, count(*) FROM web_events GROUP BY 1\"")
        {
            positional, sql, stdin, remote, format, json, limit, output, explain, allow,
        };
        command.Immediate = parsed =>
        {
            var isFile = Format(parsed, format, json) == QueryFile.Parquet;
            if (isFile != (parsed.GetValue(output) is not null)) throw new CliException(isFile ? "--format parquet needs --output FILE." : "--output is for --format parquet; the other formats go to stdout.", ExitCode.Usage);
            if (!parsed.GetValue(remote)) return Local(host, Read(parsed));
            if (isFile) throw new CliException("--format parquet is for local queries.", ExitCode.Usage) { Hint = "Bring the rows here first: agnes snapshot create <table> --select … --where … --as <name>" };
            return parsed.GetValue(explain) ? throw new CliException("--explain is for local queries.", ExitCode.Usage) { Hint = "What a remote scan costs: agnes snapshot create <table> --where … --estimate" } : null;
        };
        command.SetAction((parsed, cancellation) => RemoteAsync(host, Statement(parsed, positional, sql, stdin), Format(parsed, format, json), parsed.GetValue(limit), cancellation));
        return command;

        LocalQuery Read(ParseResult parsed) => new(
            Statement(parsed, positional, sql, stdin),
            Format(parsed, format, json),
            parsed.GetValue(limit),
            IsLimited: parsed.GetResult(limit) is { Implicit: false },
            parsed.GetValue(output),
            parsed.GetValue(explain),
            parsed.GetValue(allow) ?? []);
    }

    private static string Format(ParseResult parsed, Option<string> format, Option<bool> json) => parsed.GetValue(json) ? "json" : parsed.GetRequiredValue(format);

    private static string Statement(ParseResult parsed, Argument<string?> positional, Option<string?> option, Option<bool> stdin)
    {
        var (argument, text, isStdin) = (parsed.GetValue(positional), parsed.GetValue(option), parsed.GetValue(stdin));
        var given = (argument is null ? 0 : 1) + (text is null ? 0 : 1) + (isStdin ? 1 : 0);
        if (given != 1) throw new CliException($"Give the statement once: as an argument, with --sql, or with --stdin{(given == 0 ? "" : $"; here it was given {given} times")}.") { Hint = "Example: agnes query \"SELECT count(*) FROM orders\"" };
        var statement = argument ?? text ?? FromStdin();
        if (statement.Contains('\0', StringComparison.Ordinal)) throw new CliException("Query error: a statement cannot contain a NUL character; in SQL it is written chr(0).") { IsBlock = true };
        return string.IsNullOrWhiteSpace(statement) ? throw new CliException("The statement is empty.") : statement;
    }

    private static string FromStdin()
    {
        var buffer = new char[4096];
        var text = new System.Text.StringBuilder();
        int read;
        while ((read = Terminal.In.Read(buffer)) > 0)
        {
            text.Append(buffer, 0, read);
            if (text.Length > StdinCharactersMax) throw new CliException($"More than {StdinCharactersMax >> 20} MiB on the standard input; a statement is smaller.");
        }

        try
        {
            using var document = JsonDocument.Parse(text.ToString());
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("sql", out var sql) && sql.ValueKind == JsonValueKind.String) return sql.GetString()!;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new CliException($"--stdin expects JSON: {problem.Message}") { Hint = "Example: echo '{\"sql\":\"SELECT 1\"}' | agnes query --stdin" };
        }

        throw new CliException("--stdin expects an object with \"sql\".") { Hint = "Example: echo '{\"sql\":\"SELECT 1\"}' | agnes query --stdin" };
    }

    /// <summary>Without tasks: nothing here waits for anything but the engine, and a command that starts fast has less to compile.</summary>
    private static int Local(Host host, LocalQuery query)
    {
        var layout = Layout.Current();
        var target = query.Output is null ? null : QueryFile.Target(layout, query.Output);
        using var session = LocalSession.Open(layout, AllowedFolders(query.Allow), host.Clock);
        if (target is not null) return QueryFile.Write(host, session, query.Sql, query.IsLimited ? query.Limit : null, target);
        try
        {
            using var rows = query.IsExplain ? session.RunExplain(query.Sql) : session.Run(query.Sql);
            if (query.IsExplain && query.Format == "table") WritePlan(host, rows);
            else TellIfCut(host, query.Limit, ResultFormat.Write(host, query.Format, rows, query.Limit));
            return ExitCode.Ok;
        }
        catch (DuckDBException problem)
        {
            throw session.Explained(problem, query.Sql);
        }
    }

    /// <summary>The plan is a drawing of several lines, which a grid would put into one.</summary>
    private static void WritePlan(Host host, ResultRows rows)
    {
        while (rows.Read()) host.Out.WriteLine(DisplayText.Lines(rows.Text(rows.Columns.Count - 1) ?? ""));
    }

    /// <summary>
    /// An agent may run 'agnes query' without being asked, and what it is told by the data must not open other files to it. So this needs a person, or
    /// a variable, which makes it another command to the agent's permission rules; these deny the option besides.
    /// </summary>
    private static List<string> AllowedFolders(string[] folders)
    {
        if (folders.Length == 0) return [];
        if (!Terminal.IsOfAPerson && Environment.GetEnvironmentVariable("AGNES_ALLOW_FILES") != "1")
        {
            throw new CliException("--allow-files is for people at a terminal.", ExitCode.Usage) { Hint = "In a script of your own: AGNES_ALLOW_FILES=1 agnes query --allow-files DIR …" };
        }

        var full = folders.Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))).ToList();
        foreach (var folder in full.Where(folder => !Directory.Exists(folder))) throw new CliException($"There is no folder '{folder}'.", ExitCode.Usage);
        return [.. full.Select(folder => folder + Path.DirectorySeparatorChar)];
    }

    private static async Task<int> RemoteAsync(Host host, string sql, string format, int limit, CancellationToken cancellation)
    {
        if (limit > QueryRequest.LimitMax) throw new CliException($"--limit is at most {QueryRequest.LimitMax} on the server.", ExitCode.Usage);
        var body = new JsonObject { ["sql"] = sql, ["limit"] = limit };
        var answer = await host.Api.SendAsync(HttpMethod.Post, "/api/query", body, EnvironmentNumbers.QueryTimeout, null, cancellation);
        using var json = answer.OrFail().Json();
        if (!json.RootElement.TryGetProperty("rows", out _)) throw new CliException("The server's answer holds no rows.");
        using var rows = new RemoteRows(json.RootElement);
        var written = ResultFormat.Write(host, format, rows, limit);
        TellIfCut(host, limit, written with { IsCut = written.IsCut || (json.RootElement.TryGetProperty("truncated", out var truncated) && truncated.ValueKind == JsonValueKind.True) });
        return ExitCode.Ok;
    }

    private static void TellIfCut(Host host, int limit, Written written)
    {
        if (!written.IsCut) return;
        host.Flush();
        host.Error.WriteLine($"Note: cut at {limit} rows; there are more, and which ones were cut is arbitrary without ORDER BY. Aggregate in SQL, narrow the query, or raise --limit.");
    }

    private sealed record LocalQuery(string Sql, string Format, int Limit, bool IsLimited, string? Output, bool IsExplain, string[] Allow);
}
