using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Emulators.Jira;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// What happens on a site of Jira for a while is delivered shuffled, a fifth of it twice, to a server that is killed every second. In the end the tables are those of the
/// site's final state. Remote links are in no delivery, so their table is left out.
/// </summary>
internal static class JiraEvents
{
    public const string Email = "admin@example.com";
    public const string Password = "campaign-password";
    private const string Secret = "campaign-secret";
    private const string Domain = "site.example.com";
    private const int Senders = 16;
    private const int ShortKills = 4; // on a busy machine a start takes longer than what happens between two
    private const double Twice = 0.2;
    private const int RowsMax = 1_000_000;
    private static readonly TimeSpan SettleMax = TimeSpan.FromMinutes(2);

    /// <summary>What is of this server, and what a link shows of the other issue, which changes without a word about the one that has the link.</summary>
    private static readonly string[] Left =
        ["_synced_at", "local_path", "hierarchical_path", "linked_issue_key", "linked_issue_summary", "linked_issue_status", "linked_issue_priority", "issuelink_count"];

    public static Task RunAsync(CampaignRun run) => RunAsync(run, 10_000, int.MaxValue, TimeSpan.FromSeconds(1));

    public static Task RunShortAsync(CampaignRun run) => RunAsync(run, 300, ShortKills, TimeSpan.FromMilliseconds(100));

    private static async Task RunAsync(CampaignRun run, int events, int kills, TimeSpan killEvery)
    {
        for (var round = 0; round < run.Count && !run.Cancellation.IsCancellationRequested; round++)
        {
            run.Progress(round);
            var seed = run.Random.Next(1, int.MaxValue);
            await ScenarioAsync(run, seed, events, kills, killEvery);
        }
    }

    private static async Task ScenarioAsync(CampaignRun run, int seed, int events, int killsMax, TimeSpan killEvery)
    {
        var site = new JiraSite(new SiteShape { Seed = seed, Issues = 0 }) { Texts = WebhookTexts.Documents };
        var waiting = new ConcurrentQueue<WebhookEvent>(Shuffled(Happened(site, seed, events), new Random(seed)));
        run.Add("deliveries", waiting.Count);
        using var folder = new TemporaryFolder();
        var port = FreePort();
        var environment = Environment(port);
        var server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
        try
        {
            var sending = SendAsync(run, waiting, AddressAt(port));
            for (var kill = 0; kill < killsMax && await Task.WhenAny(sending, Task.Delay(killEvery, run.Cancellation)) != sending; kill++)
            {
                server.Kill();
                run.Add("kills");
                server.Dispose();
                server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
            }

            await sending;
            await server.SignInAsync(Email, Password, run.Cancellation);
            await CompareAsync(run, server, site, folder, seed);
        }
        finally
        {
            server.Kill();
            server.Dispose();
        }
    }

    /// <summary>Of a server that stays at one address.</summary>
    public static Dictionary<string, string> Environment(int port) => new()
    {
        ["SEED_ADMIN_EMAIL"] = Email,
        ["SEED_ADMIN_PASSWORD"] = Password,
        ["JIRA_WEBHOOK_SECRET"] = Secret,
        ["JIRA_DOMAIN"] = Domain,
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
    };

    public static Uri AddressAt(int port) => new($"http://127.0.0.1:{port}/webhooks/jira");

    /// <summary>Events of which the site names the issue; those of links and worklogs come with one of their issue besides.</summary>
    public static List<WebhookEvent> Happened(JiraSite site, int seed, int events)
    {
        var life = new SiteLife(site, seed);
        var all = new List<WebhookEvent>();
        while (all.Count < events) all.AddRange(life.Next().Events.Where(one => one.Json["issue"]?["key"] is not null));
        return all;
    }

    public static List<WebhookEvent> Shuffled(List<WebhookEvent> events, Random random)
    {
        var all = events.SelectMany(one => random.NextDouble() < Twice ? (WebhookEvent[])[one, one] : [one]).ToArray();
        random.Shuffle(all);
        return [.. all];
    }

