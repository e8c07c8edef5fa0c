using System.Net;
using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>What BigQuery says becomes the contract's kinds; what is only for now is tried again, what is not is not.</summary>
public sealed class BigQueryFaultTests
{
    private const string Orders = "SELECT id FROM `data-project.sales.orders` ORDER BY id";

    public static TheoryData<string, StatementAuthor, string, int> Answers => new()
    {
        { "accessDenied", StatementAuthor.Asker, "bq_forbidden", 502 },
        { "billingNotEnabled", StatementAuthor.Asker, "bq_forbidden", 502 },
        { "serviceusage", StatementAuthor.Asker, "cross_project_forbidden", 502 },
        { "responseTooLarge", StatementAuthor.Asker, "bq_response_too_large", 400 },
        { "invalidQuery", StatementAuthor.Asker, "bq_bad_request", 400 },
        { "invalidQuery", StatementAuthor.Server, "bq_upstream_error", 502 },
        { "invalid", StatementAuthor.Asker, "bq_bad_request", 400 },
        { "resourcesExceeded", StatementAuthor.Asker, "bq_bad_request", 400 },
        { "bytesBilledLimitExceeded", StatementAuthor.Asker, "bq_bad_request", 400 },
        { "notFound", StatementAuthor.Asker, "bq_upstream_error", 502 },
        { "stopped", StatementAuthor.Asker, "bq_upstream_error", 502 },
        { "timeout", StatementAuthor.Asker, "bq_upstream_error", 502 },
        { "rateLimitExceeded", StatementAuthor.Asker, "bq_rate_limited", 502 },
        { "jobRateLimitExceeded", StatementAuthor.Asker, "bq_rate_limited", 502 },
        { "tooManyRequests", StatementAuthor.Asker, "bq_rate_limited", 502 },
        { "quotaExceeded", StatementAuthor.Asker, "bq_quota_exceeded", 502 },
        { "backendError", StatementAuthor.Asker, "bq_upstream_error", 502 },
        { "internalError", StatementAuthor.Asker, "bq_upstream_error", 502 },
        { "authError", StatementAuthor.Asker, "auth_failed", 502 },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_refused_call_is_of_the_contracts_kind(string reason, StatementAuthor author, string kind, int status)
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.JobsInsert, Trouble.Of(reason), times: 9);
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => cloud.Client().RunAsync(Cloud.Statement(Orders) with { Author = author }, Cloud.Stop));
        (failure.Kind, failure.Status).ShouldBe((kind, status));
        Shape(failure);
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_failed_job_is_of_the_same_kind(string reason, StatementAuthor author, string kind, int status)
    {
        if (reason is "authError" or "tooManyRequests" or "billingNotEnabled") return; // no job fails so
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.FailJobs(reason, times: 9);
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => cloud.Client().RunAsync(Cloud.Statement(Orders) with { Author = author }, Cloud.Stop));
        (failure.Kind, failure.Status).ShouldBe((kind, status));
        Shape(failure);
        cloud.Server.Jobs.Sum(job => job.BytesBilled).ShouldBe(0);
    }

    /// <summary>Details that the contract names; and a message that says nothing of other data.</summary>
    private static void Shape(BigQueryException failure)
    {
        failure.Message.ShouldNotContain("payroll");
        failure.Message.ShouldNotContain("secret");
        failure.Message.ShouldEndWith(
            failure.Kind == "bq_bad_request" && failure.Message.Contains("understand", StringComparison.Ordinal) ? "" : ".");
        switch (failure.Kind)
        {
            case "cross_project_forbidden":
                failure.Details.Keys.ShouldBe(["billing_project", "data_project", "hint"], ignoreOrder: true);
                failure.Details["billing_project"].ShouldBe(Cloud.Billing);
                break;
            case "bq_forbidden":
                failure.Details.Keys.ShouldBe(["billing_project", "data_project"], ignoreOrder: true);
                break;
            case "bq_response_too_large":
                failure.Details["original"].ShouldStartWith("Response too large");
                break;
            default:
                failure.Details.ShouldBeEmpty();
                break;
        }
    }

    [Theory]
    [InlineData("backendError")]
    [InlineData("internalError")]
    [InlineData("rateLimitExceeded")]
    [InlineData("quotaExceeded")]
    [InlineData("tooManyRequests")]
    public async Task A_call_that_fails_for_now_is_made_again(string reason)
    {
        await using var cloud = await Cloud.StartAsync();
        foreach (var call in (Call[])[Call.JobsInsert, Call.GetQueryResults, Call.JobsGet]) cloud.Server.Break(
            call, Trouble.Of(reason), times: 2);
        var answer = await cloud.Client().RunAsync(Cloud.Statement(Orders), Cloud.Stop);
        cloud.Server.Break(Call.GetQueryResults, Trouble.Of(reason), times: 2);
        (await Cloud.ReadAsync(answer)).ShouldBe("1\n2\n3\n4\n5\n6\n7\n");
        cloud.Server.Jobs.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("accessDenied")]
    [InlineData("invalidQuery")]
    [InlineData("notFound")]
    public async Task A_call_that_fails_for_good_is_made_once(string reason)
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.JobsInsert, Trouble.Of(reason));
        await Should.ThrowAsync<BigQueryException>(() => cloud.Client().RunAsync(Cloud.Statement(Orders), Cloud.Stop));
        cloud.Server.Count(Call.JobsInsert).ShouldBe(1);
        cloud.Server.Count(Call.JobsCancel).ShouldBe(0); // there is nothing to cancel
    }

    [Fact]
    public async Task Tries_have_an_end()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.DatasetsList, Trouble.Of("backendError"), times: 99);
        await Should.ThrowAsync<BigQueryException>(() => cloud.Client().ListAsync(new RemoteListing(null, null, null, 10), Cloud.Stop));
        cloud.Server.Count(Call.DatasetsList).ShouldBe(1 + new BigQueryLimits().RetriesMax);
    }

    [Fact]
    public async Task A_job_that_fails_at_BigQuery_runs_again_under_the_next_id_and_is_billed_once()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.FailJobs("backendError");
        var answer = await cloud.Client().RunAsync(Cloud.Statement(Orders, "again"), Cloud.Stop);
        answer.JobId.ShouldBe("again_2");
        cloud.Server.Jobs.Select(job => job.BytesBilled).ShouldBe([0L, 10 << 20]);

        // Whoever repeats it after a crash goes the same way.
        var repeated = await cloud.Client().RunAsync(Cloud.Statement(Orders, "again"), Cloud.Stop);
        (repeated.JobId, repeated.WasThere).ShouldBe(("again_2", true));
        cloud.Server.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_that_stalls_ends_with_its_time()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.TablesGet, new Trouble.Stall(), times: 9);
        var client = cloud.Client(
            connection =>
            connection with { Limits = connection.Limits with { CallTime = TimeSpan.FromSeconds(2), RetriesMax = 1 } });
        var failure = await Should.ThrowAsync<BigQueryException>(() => client.GetTableAsync("sales", "orders", Cloud.Stop));
        failure.Message.ShouldContain(" 2 seconds");
        cloud.Server.Count(Call.TablesGet).ShouldBe(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public async Task Half_an_answer_is_none(double share)
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.TablesGet, share == 0 ? new Trouble.Drop() : new Trouble.Cut(share), times: 2);
        (await cloud.Client().GetTableAsync("sales", "orders", Cloud.Stop)).ShouldNotBeNull();
        cloud.Server.Count(Call.TablesGet).ShouldBe(3);
    }

    [Fact]
    public async Task More_than_may_be_billed_is_refused_before_it_is_read()
    {
        await using var cloud = await Cloud.StartAsync();
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => cloud.Client().RunAsync(Cloud.Statement("SELECT * FROM `data-project.sales.huge`", bytes: 5L << 30), Cloud.Stop));
        (failure.Kind, failure.Reason).ShouldBe(("bq_bad_request", "bytesBilledLimitExceeded"));
        cloud.Server.Jobs.Sum(job => job.BytesBilled).ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_project_nothing_is_asked()
    {
        var failure = Should.Throw<BigQueryException>(
            () => new BigQueryClient(new BigQueryConnection("none", "", ""), Cloud.Guard, SettingOwner.Operator, TimeProvider.System));
        (failure.Kind, failure.Status).ShouldBe(("not_configured", 500));
        failure.Details.Keys.ShouldBe(["hint"]);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Where_admins_chose_the_address_it_leads_to_no_private_network()
    {
        await using var cloud = await Cloud.StartAsync();
        using var client = new BigQueryClient(cloud.Connection, Cloud.Guard, SettingOwner.Admins, TimeProvider.System);
        await Should.ThrowAsync<BigQueryException>(() => Cloud.AskAsync(client));
        cloud.Server.Calls.ShouldBeEmpty();
        IPAddress.IsLoopback(IPAddress.Parse(cloud.Server.Address.Host)).ShouldBeTrue();
    }
}
