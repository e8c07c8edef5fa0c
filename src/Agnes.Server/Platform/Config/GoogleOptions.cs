namespace Agnes.Server.Platform.Config;

/// <summary>Sign-in with Google, and the groups of Google Workspace. The addresses are Google's own unless a test says otherwise.</summary>
public sealed record GoogleOptions
{
    private const string Fixed = "its service has one address, which nobody sets";

    internal static readonly SettingGroup Settings = new(
        "Google",
        new(null, "GOOGLE_CLIENT_ID") { Means = "Of the OAuth client for web applications: [sign-in.md](sign-in.md#google)." },
        new("auth.google_client_secret", "GOOGLE_CLIENT_SECRET")
        {
            Kind = "secret",
            By = SettableBy.Admins,
            IsOffered = false,
            NoDestination = Fixed,
            Means = "Of that client.",
        },
        new(null, "GOOGLE_APPLICATION_CREDENTIALS")
        {
            Kind = "secret",
            IsFile = true,
            NoDestination = Fixed,
            Means = "A key file of the service account (JSON); in the environment alone. Not needed on Google's machines.",
        },
        new(null, "GOOGLE_ADMIN_SDK_SUBJECT")
        {
            Means = "A Workspace user who may read the directory; setting it switches the sync of groups on.",
        },
        new(null, "GOOGLE_ADMIN_SDK_SA_EMAIL")
        {
            Otherwise = "that of the key file, else the machine's own",
            Means = "The service account.",
        },
        new(null, "GOOGLE_ADMIN_SDK_MOCK_GROUPS") { Kind = "array", Means = "Groups to use instead of asking, for tests." },
        new(null, "AGNES_GOOGLE_GROUP_PREFIX")
        {
            Means = "Only groups whose address begins so count, and somebody in none of them may not sign in.",
        });

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    public string Issuer { get; init; } = "https://accounts.google.com";

    /// <summary>A Workspace user who may read the directory, for whom the groups are asked; null: no groups are synced.</summary>
    public string? DirectorySubject { get; init; }

    /// <summary>The service account that asks; null: the machine's own.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>A service account's key file; null: no key is needed, Google signs for the machine's own account.</summary>
    public string? KeyFile { get; init; }

    /// <summary>How long asking for somebody's groups may take altogether.</summary>
    public TimeSpan DirectoryTimeMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Groups given instead of asked for; null: ask.</summary>
    public IReadOnlyList<string>? MockGroups { get; init; }

    /// <summary>Only groups whose address begins so count, and somebody in none of them may not sign in. Lower-case.</summary>
    public string? GroupPrefix { get; init; }

    public Uri MetadataAddress { get; init; } = new("http://metadata.google.internal");

    public Uri SigningAddress { get; init; } = new("https://iamcredentials.googleapis.com");

    public Uri TokenAddress { get; init; } = new("https://oauth2.googleapis.com/token");

    public Uri DirectoryAddress { get; init; } = new("https://admin.googleapis.com");

    /// <summary>Whether groups are synced at all.</summary>
    public bool SyncsGroups => MockGroups is not null || DirectorySubject is not null;

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"Google client {ClientId}";

    internal static GoogleOptions? Read(SignInOptions.SettingReader read)
    {
        var (id, secret) = (read.Text("GOOGLE_CLIENT_ID"), read.Text("GOOGLE_CLIENT_SECRET"));
        if (id is null && secret is null) return null;
        if (id is null || secret is null)
        {
            read.Problem("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: sign-in with Google stays closed.");
            return null;
        }

        var prefix = read.Text("AGNES_GOOGLE_GROUP_PREFIX")?.ToLowerInvariant();
        var google = new GoogleOptions
        {
            ClientId = id,
            ClientSecret = secret,
            DirectorySubject = read.Text("GOOGLE_ADMIN_SDK_SUBJECT"),
            ServiceAccount = read.Text("GOOGLE_ADMIN_SDK_SA_EMAIL"),
            KeyFile = read.Text("GOOGLE_APPLICATION_CREDENTIALS") is { } file ? Path.GetFullPath(file) : null,
            MockGroups = read.IsSet("GOOGLE_ADMIN_SDK_MOCK_GROUPS") ? read.List("GOOGLE_ADMIN_SDK_MOCK_GROUPS") : null,
            GroupPrefix = prefix,
        };
        if (prefix is null || google.SyncsGroups) return google;
        read.Problem("AGNES_GOOGLE_GROUP_PREFIX needs GOOGLE_ADMIN_SDK_SUBJECT, or nobody's groups could be looked at: sign-in with Google stays closed.");
        return null;
    }
}
