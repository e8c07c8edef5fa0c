using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.BigQuery;

public sealed class BigQueryCredentialTests
{
    private const string Marker = "MARKER-of-a-secret";

    [Fact]
    public async Task A_service_accounts_key_is_exchanged_for_a_token_once()
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client();
        await Cloud.AskAsync(client);
        await Cloud.AskAsync(client);
        cloud.Server.Tokens.Grants.ShouldBe(["assertion"]);
    }

    [Fact]
    public async Task Many_questions_at_once_ask_for_one_token()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.Token, new Trouble.Delay(TimeSpan.FromMilliseconds(200)));
        var client = cloud.Client();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetTableAsync("sales", "orders", Cloud.Stop)));
        cloud.Server.Tokens.Grants.ShouldBe(["assertion"]);
    }

    [Fact]
    public async Task A_token_is_renewed_a_minute_before_its_end_and_not_kept_when_it_is_shorter()
    {
        var time = new SetTime();
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Tokens.Lifetime = TimeSpan.FromSeconds(600);
        var client = cloud.Client(time: time);
        await client.GetTableAsync("sales", "orders", Cloud.Stop);
        time.Now += TimeSpan.FromSeconds(539);
        await client.GetTableAsync("sales", "orders", Cloud.Stop);
        cloud.Server.Tokens.Grants.Count.ShouldBe(1);
        time.Now += TimeSpan.FromSeconds(2);
        cloud.Server.Tokens.Lifetime = TimeSpan.FromSeconds(60);
        await client.GetTableAsync("sales", "orders", Cloud.Stop);
        await client.GetTableAsync("sales", "orders", Cloud.Stop);
        cloud.Server.Tokens.Grants.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_token_that_was_taken_back_is_replaced_and_the_call_made_again()
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client();
        await client.GetTableAsync("sales", "orders", Cloud.Stop);
        cloud.Server.Tokens.RevokeAll();
        (await client.GetTableAsync("sales", "orders", Cloud.Stop)).ShouldNotBeNull();
        cloud.Server.Tokens.Grants.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Without_a_key_the_machines_own_credentials_are_used()
    {
        await using var cloud = await Cloud.StartAsync();
        await Cloud.AskAsync(cloud.Client(connection => connection with { KeyJson = null }));
        cloud.Server.Tokens.Grants.ShouldBe(["metadata"]);
    }

    [Fact]
    public async Task Without_a_metadata_server_the_default_credentials_are_used()
    {
        using var folder = new TemporaryFolder();
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Tokens.HasMetadata = false;
        await File.WriteAllTextAsync(folder["adc.json"], TokenEndpoints.PersonFile(), Cloud.Stop);
        await Cloud.AskAsync(cloud.Client(connection => connection with { KeyJson = null, DefaultKeyFile = folder["adc.json"] }));
        cloud.Server.Tokens.Grants.ShouldBe(["refresh"]);
    }

    [Fact]
    public async Task A_metadata_server_that_stalls_is_left_for_the_default_credentials()
    {
        using var folder = new TemporaryFolder();
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.Metadata, new Trouble.Stall());
        await File.WriteAllTextAsync(folder["adc.json"], cloud.Connection.KeyJson, Cloud.Stop);
        await Cloud.AskAsync(cloud.Client(connection => connection with { KeyJson = null, DefaultKeyFile = folder["adc.json"] }));
        cloud.Server.Tokens.Grants.ShouldBe(["assertion"]);
    }

    [Fact]
    public async Task Neither_is_said_with_both_reasons()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Tokens.HasMetadata = false;
        var client = cloud.Client(connection => connection with { KeyJson = null, DefaultKeyFile = "/nowhere/adc.json" });
        var failure = await Should.ThrowAsync<BigQueryException>(() => Cloud.AskAsync(client));
        failure.Kind.ShouldBe("auth_failed");
        failure.Message.ShouldContain("metadata server");
        failure.Message.ShouldContain("adc.json");
        failure.Message.ShouldNotContain("/nowhere");
    }

    [Theory]
    [InlineData("not json MARKER-of-a-secret", "no JSON")]
    [InlineData(
        "{\"type\":\"service_account\",\"client_email\":\"a@example.com\",\"private_key\":\"MARKER-of-a-secret\"}", "no private key")]
    [InlineData("{\"type\":\"service_account\",\"client_email\":\"a@example.com\"}", "no private key")]
    [InlineData(
        "{\"type\":\"external_account\",\"credential_source\":{\"executable\":{\"command\":\"MARKER-of-a-secret\"}}}", "other types")]
    [InlineData("{\"type\":\"MARKER-of-a-secret\"}", "other types")]
    [InlineData("null", "empty")]
    [InlineData("", "no JSON")]
    public async Task A_bad_key_file_is_said_and_nothing_of_its_content(string content, string said)
    {
        using var folder = new TemporaryFolder();
        await using var cloud = await Cloud.StartAsync();
        await File.WriteAllTextAsync(folder["key.json"], content, Cloud.Stop);
        var client = cloud.Client(connection => connection with { KeyJson = null, KeyFile = folder["key.json"] });
        var failure = await Should.ThrowAsync<BigQueryException>(() => Cloud.AskAsync(client));
        failure.Kind.ShouldBe("auth_failed");
        failure.Message.ShouldContain(said);
        failure.ToString().ShouldNotContain(Marker);
        cloud.Server.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_accounts_key_is_refused_by_the_issuer_and_said()
    {
        await using var cloud = await Cloud.StartAsync();
        using var other = TokenOfAnother.Key();
        var client = cloud.Client(connection => connection with { KeyJson = TokenOfAnother.File(other) });
        var failure = await Should.ThrowAsync<BigQueryException>(() => Cloud.AskAsync(client));
        failure.Message.ShouldContain("invalid_grant");
        cloud.Server.Tokens.Grants.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_file_cannot_say_where_tokens_are_asked_for()
    {
        await using var cloud = await Cloud.StartAsync();
        await using var other = await Cloud.StartAsync();
        var led = cloud.Connection.KeyJson!.Replace(
            cloud.Server.Address.Authority, other.Server.Address.Authority, StringComparison.Ordinal);
        await Cloud.AskAsync(cloud.Client(connection => connection with { KeyJson = led }));
        other.Server.Calls.ShouldBeEmpty();
    }

    [Fact]
    public void A_connection_shows_no_key()
    {
        new BigQueryConnection("c", "billing", "data") { KeyJson = Marker }.ToString().ShouldNotContain(Marker);
    }

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private static class TokenOfAnother
    {
        public static System.Security.Cryptography.RSA Key() => System.Security.Cryptography.RSA.Create(2048);

        public static string File(System.Security.Cryptography.RSA key) => new System.Text.Json.Nodes.JsonObject
        {
            ["type"] = "service_account",
            ["client_email"] = TokenEndpoints.Email,
            ["private_key_id"] = "another",
            ["private_key"] = key.ExportPkcs8PrivateKeyPem(),
        }.ToJsonString();
    }
}
