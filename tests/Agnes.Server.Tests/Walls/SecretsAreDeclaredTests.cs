using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Features.Configuration;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>Every secret has a destination, or a reason why it has none.</summary>
public sealed partial class SecretsAreDeclaredTests
{
    [Fact]
    public void Every_secret_that_is_read_or_can_be_edited_says_where_it_is_sent()
    {
        foreach (var credential in SettingList.All.Credentials)
        {
            (credential.Destination.Length > 0).ShouldBe(credential.NoDestination is null, credential.Name);
            credential.Secrets.ShouldNotBeEmpty(credential.Name);
            foreach (var key in credential.Destination.Select(field => field.Key).OfType<string>()) SettingList.All.IsSecretKey(key).ShouldBeFalse($"{key}: what admins stored must not fill a destination in the operator's file");
        }

        var all = SettingList.All.Credentials.SelectMany(credential => credential.Fields).SelectMany(field => field.Variables.Append(field.Key).OfType<string>()).ToList();
        all.ShouldBeUnique();

        var variables = Sources().SelectMany(text => Variable().Matches(text)).Select(match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal).ToList();
        variables.Count.ShouldBeGreaterThan(10);
        variables.Remove("YOUR_TOKEN").ShouldBeTrue("a placeholder in examples");
        variables.Where(name => SettingList.All.CredentialOf(name) is null).ShouldBeEmpty("declare where it is sent");

        var keys = Secrets(KnownFields.Of(SettingList.All, new SourceKinds(SourceList.All)), "").ToList();
        keys.Count.ShouldBeGreaterThan(3);
        keys.Where(key => SettingList.All.CredentialOf(key) is null).ShouldBeEmpty("declare where it is sent");
    }

    [Fact]
    public void A_secret_that_is_not_declared_or_is_read_by_another_way_is_not_read_at_all()
    {
        using var folder = new TemporaryFolder();
        var layers = SettingLayers.Open(SettingList.All, folder["none"], folder.Path, _ => "x");
        Should.Throw<InvalidOperationException>(() => layers.Find("ELSEWHERE_API_TOKEN")).Message.ShouldContain("declare");
        foreach (var path in (string[])["email.smtp_password", "email.smtp_host", "ai.base_url", "theme.some_token"]) Should.Throw<InvalidOperationException>(() => layers.Instance.Text(path), path);
    }

    /// <summary>Whatever the product reads, and whatever the machine's libraries would: what nobody declared, and every path, is not the admins'.</summary>
    [Fact]
    public void Only_what_is_declared_can_be_stored_and_no_path_on_the_server_is()
    {
        var read = Sources().SelectMany(text => AnyVariable().Matches(text)).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        read.ShouldContain("SMTP_CA_FILE");
        string[] libraries = ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "ALL_PROXY", "TMPDIR", "PATH", "KRB5_CONFIG", "ANYTHING", "AGNES_MARKETPLACE_X_FILE"];
        SettingList.All.Storable.ShouldAllBe(name => SettingList.All.CredentialOf(name) != null || SettingList.All.Find(name)!.Key != null);
        foreach (var name in read.Concat(libraries).Where(name => !SettingList.All.Storable.Contains(name) || IsPath().IsMatch(name))) SettingList.All.MayBeStored(name).ShouldBeFalse(name);
        foreach (var name in (string[])["GOOGLE_APPLICATION_CREDENTIALS", "AGNES_PASSWORD_BLOCKLIST", "AGNES_RELEASE_KEY_FILE", "SMTP_CA_FILE"]) SettingList.All.IsOperators(name).ShouldBeTrue(name);
        SettingList.All.MayBeStored("AGNES_MARKETPLACE_ACME_AI_TOKEN").ShouldBeTrue();
    }

    /// <summary>Texts of the server, the engine and the connectors.</summary>
    private static IEnumerable<string> Sources()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Agnes.slnx"))) root = root.Parent;
        return ((string[])["Agnes.Server", "Agnes.Engine", "Agnes.Connectors"]).SelectMany(project => Directory.EnumerateFiles(Path.Combine(root.FullName, "src", project), "*.cs", SearchOption.AllDirectories)).Select(File.ReadAllText);
    }

    private static IEnumerable<string> Secrets(JsonObject fields, string path)
    {
        foreach (var (key, field) in fields)
        {
            var here = path.Length == 0 ? key : $"{path}.{key}";
            if (field is JsonObject inner && inner["kind"] is null) foreach (var below in Secrets(inner, here)) yield return below;
            else if (field!["fields"] is JsonObject more) foreach (var below in Secrets(more, here)) yield return below;
            else if (field["kind"]!.GetValue<string>() == "secret" || SettingList.All.IsSecretKey(here)) yield return here;
        }
    }

    [GeneratedRegex("\"(?<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex AnyVariable();

    [GeneratedRegex("_(FILE|PATH|DIR|FOLDER|BLOCKLIST)$|CERT|APPLICATION_CREDENTIALS", RegexOptions.ExplicitCapture)]
    private static partial Regex IsPath();

    [GeneratedRegex("""
        "(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]*(?:SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|API_KEY|SECRET_KEY)[A-Z0-9_]*|[A-Z0-9]+(?:_[A-Z0-9]+)*_KEY)"
        """, RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();
}
