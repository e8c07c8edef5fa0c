using Agnes.Connectors.BigQuery;
using Agnes.Engine.Outbound;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>
/// The real BigQuery, where the environment names a project to bill (<c>AGNES_TEST_BIGQUERY_PROJECT</c>) and a key
/// (<c>GOOGLE_APPLICATION_CREDENTIALS</c>). Runs only when it is asked for by name (<c>-explicit on</c>).
/// </summary>
public sealed class LiveTests
{
    [Fact(Explicit = true)]
    public async Task The_real_BigQuery_answers_as_the_emulator_does()
    {
        var project = Environment.GetEnvironmentVariable("AGNES_TEST_BIGQUERY_PROJECT");
        var key = Environment.GetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS");
        project.ShouldNotBeNullOrEmpty("AGNES_TEST_BIGQUERY_PROJECT names the project that is billed");
        key.ShouldNotBeNullOrEmpty("GOOGLE_APPLICATION_CREDENTIALS names the key file");
        using var client = new BigQueryClient(
            new BigQueryConnection("live", project, project) { KeyFile = key }, Cloud.Guard, SettingOwner.Operator, TimeProvider.System);
        await Cloud.AskAsync(client);
        const string Sql =
            "SELECT 1 AS i, 1.5 AS f, NUMERIC '2.5' AS n, TIMESTAMP '2026-01-02 03:04:05.678+00' AS t, [1, 2] AS l, STRUCT('x' AS a) AS s, "
            + "CAST(NULL AS STRING) AS z";
        var statement = Cloud.Statement(Sql, bytes: 10 << 20);
        var answer = await client.RunAsync(statement, Cloud.Stop);
        var row = await Cloud.ReadAsync(answer);
        row.ShouldBe("1 | double:1.5 | decimal:2500000000/9 | timestamp:1767323045678000 | [1,2] | {\"a\":\"x\"} | null\n");
        (await client.RunAsync(statement, Cloud.Stop)).WasThere.ShouldBeTrue();
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => client.DryRunAsync("SELEC 1", [], StatementAuthor.Asker, Cloud.Stop));
        (failure.Kind, failure.Reason).ShouldBe(("bq_bad_request", "invalidQuery"));
    }
}
