using Agnes.Connectors.Attached;

namespace Agnes.Connectors.Tests.Attached;

/// <summary>What another program's extract may have attached, and where a token may go.</summary>
public sealed class AttachPolicyTests
{
    private const string Url = "https://connection.example.com";

    private static readonly AttachPolicy Policy = new(
        ["keboola", "bigquery"],
        new Dictionary<string, string?> { ["KBC_TOKEN"] = "it's secret", ["KBC_STORAGE_TOKEN"] = null },
        [Url]);

    [Theory]
    [InlineData("kbc", "keboola", Url, "KBC_TOKEN", null)]
    [InlineData("kbc", "keboola", Url + "/", "", null)]
    [InlineData("kbc; DROP", "keboola", Url, "", "alias")]
    [InlineData("extract", "keboola", Url, "", "alias")]
    [InlineData("temp", "keboola", Url, "", "alias")]
    [InlineData("kbc", "httpfs", Url, "", "extension is not allowed")]
    [InlineData("kbc", "Keboola", Url, "", "extension is not allowed")]
    [InlineData("bq", "bigquery", Url, "", "source_type bigquery")]
    [InlineData("kbc", "keboola", Url, "JWT_SECRET_KEY", "variable of its token is not allowed")]
    [InlineData("kbc", "keboola", Url, "kbc_token", "variable of its token is not allowed")]
    [InlineData("kbc", "keboola", Url, "KBC_STORAGE_TOKEN", "KBC_STORAGE_TOKEN is not set")]
    [InlineData("kbc", "keboola", "https://connection.example.com.attacker.example", "KBC_TOKEN", "AGNES_REMOTE_ATTACH_URLS")]
    [InlineData("kbc", "keboola", "https://CONNECTION.example.com", "KBC_TOKEN", "AGNES_REMOTE_ATTACH_URLS")]
    public void A_row_is_attached_only_where_every_list_allows_it(string alias, string extension, string url, string variable, string? refused)
    {
        var refusal = Policy.Refusal(new Attachment(alias, extension, url, variable));
        if (refused is null) refusal.ShouldBeNull();
        else refusal.ShouldNotBeNull().ShouldContain(refused);
    }

    [Fact]
    public void A_token_goes_with_the_statement_and_quotes_are_doubled()
    {
        Policy.Statement(new Attachment("kbc", "keboola", Url, "KBC_TOKEN"))
            .ShouldBe($"ATTACH '{Url}' AS \"kbc\" (TYPE 'keboola', TOKEN 'it''s secret')");
        Policy.Statement(new Attachment("kbc", "keboola", "it's", "")).ShouldContain("ATTACH 'it''s' AS");
    }
}
