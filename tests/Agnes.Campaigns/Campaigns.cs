namespace Agnes.Campaigns;

/// <summary>All campaigns, in the order in which "all" runs them.</summary>
public static class Campaigns
{
    public static IReadOnlyList<Campaign> All { get; } =
    [
        new("server-kills", "kill -9 of the server during syncs and state writes, state in DuckDB", 200, ServerKills.OnDuckDbAsync),
        new("server-kills-postgres", "the same, state in PostgreSQL", 200, ServerKills.OnPostgresAsync),
        new("worker-kills", "kill -9 of query workers under statements", 100, WorkerKills.RunAsync),
        new("billing-kills", "kill -9 of brokers and of the server under statements that BigQuery bills", 50, BillingKills.RunAsync),
        new("pull-kills", "kill -9 of agnes pull", 100, PullKills.RunAsync),
        new("upgrade-kills", "kill -9 of agnes self-upgrade", 100, UpgradeKills.RunAsync),
        new("init-kills", "kill -9 of agnes init", 100, InitKills.RunAsync),
        new("push-kills", "kill -9 of agnes push while hooks capture", 100, PushKills.RunAsync),
        new("import-kills", "kill -9 of agnes-server import", 100, ImportKills.RunAsync),
        new("crowded-workspace", "eight pulls and twenty queries at once in one workspace, the local database held open", 20, CrowdedWorkspace.RunAsync),
        new("foreign-replaced", "a foreign file replaced by rename under readers", 100, ForeignFiles.ReplacedAsync),
        new("foreign-truncated", "a foreign file truncated in place under readers", 100, ForeignFiles.TruncatedAsync),
        new("foreign-rewritten", "a foreign file rewritten in place during adoption", 100, ForeignFiles.RewrittenAsync),
        new("csv-dialects", "generated files of many dialects and encodings, each cell compared with Python's csv", 200, CsvDialects.RunAsync),
        new("found-files", "generated files of the kinds in which public files changed their values, each cell compared with Python's csv", 210, CsvDialects.RunFoundAsync),
        new("keboola-changes", "tables of a project that change at random, pulled by changes and whole, with kills and faults", 500,
            KeboolaChanges.RunAsync),
        new("database-changes", "tables of a PostgreSQL that change at random, pulled by changes, with kills and broken connections", 500,
            DatabaseChanges.RunAsync),
        new("jira-events", "10,000 deliveries of Jira, shuffled, a fifth twice, to a server that is killed every second; tables compared with the site", 100,
            JiraEvents.RunAsync),
        new("jira-events-short", "the same of 300 deliveries", 3, JiraEvents.RunShortAsync),
        new("jira-backfill", "a Jira of so many thousand issues is brought through its API, which throttles, by a server that is killed midway", 300,
            JiraBackfill.RunAsync),
        new("full-disk", "deliveries of Jira to a server whose disk, a small file system, fills up and is emptied again; needs root", 6, FullDisk.RunAsync),
        new("large-files", "files of exact sizes in 1 GiB: loaded or refused with a sentence, and what memory the child took", 5, LargeFiles.RunAsync),
        new(
            "large-remote", "a PostgreSQL table of ten million rows: counted, sliced and taken whole, and a client that leaves midway", 1,
            LargeRemote.RunAsync),
        new(
            "random-statements", "generated statements at PostgreSQL, whole and joined with tables here, against the engine", 2000,
            RandomStatements.RunAsync),
        new("heavy-statements", "statements that exceed memory or ignore interruption, beside a neighbour", 3, HeavyStatements.RunAsync),
    ];
}
