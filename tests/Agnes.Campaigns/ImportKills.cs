using System.Diagnostics;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>
/// <c>agnes-server import</c> is killed at random instants. Whatever the instant: a server refuses to start on half an installation, and the same command run again ends with exactly
/// the rows, keys and files of an import that nobody disturbed. Running it once more takes nothing. The other installation stays as it was.
/// </summary>
internal static class ImportKills
{
    private const int ExitRefused = 3;
    private const int StartEvery = 5;
    private const int RepeatEvery = 10;
    private const string MarkName = "import.unfinished";

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        var from = folder["foreign"];
        await MakeAsync(from);
        var before = Files(from);
        var clock = Stopwatch.StartNew();
        var whole = folder["whole"];
        var first = await ImportAsync(run, from, whole);
        if (first.ExitCode != 0) throw new InvalidOperationException(first.Output);
        var last = (int)clock.ElapsedMilliseconds;
        var expected = await ContentAsync(whole, folder["look"]);
        for (var round = 1; round <= run.Count && !run.Cancellation.IsCancellationRequested; round++)
        {
            run.Progress(round);
            var target = folder["target"];
            var killed = await ImportAsync(run, from, target, run.Random.Next(last));
            run.Add(killed.ExitCode == 0 ? "imports that ended before the kill" : "imports killed");
            if (File.Exists(Path.Combine(target, "state", MarkName)))
            {
                run.Add("of them half done");
                if (round % StartEvery == 0) await RefusesAsync(run, target, round);
            }

            var again = await ImportAsync(run, from, target);
            if (again.ExitCode != 0) run.Fail($"round {round}: the import after the kill exited {again.ExitCode}: {again.Output}");
            else Compare(run, round, expected, await ContentAsync(target, folder["look"]));
            if (round % RepeatEvery == 0 && (await ImportAsync(run, from, target)).Output.Contains("taken: ", StringComparison.Ordinal)) run.Fail($"round {round}: a repeated import took something");
            Directory.Delete(target, recursive: true);
        }

        if (!Files(from).SequenceEqual(before)) run.Fail("the other installation was changed");
    }

    private static Task<Ended> ImportAsync(CampaignRun run, string from, string target, int? killAfter = null) =>
        Programs.RunAsync("agnes-server", ["import", "--from", from, "--data-dir", target], [], run.Cancellation, killAfter);

    private static async Task RefusesAsync(CampaignRun run, string target, int round)
    {
        var start = await Programs.RunAsync("agnes-server", ["--data-dir", target, "--urls", "http://127.0.0.1:0"], [], run.Cancellation);
        if (start.ExitCode == ExitRefused && start.Output.Contains("Run it again", StringComparison.Ordinal)) run.Add("starts refused");
        else run.Fail($"round {round}: a server on half an installation exited {start.ExitCode}: {start.Output}");
    }

    private static void Compare(CampaignRun run, int round, List<string> expected, List<string> found)
    {
        if (found.SequenceEqual(expected)) run.Add("whole installations after");
        else run.Fail($"round {round}: missing {string.Join(" | ", expected.Except(found).Take(3))}; too much {string.Join(" | ", found.Except(expected).Take(3))}");
    }

    /// <summary>An installation of the newest foreign version: the fixture of the importer's own tests, an extract, its keys.</summary>
    private static async Task MakeAsync(string from)
    {
        var state = Directory.CreateDirectory(Path.Combine(from, "state")).FullName;
        using (var reader = new StreamReader(typeof(ImportKills).Assembly.GetManifestResourceStream("v40.sql")!))
        {
            await ExecuteAsync(Path.Combine(state, "system.duckdb"), await reader.ReadToEndAsync());
        }

        var data = Directory.CreateDirectory(Path.Combine(from, "extracts", "erp", "data")).FullName;
        var file = Path.Combine(data, "orders.parquet");
        await ExecuteAsync(
            Path.Combine(from, "extracts", "erp", "extract.duckdb"),
            $"COPY (SELECT i AS id, hash(i) AS a FROM range(500000) t(i)) TO '{file}' (FORMAT PARQUET); CREATE VIEW orders AS SELECT * FROM read_parquet('{file}'); "
            + "CREATE TABLE _meta (table_name VARCHAR, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR); INSERT INTO _meta VALUES ('orders', '', 500000, 1, now(), 'local')");
        await File.WriteAllTextAsync(Path.Combine(state, ".jwt_secret"), new string('k', 64));
        await File.WriteAllTextAsync(Path.Combine(state, ".env_overlay"), "KEBOOLA_STORAGE_TOKEN=abc\n");
        await File.WriteAllTextAsync(Path.Combine(state, "instance.yaml"), "instance:\n  name: Acme\n");
    }

    private static async Task ExecuteAsync(string file, string sql)
    {
        await using var connection = new DuckDBConnection($"Data Source={file}");
        await connection.OpenAsync();
        await connection.ExecuteUnpreparedAsync(sql);
    }

    /// <summary>Every row that an import writes, without what says when it ran, and every file.</summary>
    private static async Task<List<string>> ContentAsync(string target, string look)
    {
        if (Directory.Exists(look)) Directory.Delete(look, recursive: true);
        Directory.CreateDirectory(look);
        foreach (var file in Directory.GetFiles(Path.Combine(target, "state"), "system.duckdb*")) File.Copy(file, Path.Combine(look, Path.GetFileName(file)));
        var lines = new List<string>();
        await using (var connection = new DuckDBConnection($"Data Source={Path.Combine(look, "system.duckdb")}"))
        {
            await connection.OpenAsync();
            foreach (var sql in (string[])
            [
                "SELECT 'user ' || id || ' ' || email || ' ' || coalesce(password_hash, '-') || ' ' || active FROM users",
                "SELECT 'member ' || m.user_id || ' ' || g.name || ' ' || m.source FROM user_group_members m JOIN user_groups g ON g.id = m.group_id",
                "SELECT 'grant ' || g.name || ' ' || r.resource_type || ' ' || r.resource_id FROM resource_grants r JOIN user_groups g ON g.id = r.group_id",
                "SELECT 'token ' || id || ' ' || user_id || ' ' || token_hash || ' ' || coalesce(CAST(revoked_at AS VARCHAR), '-') FROM personal_access_tokens",
                "SELECT 'table ' || id || ' ' || name || ' ' || coalesce(source_query, '-') FROM table_registry",
                "SELECT 'preference ' || user_id || ' ' || dataset || ' ' || enabled FROM user_sync_settings",
                "SELECT 'audit ' || id || ' ' || action FROM audit_log WHERE action <> 'import.completed'",
            ])
            {
                await using var command = new DuckDBCommand(sql, connection);
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
            }
        }

        lines.Sort(StringComparer.Ordinal);
        lines.AddRange(Files(Path.Combine(target, "extracts")).Select(line => line.Replace(target, "", StringComparison.Ordinal)));
        foreach (var name in (string[])[".jwt_secret", ".env_overlay", "instance.yaml"]) lines.Add($"{name} {await File.ReadAllTextAsync(Path.Combine(target, "state", name))}");
        return lines;
    }

    private static List<string> Files(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{file} {new FileInfo(file).Length}")];
}
