using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What is set for Jira: the environment first, then <c>jira</c> of <c>instance.yaml</c>.</summary>
internal static class JiraOptions
{
    public const string SecretName = "JIRA_WEBHOOK_SECRET";
    public const string DomainName = "JIRA_DOMAIN";
    private const string Stays = "it does not leave the process";

    private static readonly Setting Token = Admins("jira.api_token", "JIRA_API_TOKEN", "Of the account that reads issues.") with { Kind = "secret", IsRead = false };
    private static readonly Setting SlaToken = Admins("jira.sla_api_token", "JIRA_SLA_API_TOKEN", "Of the account that sees times of service.") with { Kind = "secret", IsRead = false };
    private static readonly Setting Domain = Admins("jira.domain", DomainName, "The host of the site, as in links to issues.");
    private static readonly Setting Email = Admins("jira.email", "JIRA_EMAIL", "Of the account that reads issues.") with { IsRead = false };
    private static readonly Setting SlaEmail = Admins("jira.sla_email", "JIRA_SLA_EMAIL", "Of the account that sees times of service.") with { IsRead = false };
    private static readonly Setting Cloud = Admins("jira.cloud_id", "JIRA_CLOUD_ID", "Of the site, for the account that sees times of service.") with { IsRead = false };

    private static readonly Setting Secret = Admins("jira.webhook_secret", SecretName, "Proves that a delivery is from the site, which knows it too.") with
    {
        Kind = "secret",
        NoDestination = Stays,
    };

    public static readonly SettingGroup Settings = new("Jira", [Secret, Domain, Email, Token, Cloud, SlaEmail, SlaToken])
    {
        Credentials = [new("Jira", [Token, SlaToken], Domain) { With = [Email, SlaEmail, Cloud] }],
    };

    private static Setting Admins(string key, string variable, string means) => new(key, variable) { By = SettableBy.Admins, IsOffered = false, Means = means };
}
