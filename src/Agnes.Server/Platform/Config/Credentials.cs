using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Config;

/// <summary>One setting under all its names.</summary>
/// <param name="Key">Of <c>instance.yaml</c>; null: there is none.</param>
/// <param name="Variables">In the order in which they are looked at.</param>
public sealed record SettingField(string? Key, params string[] Variables)
{
    /// <summary>It names a file of the server's: admins have no files there, and what lies under a path of their choice may be what they uploaded.</summary>
    public bool IsFile { get; init; }
}

/// <summary>Secrets, with where they are sent. What chose the destination decides which of them may go there: see <see cref="SettingLayers"/>.</summary>
/// <param name="Destination">
/// The first says whose the destination is; the others, and whatever vouches for it, come from the same hand. Empty: nobody can choose it.
/// </param>
public sealed record Credential(string Name, SettingField[] Secrets, params SettingField[] Destination)
{
    /// <summary>Why there is no destination to choose.</summary>
    public string? NoDestination { get; init; }

    /// <summary>What goes along with the secrets and is none, such as a user's name.</summary>
    public SettingField[] With { get; init; } = [];

    public IEnumerable<SettingField> Fields => [.. Destination, .. Secrets, .. With];
}

/// <summary>
/// Every secret that the product knows, each with its destination. A secret that is not here cannot be read: <see cref="SettingLayers.Find"/> and
/// <see cref="InstanceConfig.Text"/> refuse it.
/// </summary>
public static class Credentials
{
    private const string Stays = "it does not leave the process";
    private const string Fixed = "its service has one address, which nobody sets";

    public static readonly Credential MailServer = new(
        "mail server",
        [new("email.smtp_password", "SMTP_PASSWORD")],
        new("email.smtp_host", "SMTP_HOST"),
        new("email.smtp_port", "SMTP_PORT"),
        new(null, "SMTP_CA_FILE") { IsFile = true }) // whom it vouches for is sent the password
    { With = [new("email.smtp_user", "SMTP_USER")] };

    public static readonly Credential Keboola = new(
        "Keboola",
        [new("data_source.keboola.storage_token", "KBC_STORAGE_TOKEN", "KEBOOLA_STORAGE_TOKEN")],
        new SettingField("data_source.keboola.stack_url", "KBC_STACK_URL", "KEBOOLA_STACK_URL"));

    public static readonly IReadOnlyList<Credential> All =
    [
        MailServer,
        Keboola,
        new("OpenID Connect", [new(null, "OIDC_CLIENT_SECRET")], new SettingField(null, "OIDC_ISSUER")) { With = [new(null, "OIDC_CLIENT_ID")] },
        new(
            "language model",
            [new("ai.api_key", "ANTHROPIC_API_KEY", "LLM_API_KEY"), new("ai.anthropic_api_key")],
            new SettingField("ai.base_url")),
        new("OpenMetadata", [new("openmetadata.token", "OPENMETADATA_TOKEN")], new SettingField("openmetadata.url", "OPENMETADATA_URL")),
        new(
            "Jira",
            [new("jira.api_token", "JIRA_API_TOKEN"), new("jira.sla_api_token", "JIRA_SLA_API_TOKEN")],
            new SettingField("jira.domain", "JIRA_DOMAIN"))
        { With = [new("jira.email", "JIRA_EMAIL"), new("jira.sla_email", "JIRA_SLA_EMAIL"), new("jira.cloud_id", "JIRA_CLOUD_ID")] },
        new("SendGrid", [new(null, "SENDGRID_API_KEY")]) { NoDestination = Fixed },
        new("Google", [new("auth.google_client_secret", "GOOGLE_CLIENT_SECRET"), new(null, "GOOGLE_APPLICATION_CREDENTIALS") { IsFile = true }]) { NoDestination = Fixed },
        new("Telegram", [new("telegram.bot_token", "TELEGRAM_BOT_TOKEN")]) { NoDestination = Fixed },
        new(
            "sessions and tokens",
            [
                new(null, "JWT_SECRET_KEY"), new(null, "SESSION_SECRET"), new("desktop.jwt_secret", "DESKTOP_JWT_SECRET"),
                new("auth.webapp_secret_key", "WEBAPP_SECRET_KEY"),
            ])
        { NoDestination = Stays },
        new(
            "what callers prove themselves with",
            [
                new(null, "SCHEDULER_API_TOKEN"), new(null, "AGNES_BOOTSTRAP_TOKEN"), new(null, "SEED_ADMIN_PASSWORD"),
                new("jira.webhook_secret", "JIRA_WEBHOOK_SECRET"),
            ])
        { NoDestination = Stays },
        new("names that only sound like secrets", [new("data_source.keboola.token_env"), new(null, "AGNES_PASSWORD_BLOCKLIST") { IsFile = true }])
        { NoDestination = "they name a variable, and a file" },
    ];

    /// <summary>The setting of a name, with what it belongs to; null: it has nothing to do with a secret.</summary>
    public static (Credential Of, SettingField Field)? Find(string variableOrKey)
    {
        foreach (var credential in All)
        {
            foreach (var field in credential.Fields)
            {
                if (field.Key == variableOrKey || field.Variables.Contains(variableOrKey, StringComparer.Ordinal))
                {
                    return (credential, field);
                }
            }
        }

        return null;
    }

    /// <summary>Whether what stands under a dotted key is a secret, declared here or by the sound of its name.</summary>
    public static bool IsSecretKey(string path) =>
        path.Split('.').Any(Redactor.IsSecretKey) || (Find(path) is { } found && found.Of.Secrets.Contains(found.Field));

    /// <exception cref="InvalidOperationException">The name sounds like a secret's, and nobody said where it may be sent.</exception>
    internal static void RefuseUndeclared(string name)
    {
        if (!Redactor.IsSecretKey(name) || Find(name) is not null) return;
        throw new InvalidOperationException($"{name} is a secret: declare in {nameof(Credentials)} where it is sent.");
    }
}
