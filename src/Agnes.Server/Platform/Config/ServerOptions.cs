using System.Net;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Query;

namespace Agnes.Server.Platform.Config;

/// <summary>Everything the process learns from its arguments and environment, read once and validated at the start.</summary>
public sealed record ServerOptions
{
    public const string UrlDefault = "http://localhost:8000";
    private const string EveryoneKey = "auth.everyone_membership";

    public required string DataDir { get; init; }

    public required string StateDir { get; init; }

    /// <summary>Where the operator's <c>instance.yaml</c> lies.</summary>
    public string ConfigDir { get; init; } = "config";

    /// <summary>The process's environment, for references in <c>instance.yaml</c>.</summary>
    public Func<string, string?> Variables { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>All that is declared to be set.</summary>
    public SettingSet Settings { get; init; } = SettingSet.None;

    /// <summary>Where the operator's own connectors lie, a folder each.</summary>
    public string ConnectorsDir { get; init; } = "connectors";

    /// <summary>What could not be read of <c>instance.yaml</c>.</summary>
    public IReadOnlyList<string> ConfigProblems { get; init; } = [];

    /// <summary>Hosts in configured addresses that may be in a private network.</summary>
    public IReadOnlyList<string> AllowedPrivateHosts { get; init; } = [];

    /// <summary>Where BigQuery and its tokens are asked for, where that is not Google's own address.</summary>
    public Uri? BigQueryAddress { get; init; }

    /// <summary>Projects of BigQuery besides a connection's own that the queries of materialized tables may read.</summary>
    public IReadOnlyList<string> BigQueryProjects { get; init; } = [];

    /// <summary>The longest life of a new personal access token; null: as the API allows.</summary>
    public int? TokenDaysMax { get; init; }

    /// <summary>Nobody becomes a member of Everyone by being a user: somebody has to say so.</summary>
    public bool EveryoneByHand { get; init; }

    /// <summary>Addresses to listen on, separated by semicolons.</summary>
    public string Urls { get; init; } = UrlDefault;

    public Role Role { get; init; } = Role.All;

    /// <summary>Fill an empty server with sample tables at the start.</summary>
    public bool Demo { get; init; }

    /// <summary>Error answers carry the exception's text.</summary>
    public bool Debug { get; init; }

    /// <summary>What is logged at least.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>After each write the whole state is read and compared with what is held in memory: for tests, and where something is amiss.</summary>
    public bool CheckState { get; init; }

    /// <summary>PostgreSQL connection string; null means the embedded DuckDB state.</summary>
    public string? StateUrl { get; init; }

    /// <summary>Memory for the whole installation, e.g. <c>4GiB</c>; null means a share of the machine.</summary>
    public string? Memory { get; init; }

    /// <summary>How long one statement of an analyst may run.</summary>
    public TimeSpan QueryTimeLimit { get; init; } = StatementLimits.TimeDefault;

    public string? JwtSecretKey { get; init; }

    /// <summary>Seals the state of a sign-in that is under way; null: a file of the state directory.</summary>
    public string? SessionSecret { get; init; }

    /// <summary>The public host name; set, it makes cookies <c>Secure</c> whatever the request's scheme.</summary>
    public string? Domain { get; init; }

    /// <summary>The public base address without a trailing slash; links in answers and mails are built from it.</summary>
    public string? ServerUrl { get; init; }

    public string HomeRoute { get; init; } = "/dashboard";

    public string? SeedAdminEmail { get; init; }

    public string? SeedAdminPassword { get; init; }

    /// <summary>Lets a caller who is not on this machine make the first admin.</summary>
    public string? BootstrapToken { get; init; }

    /// <summary>The directory's group whose members are admins.</summary>
    public string? GroupAdminEmail { get; init; }

    /// <summary>The directory's group that stands for everyone.</summary>
    public string? GroupEveryoneEmail { get; init; }

    /// <summary>The secret of the scheduler's calls; too short a one is not accepted.</summary>
    public string? SchedulerToken { get; init; }

    /// <summary>How often it is looked which tables are due.</summary>
    public TimeSpan SyncEvery { get; init; } = TimeSpan.FromMinutes(15);

    public bool RateLimits { get; init; } = true;

    /// <summary>Proxies whose forwarded headers are believed; loopback always is.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>What is wanted of the walls around child processes.</summary>
    public WallMode Walls { get; init; }

    /// <summary>The group of <c>extracts/</c> and <c>csv/</c> keeps the rights that the operator gave it, so that programs of other users can write there.</summary>
    public bool SharedInbox { get; init; }

    /// <summary>Where the archives of the command line lie that laptops are offered.</summary>
    public string CliDistDir { get; init; } = "/app/dist";

    /// <summary>The private key that signs those archives; null: a file of the state directory, made on first need.</summary>
    public string? ReleaseKeyFile { get; init; }

    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    public SignInOptions SignIn { get; init; } = new();

    public ScanOptions Scan { get; init; } = new();

    public AttachOptions Attach { get; init; } = new();

    public MetadataOptions Metadata { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();

    public AlertOptions Alerts { get; init; } = new();

    /// <summary>What the instance calls itself; null: nothing of its own.</summary>
    public string? InstanceName { get; init; }

    /// <summary>A file of passwords that nobody may take, one a line; null: only what everybody tries first is refused.</summary>
    public string? PasswordList { get; init; }

    /// <summary>Everybody on this machine is this one person, for trying things out; null in earnest.</summary>
    public LocalDevelopment? LocalDevelopment { get; init; }

    /// <summary>Reads arguments over environment over defaults. Throws <see cref="OptionsException"/> with a text for the operator.</summary>
    public static ServerOptions From(IReadOnlyList<string> args, Func<string, string?> environment, SettingSet settings)
    {
        var given = Arguments.Parse(args);
        string? Setting(string name) => environment(name) is { Length: > 0 } value ? value : null;
        var dataDir = Path.GetFullPath(given.DataDir ?? Setting("DATA_DIR") ?? "data");
        var roleText = given.Role ?? Setting("AGNES_ROLE") ?? "all";
        if (!Roles.TryParse(roleText, out var role)) throw new OptionsException(RoleRefused(roleText));
        var stateUrl = Setting("AGNES_STATE_URL");
        if (stateUrl is null && !role.RunsOnEmbeddedState())
        {
            throw new OptionsException($"The role '{roleText}' needs PostgreSQL state: set AGNES_STATE_URL, or run the role 'all'.");
        }

        var stateDir = Path.GetFullPath(Setting("STATE_DIR") ?? Path.Combine(dataDir, "state"));
        var configDir = Path.GetFullPath(Setting("CONFIG_DIR") ?? "config");
        var variables = environment;
        var layers = SettingLayers.Open(settings, configDir, stateDir, environment);
        environment = layers.Find;
        List<string> configProblems = [.. layers.Instance.Problems];
        var options = new ServerOptions
        {
            DataDir = dataDir,
            StateDir = stateDir,
            ConfigDir = configDir,
            ConnectorsDir = Path.GetFullPath(Setting("CONNECTORS_DIR") ?? "connectors"),
            Variables = variables,
            Settings = settings,
            Scan = ScanOptions.From(layers.Instance, configProblems),
            ConfigProblems = configProblems,
            Metadata = MetadataOptions.From(Setting),
            Limits = LimitOptions.From(Setting),
            AllowedPrivateHosts = List(Setting("AGNES_ALLOWED_PRIVATE_HOSTS")),
            BigQueryAddress = BaseAddress("BIGQUERY_API_ENDPOINT", Setting("BIGQUERY_API_ENDPOINT")) is { } at ? new Uri(at) : null,
            BigQueryProjects = List(environment("AGNES_BIGQUERY_OTHER_PROJECTS")),
            TokenDaysMax = ServerSettings.TokenDays.GivenNumber(Setting),
            EveryoneByHand = Everyone(Setting("AGNES_EVERYONE_MEMBERSHIP"), layers.Instance, settings),
            Urls = Addresses(given.Urls ?? Setting("ASPNETCORE_URLS") ?? Setting("URLS") ?? UrlDefault),
            Role = role,
            Demo = given.Demo || IsOn(Setting("AGNES_DEMO")),
            Debug = IsOn(Setting("DEBUG")),
            LogLevel = LevelOf(Setting("LOG_LEVEL"), IsOn(Setting("DEBUG"))),
            CheckState = IsOn(Setting("AGNES_CHECK_STATE")),
            StateUrl = stateUrl,
            Memory = Setting("AGNES_MEMORY"),
            QueryTimeLimit = TimeSpan.FromSeconds(ServerSettings.QuerySeconds.Number(Setting)),
            JwtSecretKey = Setting("JWT_SECRET_KEY"),
            SessionSecret = Setting("SESSION_SECRET"),
            Domain = Setting("DOMAIN"),
            ServerUrl = BaseAddress("SERVER_URL", Setting("SERVER_URL")),
            HomeRoute = LocalPath.Accept(Setting("AGNES_HOME_ROUTE")) ?? "/dashboard",
            SeedAdminEmail = Setting("SEED_ADMIN_EMAIL")?.Trim(),
            SeedAdminPassword = Setting("SEED_ADMIN_PASSWORD"),
            BootstrapToken = Setting("AGNES_BOOTSTRAP_TOKEN"),
            GroupAdminEmail = Setting("AGNES_GROUP_ADMIN_EMAIL")?.Trim().ToLowerInvariant(),
            GroupEveryoneEmail = Setting("AGNES_GROUP_EVERYONE_EMAIL")?.Trim().ToLowerInvariant(),
            SchedulerToken = Setting("SCHEDULER_API_TOKEN")?.Trim(),
            SyncEvery = TimeSpan.FromSeconds(ServerSettings.RefreshSeconds.Number(Setting)),
            RateLimits = Setting("AGNES_AUTH_RATELIMIT_ENABLED")?.ToLowerInvariant() is not ("0" or "false" or "no" or "off"),
            TrustedProxies = Networks(Setting("AGNES_TRUSTED_PROXIES")),
            Walls = WallsOf(Setting("AGNES_WALLS")),
            SharedInbox = IsOn(Setting("AGNES_SHARED_INBOX")),
            CliDistDir = Path.GetFullPath(Setting("AGNES_CLI_DIST_DIR") ?? SourceTree.DistDir ?? "/app/dist"),
            ReleaseKeyFile = Setting("AGNES_RELEASE_KEY_FILE") is { } key ? Path.GetFullPath(key) : null,
            CorsOrigins = List(Setting("CORS_ORIGINS")),
            SignIn = SignInOptions.From(environment, layers.OwnerOf),
            InstanceName = layers.Instance.Text("instance.name"),
            PasswordList = Setting("AGNES_PASSWORD_BLOCKLIST") is { } list ? Path.GetFullPath(list) : null,
        };
        return options with { LocalDevelopment = LocalDevelopment.From(options, variables), Alerts = AlertOptions.From(Setting), Attach = AttachOptions.From(Setting, variables) };
    }

    private static string RoleRefused(string text) => text.Equals("scheduler", StringComparison.OrdinalIgnoreCase)
        ? "The role 'scheduler' opens no state: it only calls a server."
        : $"AGNES_ROLE must be all, web, jobs or scheduler, not '{text}'.";

    /// <summary>Addresses to listen on, with the names that only a listener knows: <c>http://*:8000</c>, <c>http://unix:/path</c>.</summary>
    private static string Addresses(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IsAddress(url)) throw new OptionsException($"'{url}' is no address to listen on: write http://HOST:PORT, with a port up to {IPEndPoint.MaxPort}.");
        }
        return urls;
    }

