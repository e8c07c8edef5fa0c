using Agnes.Connectors.Jira;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What is set for Jira: the environment first, then <c>jira</c> of <c>instance.yaml</c>.</summary>
internal static class JiraOptions
{
    public const string SecretName = "JIRA_WEBHOOK_SECRET";
    public const string DomainName = "JIRA_DOMAIN";
    public const string EmailName = "JIRA_EMAIL";
    public const string TokenName = "JIRA_API_TOKEN";
    public const string CloudName = "JIRA_CLOUD_ID";
    public const string SlaEmailName = "JIRA_SLA_EMAIL";
    public const string SlaTokenName = "JIRA_SLA_API_TOKEN";
    public const string ProjectName = "JIRA_PROJECT";
    public const string BaseName = "JIRA_BASE_URL";
    public const string CloudBaseName = "JIRA_CLOUD_API_BASE";
    public const string FilesName = "JIRA_ATTACHMENTS";
    public const string CloudBaseDefault = "https://api.atlassian.com";
    private const string Stays = "it does not leave the process";

    private static readonly Setting Token = Admins("jira.api_token", TokenName,
        "Of the account that reads issues.") with
    { Kind = "secret" };

    private static readonly Setting SlaToken =
        Admins("jira.sla_api_token", SlaTokenName, "Of the account that sees times of service.") with { Kind = "secret" };

    private static readonly Setting Domain = Admins("jira.domain", DomainName, "The host of the site, as in links to issues.");
    private static readonly Setting Email = Admins("jira.email", EmailName, "Of the account that reads issues.");
    private static readonly Setting SlaEmail = Admins("jira.sla_email", SlaEmailName, "Of the account that sees times of service.");
    private static readonly Setting Cloud = Admins("jira.cloud_id", CloudName, "Of the site, for the account that sees times of service.");
    private static readonly Setting Project = Admins("jira.project", ProjectName,
        "The key of the one project that consistency is checked for.") with
    {
        Otherwise = "all of the site",
    };

    private static readonly Setting Files = Admins("jira.attachments", FilesName,
        "Whether the files of issues are fetched when issues are.") with
    {
        Kind = "bool",
        Default = false,
    };

    /// <summary>What is larger stays in Jira.</summary>
    public static readonly Setting FileBytes = new Setting("jira.attachment_bytes_max", "JIRA_ATTACHMENT_BYTES_MAX")
    {
        IsOffered = false,
        Means = "Of one file of an issue; a larger one stays in Jira.",
        Default = 52_428_800L,
    }.Between(1, 1L << 34, "a number of bytes");

    private static readonly Setting Base = new("jira.base_url", BaseName)
    {
        IsOffered = false,
        Means = "Where the site's API is, without a slash at the end.",
        Otherwise = "`https://` and `JIRA_DOMAIN`",
    };

    private static readonly Setting CloudBase = new("jira.cloud_api_base", CloudBaseName)
    {
        IsOffered = false,
        Means = "Where the account for times of service asks, without a slash at the end.",
        Default = CloudBaseDefault,
    };

    private static readonly Setting Secret = Admins("jira.webhook_secret", SecretName, "Proves that a delivery is from the site, which knows it too.") with
    {
        Kind = "secret",
        NoDestination = Stays,
    };

    /// <summary>By column, or by what several columns are read from: which custom field of the site it is.</summary>
    public static readonly IReadOnlyDictionary<string, Setting> Fields = JiraFields.Default.ByColumn.ToDictionary(
        field => field.Key,
        field => new Setting($"jira.fields.{field.Key}")
        {
            By = SettableBy.Admins,
            IsOffered = false,
            Default = field.Value,
            Means = $"The custom field of the site that {field.Key} is read from.",
        },
        StringComparer.Ordinal);

    public static readonly SettingGroup Settings =
        new("Jira", [Secret, Domain, Email, Token, Cloud, SlaEmail, SlaToken, Project, Files, FileBytes, Base, CloudBase, .. Fields.Values])
        {
            Credentials = [new("Jira", [Token, SlaToken], Domain, Base, CloudBase) { With = [Email, SlaEmail, Cloud] }],
        };

    private static Setting Admins(string key, string variable, string means) =>
        new(key, variable) { By = SettableBy.Admins, IsOffered = false, Means = means };
}
