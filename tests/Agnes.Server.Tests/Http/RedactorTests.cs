using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Testing;

namespace Agnes.Server.Tests.Http;

public sealed class RedactorTests
{
    [Theory]
    [InlineData("Authorization: Bearer abcdef123456", "abcdef123456")]
    [InlineData("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl was refused", "eyJzdWIiOiJ4In0")]
    [InlineData("Cookie: access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.sig; path=/", "eyJhbGci")]
    [InlineData("cannot reach https://user:hunter2@example.com/x", "hunter2")]
    [InlineData("cannot reach https://hunter2@example.com/x", "hunter2")]
    [InlineData("cannot reach https://ana:one?two#hunter2@example.com/x", "hunter2")]
    [InlineData("password=one;hunter2", "hunter2")]
    [InlineData("Host=db;Username=a;Password=hunter2;Database=x", "hunter2")]
    [InlineData("""{"password": "hunter2"}""", "hunter2")]
    [InlineData("KEBOOLA_STORAGE_TOKEN=1234-5678-hunter2", "hunter2")]
    [InlineData("api_key: hunter2", "hunter2")]
    [InlineData("GET /auth/password/reset?email=a&token=hunter2", "hunter2")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "hunter2")]
    public void Secrets_do_not_survive(string text, string secret)
    {
        var redacted = Redactor.Redact(text);
        redacted.ShouldNotContain(secret);
        redacted.ShouldContain("***");
        Redactor.Redact(redacted).ShouldBe(redacted);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM orders WHERE day = '2026-01-01'")]
    [InlineData("Now listening on: http://127.0.0.1:8000")]
    [InlineData("The token was revoked.")]
    [InlineData("ana@example.com signed in")]
    public void What_is_no_secret_stays(string text) => Redactor.Redact(text).ShouldBe(text);

    [Fact]
    public void Values_of_secret_keys_are_masked_at_any_depth()
    {
        var masked = Redactor.MaskValues(JsonNode.Parse("""{"a":1,"list":[{"password":"hunter2"}],"client_secret":" ","Token":{"x":1}}"""))!;
        masked.ToJsonString().ShouldBe("""{"a":1,"list":[{"password":"***"}],"client_secret":"\u003Cempty\u003E","Token":"***"}""");
    }

    [Fact]
    public void A_long_hostile_text_is_redacted_in_no_time()
    {
        var text = string.Concat(Enumerable.Repeat("password password= token://a@b://eyJeyJ-----BEGIN PRIVATE KEY-----", 4_000))
            + string.Concat(Enumerable.Repeat("eyJaaaa-", 40_000));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Redactor.Redact(text);
        watch.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(5)));
    }
}