    private static bool IsAddress(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Scheme: "http" or "https", Port: >= 0 and <= IPEndPoint.MaxPort };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>A configuration that cannot be read, or says what nobody understands, may have said that nobody is to be let in by being a user: then nobody is.</summary>
    private static bool Everyone(string? value, InstanceConfig instance, SettingSet settings) => ServerSettings.Everyone.Require(EveryoneKey, value) switch
    {
        null => !instance.IsReadable || settings.FaultOfKey(EveryoneKey, InstanceConfig.At(instance.Overlay, EveryoneKey)) is not null,
        var said => said == "explicit",
    };

    private static WallMode WallsOf(string? value) => value?.ToLowerInvariant() switch
    {
        null or "available" => WallMode.Available,
        "required" => WallMode.Required,
        "off" => WallMode.Off,
        _ => throw new OptionsException($"AGNES_WALLS must be available, required or off, not '{value}'."),
    };

    private static LogLevel LevelOf(string? value, bool isDebug) => value?.Trim().ToUpperInvariant() switch
    {
        null => isDebug ? LogLevel.Debug : LogLevel.Information,
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARNING" or "WARN" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        "CRITICAL" => LogLevel.Critical,
        _ => throw new OptionsException($"LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not '{value}'."),
    };

    private static bool IsOn(string? value) => value?.ToLowerInvariant() is "1" or "true" or "yes";

    private static string[] List(string? value) => value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static List<IPNetwork> Networks(string? value)
    {
        var networks = new List<IPNetwork>();
        foreach (var item in List(value))
        {
            if (IPNetwork.TryParse(item, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(item, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else throw new OptionsException($"AGNES_TRUSTED_PROXIES holds '{item}', which is neither an address nor a network such as 10.0.0.0/8.");
        }

        return networks;
    }

    private static string? BaseAddress(string name, string? value)
    {
        if (value is null) return null;
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
        {
            throw new OptionsException($"{name} must be an address such as https://data.example.com.");
        }

        return value.TrimEnd('/');
    }
}

/// <summary>An argument or a variable that the server cannot start with; the message is for the operator.</summary>
public sealed class OptionsException(string message) : Exception(message);
