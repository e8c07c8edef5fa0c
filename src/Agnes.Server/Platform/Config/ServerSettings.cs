using Agnes.Engine.Query;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// What <see cref="ServerOptions"/> reads for the process as a whole; what is more of one thing is declared beside what reads it.
/// </summary>
internal static class ServerSettings
{
    private const string Stays = "it does not leave the process";
    private const int TokenDaysMax = 3650;
    private const int RefreshSecondsMax = 7 * 24 * 3600;

    public static readonly Setting TokenDays = new Setting("auth.max_pat_days", "AGNES_PAT_DAYS_MAX")
    {
        By = SettableBy.Overlay,
        Otherwise = "as the API allows",
        Example = "365",
        Means = "The longest life of a personal access token.",
    }.Between(1, TokenDaysMax, "a number of days");

    public static readonly Setting Everyone = new("auth.everyone_membership", "AGNES_EVERYONE_MEMBERSHIP")
    {
        Kind = "select",
        Options = ["all", "explicit"],
        Default = "all",
        By = SettableBy.Overlay,
        Means = "Whether every active user is in the group Everyone.",
        Rule = new("all or explicit", static text => text is "all" or "explicit"),
    };

    public static readonly Setting QuerySeconds = new Setting(null, "AGNES_QUERY_SECONDS_MAX")
    {
        Default = (int)StatementLimits.TimeDefault.TotalSeconds,
        Means = "How long one statement of an analyst may run.",
    }.Between(1, 3600, "a number of seconds");

    public static readonly Setting RefreshSeconds = new Setting(null, "SCHEDULER_DATA_REFRESH_INTERVAL")
    {
        Default = 900,
        Means = "Seconds: how often it is looked which tables are due by their `sync_schedule`, and these are pulled.",
    }.Between(1, RefreshSecondsMax, "a number of seconds");