    public static async Task SendAsync(CampaignRun run, ConcurrentQueue<WebhookEvent> waiting, Uri address)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var webhooks = new JiraWebhooks(client, address, Secret);
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(async _ =>
        {
            while (waiting.TryDequeue(out var one))
            {
                try
                {
                    using var request = webhooks.Request(one);
                    using var answer = await client.SendAsync(request, run.Cancellation);
                    if (answer.IsSuccessStatusCode)
                    {
                        run.Add("acknowledged");
                        continue;
                    }

                    run.Add($"answered {(int)answer.StatusCode}");
                    if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || answer.Headers.RetryAfter is null)
                        run.Fail($"{one.Name} was answered {(int)answer.StatusCode}, Retry-After {answer.Headers.RetryAfter}");
                    await Task.Delay(100, run.Cancellation);
                }
                catch (Exception gone) when (gone is HttpRequestException or IOException or TaskCanceledException)
                {
                    await Task.Delay(100, run.Cancellation);
                }

                waiting.Enqueue(one);
            }
        }));
    }

    public static async Task CompareAsync(CampaignRun run, ServerProcess server, JiraSite site, TemporaryFolder folder, int seed)
    {
        var schema = new JiraSchema(JiraFields.Default, Domain, folder["none"]);
        var expected = Expected(site, schema, folder["expected"]);
        for (var table = 0; table < schema.Tables.Count; table++)
        {
            var (name, columns) = (schema.Tables[table].Name, schema.Tables[table].Columns.Where(column => !Left.Contains(column.Name)).ToList());
            if (name == "remote_links") continue;
            var cells = columns.Select(column => column.Type.StartsWith("TIMESTAMP", StringComparison.Ordinal) ? $"epoch_us({column.Name})::VARCHAR" : $"{column.Name}::VARCHAR");
            var sql = $"SELECT concat_ws('|', {string.Join(", ", cells.Select(cell => $"coalesce({cell}, '')"))}) FROM {name}";
            var got = await SettledAsync(run, server, sql, expected[table], mayHaveMore: name == "issuelinks");
            var (missing, surplus) = (expected[table].Except(got).ToList(), got.Except(expected[table]).ToList());
            run.Add("rows compared", got.Count);
            if (name == "issuelinks" && missing.Count == 0) continue; // a link that ended with the other issue's deletion is in no delivery of this one
            if (missing.Count + surplus.Count == 0 && got.Count == expected[table].Count) continue;
            run.Fail($"seed {seed}: {name} has {got.Count} rows, not {expected[table].Count}; missing {missing.Count}: {missing.FirstOrDefault()}; surplus {surplus.Count}: {surplus.FirstOrDefault()}");
        }
    }

    private static List<List<string>> Expected(JiraSite site, JiraSchema schema, string folder)
    {
        var documents = new Documents(folder);
        List<List<string>> rows = [.. schema.Tables.Select(_ => new List<string>())];
        foreach (var key in site.Keys())
        {
            var body = JiraAnswer.Of((JsonObject)site.Show(key)!.DeepClone(), null, site.Now);
            schema.Apply(new JournalEntry(0, 0, DateTime.UnixEpoch, JiraSchema.Answer, "", body), documents);
            schema.Rows(documents.Find(key)!, (table, values) => rows[table].Add(string.Join('|', schema.Tables[table].Columns.Zip(values)
                .Where(cell => !Left.Contains(cell.First.Name)).Select(cell => Text(cell.Second)))));
        }

        return rows;
    }

    private static string Text(object? cell) => cell is DateTime moment
        ? ((moment.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture)
        : Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "";

    /// <summary>What was acknowledged last is seen within seconds; whatever is not within minutes never is.</summary>
    private static async Task<List<string>> SettledAsync(CampaignRun run, ServerProcess server, string sql, List<string> expected, bool mayHaveMore)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var sorted = expected.Order(StringComparer.Ordinal).ToList();
        while (true)
        {
            using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql, limit = RowsMax }, run.Cancellation);
            var text = await answer.Content.ReadAsStringAsync(run.Cancellation);
            if (answer.IsSuccessStatusCode)
            {
                List<string> rows = [.. JsonNode.Parse(text)!["rows"]!.AsArray().Select(row => (string)row![0]!)];
                if (clock.Elapsed > SettleMax || rows.Order(StringComparer.Ordinal).SequenceEqual(sorted) || (mayHaveMore && !sorted.Except(rows).Any())) return rows;
            }
            else if (clock.Elapsed > SettleMax)
            {
                run.Fail($"{sql[..40]}… was answered {(int)answer.StatusCode}: {text}");
                return [];
            }

            await Task.Delay(500, run.Cancellation);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
