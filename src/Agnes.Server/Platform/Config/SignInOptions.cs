using Agnes.Engine.Outbound;

namespace Agnes.Server.Platform.Config;

/// <summary>How people may prove who they are. What is wrong in it closes the way of signing in that it belongs to, with a text for the operator; it never opens one.</summary>
public sealed record SignInOptions
{
    private const int SessionHoursMax = 24;
    private const int IdleMinutesMin = 5;
    private const int IdleMinutesMax = SessionHoursMax * 60;
    private static readonly string[] Truths = ["1", "true", "yes"];

    private static readonly Setting Hours = new Setting(null, "AGNES_SESSION_HOURS_MAX")
    { Default = SessionHoursMax, Means = "A session ends after so many hours, 24 at most." }.Between(1, SessionHoursMax, "a number");

    private static readonly Setting IdleMinutes = new Setting(null, "AGNES_SESSION_IDLE_MINUTES")
    {
        Default = 12 * 60,
        Means = "A session ends when nobody used it for so many minutes.",
    }.Between(IdleMinutesMin, IdleMinutesMax, "a number");

    internal static readonly SettingGroup[] Settings =
    [
        new(
            "Who may sign in, and for how long",
            new("auth.allowed_domain", "AGNES_ALLOWED_DOMAINS")
            {
                By = SettableBy.Overlay,
                Example = "example.com",
                Means = "Domains, with commas between, whose addresses may sign in through an issuer.",
            },
            new("auth.allow_any_domain", "AGNES_ALLOW_ANY_DOMAIN")
            {
                Kind = "bool",
                Default = false,
                By = SettableBy.Overlay,
                Means = "Let in whoever the issuer knows.",
            },
            new(null, "AGNES_ALLOWED_HOSTS")
            {
                Kind = "array",
                Means = "Host names, besides the configured address and this machine's own, that may appear in mailed links.",
            },
            Hours,
            IdleMinutes,
            new("desktop.jwt_secret", "DESKTOP_JWT_SECRET")
            {
                Kind = "secret",
                By = SettableBy.Admins,
                NoDestination = "it does not leave the process",
                Means = "Switches sign-in of desktop applications on; at least 32 characters, different from `JWT_SECRET_KEY`.",
            },
            new(null, "AGNES_DEBUG_AUTH")
            {
                Kind = "bool",
                Means = "`1` opens `/me/debug`, where somebody signed in sees what the server knows of them.",
            }),
        GoogleOptions.Settings,
        OidcOptions.Settings,
        MailOptions.Settings,
    ];

    /// <summary>How long a session is good at most.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromHours(SessionHoursMax);

    /// <summary>How long a session may go unused.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromHours(12);

    /// <summary>Lower-case; addresses at other domains cannot sign in through an issuer.</summary>
    public IReadOnlyList<string> AllowedDomains { get; init; } = [];

    /// <summary>Said by the operator in so many words: whoever the issuer knows may sign in.</summary>
    public bool AllowAnyDomain { get; init; }

    public GoogleOptions? Google { get; init; }

    public OidcOptions? Oidc { get; init; }

    public MailOptions? Mail { get; init; }

    /// <summary>Host names, besides the configured address and this machine's own, that may appear in mailed links.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Signs what desktop applications sign in with; null: they cannot.</summary>
    public string? DesktopSecret { get; init; }

    /// <summary>People may look at what the server knows of them.</summary>
    public bool Diagnostics { get; init; }

    /// <summary>What is wrong, for the log and for health; each names its variable.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Whether the text after an address's last @ is one that may sign in through an issuer.</summary>
    public bool IsAllowedDomain(string domain) => AllowAnyDomain || AllowedDomains.Contains(domain, StringComparer.OrdinalIgnoreCase);

    /// <param name="owner">Whose a secret's destination is; the operator's where nothing else is said.</param>
    public static SignInOptions From(Func<string, string?> environment, Func<Credential, SettingOwner>? owner = null)
    {
        var problems = new List<string>();
        var read = new SettingReader(environment, problems, owner ?? (static _ => SettingOwner.Operator));
        var options = new SignInOptions
        {
            SessionLifetime = TimeSpan.FromHours(Hours.Number(read.Text)),
            SessionIdle = TimeSpan.FromMinutes(IdleMinutes.Number(read.Text)),
            AllowedDomains = [.. read.List("AGNES_ALLOWED_DOMAINS").Select(domain => domain.TrimStart('@').ToLowerInvariant())],
            AllowAnyDomain = read.IsOn("AGNES_ALLOW_ANY_DOMAIN"),
            AllowedHosts = read.List("AGNES_ALLOWED_HOSTS"),
            DesktopSecret = read.Secret("DESKTOP_JWT_SECRET", charsMin: 32),
            Mail = MailOptions.Read(read),
            Diagnostics = read.IsOn("AGNES_DEBUG_AUTH"),
        };
        var (google, oidc) = (GoogleOptions.Read(read), OidcOptions.Read(read));
        var limited = options.AllowAnyDomain || options.AllowedDomains.Count > 0;
        if (!limited && (google ?? (object?)oidc) is not null)
        {
            problems.Add("AGNES_ALLOWED_DOMAINS is not set: sign-in through Google or an OpenID Connect issuer stays closed. Name the domains, or set AGNES_ALLOW_ANY_DOMAIN=1.");
        }

        return options with { Google = limited ? google : null, Oidc = limited ? oidc : null, Problems = problems };
    }

    /// <summary>Reads settings and collects what is wrong with them.</summary>
    internal sealed class SettingReader(Func<string, string?> environment, List<string> problems, Func<Credential, SettingOwner> owner)
    {
        public SettingOwner OwnerOf(Credential credential) => owner(credential);

        public string? Text(string name) => environment(name)?.Trim() is { Length: > 0 } value ? value : null;

        /// <summary>Also when it is set to nothing, which says something for a few.</summary>
        public bool IsSet(string name) => environment(name) is not null;

        public bool IsOn(string name) => Array.IndexOf(Truths, Text(name)?.ToLowerInvariant()) >= 0;

        public string[] List(string name) => Text(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

        public string? Secret(string name, int charsMin)
        {
            if (Text(name) is not { } text || text.Length >= charsMin) return Text(name);
            Problem($"{name} must have at least {charsMin} characters; what it is for stays closed.");
            return null;
        }

        /// <summary>An address that credentials are sent to: https, or this machine.</summary>
        public Uri? Address(string name, string otherwise)
        {
            var text = Text(name) ?? otherwise;
            if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsSafe(uri)) return uri;
            Problem($"{name} must be an https address without a user, a query or a fragment; what it is for stays closed.");
            return null;
        }

        public void Problem(string text) => problems.Add(text);

        public static bool IsSafe(Uri uri) =>
            (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) && uri is { UserInfo: "", Fragment: "", Query: "" };
    }
}