    public static readonly SettingGroup[] Groups =
    [
        new(
            "Where everything is kept, and where the server listens",
            new(null, "DATA_DIR") { IsFile = true, Default = "./data", Means = "Everything the server keeps; also `--data-dir`." },
            new(null, "STATE_DIR") { IsFile = true, Otherwise = "`$DATA_DIR/state`", Means = "The state store and the signing secrets." },
            new(null, "CONFIG_DIR") { IsFile = true, Default = "./config", Means = "Where the operator's `instance.yaml` lies." },
            new(null, "ASPNETCORE_URLS", "URLS") { Default = ServerOptions.UrlDefault, Means = "Where it listens; also `--urls`." },
            new("config_version")
            {
                Kind = "int",
                Default = 1,
                By = SettableBy.Overlay,
                IsOffered = false,
                Means = "Of the form of `instance.yaml`.",
            }),
        new(
            "The address that people reach it by, when there is a proxy or a name",
            new(null, "SERVER_URL")
            {
                Means = "The address people use, e.g. `https://data.example.com`: what issuers send back to, and what mailed links carry.",
            },
            new(null, "DOMAIN") { Means = "Set when served over HTTPS: cookies become `Secure`." },
            new("instance.home_route", "AGNES_HOME_ROUTE")
            {
                Default = "/dashboard",
                By = SettableBy.Overlay,
                Means = "Where people land after signing in.",
            },
            new(null, "AGNES_TRUSTED_PROXIES")
            {
                Kind = "array",
                Means = "Proxies whose forwarded headers are believed, addresses or networks; a proxy on this machine too: " +
                    "[proxies.md](proxies.md).",
            },
            new(null, "CORS_ORIGINS") { Kind = "array", Means = "Other sites whose pages may read answers." }),
        new(
            "The first admin",
            new(null, "SEED_ADMIN_EMAIL") { Means = "An admin that exists after every start." },
            new(null, "SEED_ADMIN_PASSWORD") { Kind = "secret", NoDestination = Stays, Means = "The password of that admin." },
            new(null, "AGNES_BOOTSTRAP_TOKEN")
            {
                Kind = "secret",
                NoDestination = Stays,
                Means = "What `POST /auth/bootstrap` wants in place of the code in `state/.bootstrap_code`.",
            }),
        new(
            "State, memory and what each process does",
            new(null, "AGNES_STATE_URL") { Means = "A PostgreSQL connection string; without it, state is embedded." },
            new(null, "AGNES_ROLE")
            {
                Default = "all",
                Means = "`web` answers people and agents, `jobs` runs jobs and answers `/api/health` alone, `all` does both; " +
                    "anything but `all` needs PostgreSQL state, and all processes share one `DATA_DIR`.",
            },
            new(null, "AGNES_MEMORY")
            {
                Otherwise = "half of the machine, at most 8 GiB",
                Means = "The budget shared by state, jobs and query workers, e.g. `4GiB`.",
            },
            QuerySeconds,
            new(null, "AGNES_WALLS")
            {
                Default = "available",
                Means = "The kernel's walls around child processes: `available`, `required` (without all of them the server does " +
                    "not start), `off`; see [Security](security.md#child-processes).",
            },
            new(null, "AGNES_SHARED_INBOX")
            {
                Kind = "bool",
                Means = "`1`: the group of `extracts/` and `csv/` keeps its rights, so that programs of other users can write " +
                    "there; see *What lies where* in [the first page](README.md).",
            }),
        new(
            "Keys; made at the first start where they are not given",
            new(null, "JWT_SECRET_KEY")
            {
                Kind = "secret",
                NoDestination = Stays,
                Otherwise = "made at first start (`.jwt_secret`, 0600)",
                Means = "Signs sessions and tokens; at least 32 characters.",
            },
            new(null, "SESSION_SECRET")
            {
                Kind = "secret",
                NoDestination = Stays,
                Otherwise = "made at first start (`.session_secret`, 0600)",
                Means = "Seals the state of a sign-in that is under way.",
            },
            new(null, "SCHEDULER_API_TOKEN")
            {
                Kind = "secret",
                NoDestination = Stays,
                Means = "The secret of an external scheduler's calls, at least 32 characters; it acts as " +
                    "`scheduler@system.local`, which can be deactivated.",
            }),
        new(
            "What laptops are offered",
            new(null, "AGNES_CLI_DIST_DIR")
            {
                IsFile = true,
                Otherwise = "`/app/dist`; `artifacts/dist` of the source tree that it runs from",
                Means = "The `agnes` archives that the server offers to laptops; `deploy/pack --to DIR` makes them.",
            },
            new(null, "AGNES_RELEASE_KEY_FILE")
            {
                IsFile = true,
                Otherwise = "made on first need (`state/.release_key.pem`, 0600)",
                Means = "The private key that signs archives without a publisher's signature: [releases.md](releases.md).",
            }),
        new(
            "Who is let in, and what is reached",
            Everyone,
            TokenDays,
            new(null, "AGNES_PASSWORD_BLOCKLIST")
            {
                Kind = "secret",
                IsFile = true,
                NoDestination = "it names a file",
                Means = "A file of passwords that nobody may take, one a line: [sign-in.md](sign-in.md#passwords).",
            },
            new(null, "AGNES_AUTH_RATELIMIT_ENABLED") { Kind = "bool", Default = true, Means = "`0` switches sign-in limits off." },
            new("security.allowed_private_hosts", "AGNES_ALLOWED_PRIVATE_HOSTS")
            {
                Kind = "array",
                OperatorsBecause = "opens the server's own network",
                Means = "Hosts in configured addresses that may be in a private network. Set by whoever runs the server alone.",
            },
            new(null, "AGNES_GROUP_ADMIN_EMAIL") { Means = "The Workspace group that stands for *Admin*." },
            new(null, "AGNES_GROUP_EVERYONE_EMAIL") { Means = "The Workspace group that stands for *Everyone*." }),
        new(
            "Sources",
            new(null, "CONNECTORS_DIR")
            {
                IsFile = true,
                Default = "connectors",
                Means = "Connectors of your own, a folder each, told the name of their connection as `AGNES_CONNECTOR_NAME`: see " +
                    "[connectors](../developer/connectors.md).",
            },
            new(null, "BIGQUERY_PROJECT")
            {
                Means = "The project of BigQuery's default connection, for its tables and its jobs; before what `instance.yaml` says.",
            },
            new("data_source.bigquery.other_projects", "AGNES_BIGQUERY_OTHER_PROJECTS")
            {
                Kind = "array",
                OperatorsBecause = "opens what the server's account may read in other projects",
                Means = "Projects of BigQuery besides a connection's own that the queries of materialized tables may read.",
            },
            new(null, "BIGQUERY_API_ENDPOINT")
            {
                Otherwise = "Google's own address",
                Means = "Where BigQuery and its tokens are asked for: another address than Google's, for tests.",
            },
            RefreshSeconds),
        new(
            "For trying things out and finding faults; never in earnest",
            new(null, "AGNES_DEMO") { Kind = "bool", Means = "As `--demo`: fill an empty server with sample tables." },
            new(null, "AGNES_CHECK_STATE")
            {
                Kind = "bool",
                Means = "`1` reads the whole state after every few writes, and at the end, and compares it with what is in memory; slow, for tests and " +
                    "where something is amiss.",
            },
            new(null, "LOG_LEVEL")
            {
                Otherwise = "`INFO`, with `DEBUG` on `DEBUG`",
                Means = "The least that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL`.",
            },
            new(null, "DEBUG")
            {
                Kind = "bool",
                Means = "`1` adds error texts to answers, and routes that fail on demand (`/api/debug/throw`); never in production.",
            }),
        LocalDevelopment.Settings,
    ];
}
