using System.Text;
using Agnes.Connectors.Jira;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What is set for Jira now, and the accounts that it is asked with. Looked up every other second, not for each of thousands of deliveries.</summary>
internal sealed class JiraSettings(ServerOptions options, SecretStore secrets, IHttpClientFactory clients, TimeProvider time)
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private Known? _known;

    /// <summary>Proves deliveries; null: there is none, and nobody's word counts.</summary>
    public string? Secret => KnownNow().Secret;

    /// <summary>How deliveries become rows; null: nothing can be sent yet.</summary>
    public EventSource? Source => KnownNow().Source;

    /// <summary>Which custom fields of the site are read.</summary>
    public JiraFields Fields => KnownNow().Fields;

    /// <summary>The site, asked with the account that reads issues; null: it is not set up.</summary>
    public JiraApi? Site => KnownNow().Site;

    /// <summary>The site, asked with the account that sees times of service; null: it is not set up.</summary>
    public JiraApi? Levels => KnownNow().Levels;

    /// <summary>The one project that consistency is checked for; null: all.</summary>
    public string? Project => KnownNow().Project;

    private Known KnownNow()
    {
        lock (_gate)
        {
            if (_known is { } known && time.GetElapsedTime(known.At) < KnownFor) return known;
            var layers = SettingLayers.Open(options, secrets);
            string? Of(string name) => layers.Find(name)?.Trim() is { Length: > 0 } text ? text : null;
            var domain = Of(JiraOptions.DomainName);
            var fields = JiraOptions.Fields.Select(field => (field.Key, Value: Of(field.Value.Key!)))
                .Where(field => field.Value is not null).ToDictionary(field => field.Key, field => field.Value!, StringComparer.Ordinal);
            var site = domain is null ? null : Account(Of(JiraOptions.BaseName) ?? $"https://{domain}", Of(JiraOptions.EmailName),
                Of(JiraOptions.TokenName));
            var cloud = (Of(JiraOptions.CloudBaseName) ?? JiraOptions.CloudBaseDefault).TrimEnd('/');
            var gateway = $"{cloud}/ex/jira/{Uri.EscapeDataString(Of(JiraOptions.CloudName) ?? "")}";
            var levels = Of(JiraOptions.CloudName) is null ? null
                : Account(gateway, Of(JiraOptions.SlaEmailName), Of(JiraOptions.SlaTokenName));
            return _known = new Known(Api(site, _known?.Site, isCloud: false), Api(levels, _known?.Levels, isCloud: true),
                Of(JiraOptions.ProjectName), time.GetTimestamp())
            {
                Secret = Of(JiraOptions.SecretName),
                Source = Of(JiraOptions.SecretName) is null ? null : SourceOf(domain, fields),
                Fields = JiraFields.With(fields),
            };
        }
    }

    private static JiraAccount? Account(string address, string? email, string? token) =>
        email is null || token is null || !Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) ? null
            : new JiraAccount(uri, $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{email}:{token}"))}");

    /// <summary>One for as long as nothing is set differently: it knows when it may ask again.</summary>
    private JiraApi? Api(JiraAccount? account, JiraApi? before, bool isCloud) =>
        account is null ? null : before?.Account == account ? before : new JiraApi(new JiraHttp(clients, account, time), isCloud: isCloud);

    private static EventSource SourceOf(string? domain, Dictionary<string, string> fields)
    {
        var options = fields.ToDictionary(field => JiraSchema.FieldOption + field.Key, field => field.Value, StringComparer.Ordinal);
        if (domain is not null) options[JiraSchema.DomainOption] = domain;
        return new EventSource(JiraKind.KindName, JiraSchema.SchemaName, JiraSchema.Key, options);
    }

    private sealed record Known(JiraApi? Site, JiraApi? Levels, string? Project, long At)
    {
        public string? Secret { get; init; }

        public EventSource? Source { get; init; }

        public required JiraFields Fields { get; init; }

        public override string ToString() => Project ?? ""; // without the secret
    }
}

/// <param name="Address">What paths of the API are put behind.</param>
/// <param name="Authorization">The header's value.</param>
internal sealed record JiraAccount(Uri Address, string Authorization)
{
    public override string ToString() => Address.Host; // without the secret
}
