using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>What a broker asks of BigQuery: nothing that the dry run says reads other tables than the question's.</summary>
public sealed class BigQueryTablesTests
{
    private const string Orders = "data-project.sales.orders";
    private const string Cheap = "data-project.sales.cheap";

    [Theory]
    [InlineData("SELECT id FROM `data-project.sales.orders`", Orders, true)]
    [InlineData("SELECT id FROM `data-project.sales.cheap`", Cheap, true)] // a view, which reads orders
    [InlineData("SELECT id FROM `data-project.sales.outside`", Orders, false)]
    [InlineData("SELECT o.id FROM `data-project.sales.orders` AS o, `data-project.sales.outside` AS p", Orders, false)]
    [InlineData("SELECT o.id FROM `data-project.sales.cheap` AS o, `data-project.sales.outside` AS p", Cheap, false)]
    public async Task A_question_reads_its_tables_and_what_its_views_read(string sql, string relation, bool isAsked)
    {
        await using var cloud = await Cloud.StartAsync();
        var tables = Open(cloud);
        var question = new RemoteQuestion(sql, [new RemoteTable("t", relation)], 100, 1L << 20)
        {
            Dialect = SqlDialect.BigQuery,
            OnceAs = "agnes_once",
        };
        using var folder = new TemporaryFolder();
        var answer = tables.AnswerAsync(question, Path.Combine(folder.Path, "answer"), Cloud.Stop);
        if (isAsked)
        {
            await answer;
            AnswerFiles.In(Path.Combine(folder.Path, "answer")).ShouldHaveSingleItem();
            cloud.Server.Jobs.ShouldHaveSingleItem().Id.ShouldBe("agnes_once");
            return;
        }

        var refused = await Should.ThrowAsync<RemoteException>(() => answer);
        (refused.Fault, refused.Failure!.Kind).ShouldBe((RemoteFault.Question, "bq_bad_request"));
        refused.Message.ShouldNotContain("outside");
        cloud.Server.Jobs.ShouldBeEmpty();
    }

    private static IRemoteTables Open(Cloud cloud) => BigQueryTables.Engine.Open(new RemoteOpening(
        "warehouse",
        new Dictionary<string, string>
        {
            ["project"] = Cloud.Data,
            ["billing_project"] = Cloud.Billing,
            ["key"] = cloud.Connection.KeyJson!,
            [BigQuerySettings.ServiceOption] = cloud.Server.Address.AbsoluteUri,
            [BigQuerySettings.TokenServiceOption] = new Uri(cloud.Server.Address, "/token").AbsoluteUri,
            [BigQuerySettings.MetadataServiceOption] = cloud.Server.Address.AbsoluteUri,
        },
        Cloud.Guard));
}
