using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>
/// Another program's Parquet file is replaced by rename, truncated in place, or rewritten while it is adopted, under readers. An answer is a whole edition of the table or
/// an error; never a mixture.
/// </summary>
internal static class ForeignFiles
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int Rows = 50_000;
    private const int Readers = 2;
    private const int ModificationMillisecondsMax = 300;

    public static Task ReplacedAsync(CampaignRun run) => RunAsync(run, (table, edition, _) => Replace(table, edition));

    public static Task TruncatedAsync(CampaignRun run) => RunAsync(run, (table, edition, random) =>
    {
        using (var file = new FileStream(table, FileMode.Open, FileAccess.Write)) file.SetLength(random.NextInt64(file.Length));
        return Task.Delay(random.Next(ModificationMillisecondsMax)).ContinueWith(_ => Replace(table, edition), TaskScheduler.Default).Unwrap();
    });

    public static Task RewrittenAsync(CampaignRun run) => RunAsync(run, async (table, edition, random) =>
    {
        await WriteAsync($"{table}.other", edition);
        var bytes = await File.ReadAllBytesAsync($"{table}.other");
        await using var file = new FileStream(table, FileMode.Open, FileAccess.Write);
        for (var at = 0; at < bytes.Length; at += 4096)
        {
            file.Write(bytes, at, Math.Min(4096, bytes.Length - at));
            if (random.Next(20) == 0) await Task.Delay(1);
        }

        file.SetLength(bytes.Length);
        File.Delete($"{table}.other");
    });

    private static async Task RunAsync(CampaignRun run, Func<string, int, Random, Task> modify)
    {
        using var folder = new TemporaryFolder();
        var data = Directory.CreateDirectory(folder["extracts", "foreign", "data"]).FullName;
        var table = Path.Combine(data, "steady.parquet");
        await Replace(table, 1);
        WriteExtract(folder["extracts", "foreign", "extract.duckdb"], table);
        using var server = await ServerProcess.StartAsync(folder.Path, new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password }, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        await ConvergeAsync(run, server, 1);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, Readers).Select(_ => ReadAsync(run, server, done.Token)).ToArray();
        for (var round = 1; round <= run.Count; round++)
        {
            run.Progress(round);
            await Task.Delay(run.Random.Next(ModificationMillisecondsMax), run.Cancellation);
            // The extract is written anew first, so that the file changes while it is being adopted.
            WriteExtract(folder["extracts", "foreign", "extract.duckdb"], table);
            using (await server.Client.PostAsJsonAsync("/api/sync/trigger", Array.Empty<string>(), run.Cancellation)) run.Add("scans asked for");
            await Task.Delay(run.Random.Next(60), run.Cancellation);
            await modify(table, round + 1, run.Random);
            run.Add("modifications");
        }

        WriteExtract(folder["extracts", "foreign", "extract.duckdb"], table);
        using (await server.Client.PostAsJsonAsync("/api/sync/trigger", Array.Empty<string>(), run.Cancellation)) { }
        await ConvergeAsync(run, server, run.Count + 1);
        await done.CancelAsync();
        await Task.WhenAll(readers);
    }

    private static async Task ConvergeAsync(CampaignRun run, ServerProcess server, int edition)
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            if (await AnswerAsync(server) is (200, var rows) && rows == Whole(edition)) return;
            if (attempt % 50 == 49)
            {
                using var again = await server.Client.PostAsJsonAsync("/api/sync/trigger", Array.Empty<string>(), run.Cancellation);
            }

            await Task.Delay(200, run.Cancellation);
        }

        run.Fail($"edition {edition} was not published: {await AnswerAsync(server)}");
    }

    private static async Task ReadAsync(CampaignRun run, ServerProcess server, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            var (status, rows) = await AnswerAsync(server);
            if (status != 200) run.Add($"answers {status}");
            else if (JsonNode.Parse(rows)![0]!.AsArray() is var row && (long)row[0]! == Rows && (int)row[1]! == (int)row[2]! && (long)row[3]! == Rows * (long)(int)row[1]!) run.Add("whole answers");
            else run.Fail($"a mixed or wrong answer: {rows}");
        }
    }

    private static string Whole(int edition) => $"[[{Rows},{edition},{edition},{Rows * (long)edition}]]";

    private static async Task<(int Status, string Rows)> AnswerAsync(ServerProcess server)
    {
        using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql = "SELECT count(*) AS n, min(edition) AS a, max(edition) AS b, sum(edition)::BIGINT AS s FROM steady" });
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["rows"]!.ToJsonString() : text);
    }

    private static async Task Replace(string table, int edition)
    {
        await WriteAsync($"{table}.new", edition);
        File.Move($"{table}.new", table, overwrite: true);
    }

    private static async Task WriteAsync(string path, int edition)
    {
        await using var connection = new DuckDBConnection("Data Source=:memory:;threads=1");
        connection.Open();
        connection.ExecuteUnprepared($"COPY (SELECT {edition}::INTEGER AS edition, range AS id, md5(range::VARCHAR || '{edition}') AS text FROM range({Rows})) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 5000)");
    }

    private static void WriteExtract(string file, string table)
    {
        using (var connection = new DuckDBConnection($"Data Source={file}.tmp;threads=1"))
        {
            connection.Open();
            connection.ExecuteUnprepared("CREATE TABLE _meta(table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')");
            connection.ExecuteUnprepared($"CREATE VIEW steady AS SELECT * FROM read_parquet('{table}')");
            connection.ExecuteUnprepared($"INSERT INTO _meta VALUES ('steady', '', {Rows}, 0, now() AT TIME ZONE 'UTC', 'local')");
            connection.ExecuteUnprepared("CHECKPOINT");
        }

        File.Move($"{file}.tmp", file, overwrite: true);
    }
}
