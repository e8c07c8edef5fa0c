using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>
/// The emulator and the client were written together. What holds both to the documentation is one set of bodies, written by its pages.
/// </summary>
public sealed class DocumentedTests
{
    private const string Sql = "SELECT id, tags, home FROM `data-project.sales.orders`";

    [Fact]
    public async Task The_emulator_answers_as_documented()
    {
        await using var cloud = await Cloud.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(cloud.Server.Address, "/bigquery/v2/projects/") };
        var token = await SendAsync(http, "/computeMetadata/v1/instance/service-accounts/default/token", null, "Google");
        ShouldBeAlike(token, "token.json");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string?)token["access_token"]);

        cloud.Server.HoldJobs();
        await SendAsync(http, "billing-project/jobs", Job("job-1", Sql));
        ShouldBeAlike(await SendAsync(http, "billing-project/queries/job-1?location=EU&timeoutMs=0"), "query-running.json");
        cloud.Server.ReleaseJobs();
        ShouldBeAlike(await SendAsync(http, "billing-project/queries/job-1?location=EU&maxResults=2"), "query-results.json");
        ShouldBeAlike(await SendAsync(http, "billing-project/jobs/job-1?location=EU"), "job-done.json");

        cloud.Server.FailJobs("resourcesExceeded");
        await SendAsync(http, "billing-project/jobs", Job("job-2", Sql));
        await SendAsync(http, "billing-project/queries/job-2?location=EU");
        ShouldBeAlike(await SendAsync(http, "billing-project/jobs/job-2?location=EU"), "job-failed.json");

        ShouldBeAlike(await SendAsync(http, "billing-project/jobs", DryRun()), "dry-run.json");
        ShouldBeAlike(await SendAsync(http, "data-project/datasets?maxResults=1"), "dataset-list.json");
        ShouldBeAlike(await SendAsync(http, "data-project/datasets/sales/tables?maxResults=1"), "table-list.json");
        ShouldBeAlike(await SendAsync(http, "data-project/datasets/sales/tables/orders"), "table.json");
        cloud.Server.Break(Call.TablesGet, Trouble.Of("accessDenied"));
        ShouldBeAlike(await SendAsync(http, "data-project/datasets/sales/tables/orders"), "error.json");
    }

    [Fact]
    public void Our_client_understands_what_is_documented()
    {
        var job = Read("job-done.json", BigQueryJson.Default.JobMessage);
        (job.Statistics!.Query!.TotalBytesBilled, job.Status!.State, job.JobReference!.Location).ShouldBe((10485760L, "DONE", "EU"));
        job.Statistics.Query.ReferencedTables!.ShouldHaveSingleItem().ToString().ShouldBe("data-project.sales.orders");
        Read("job-failed.json", BigQueryJson.Default.JobMessage).Status!.ErrorResult!.Reason.ShouldBe("resourcesExceeded");
        var dry = Read("dry-run.json", BigQueryJson.Default.JobMessage);
        (dry.Statistics!.TotalBytesProcessed, dry.Statistics.Query!.StatementType).ShouldBe((56L, "SELECT"));
        BigQueryField.From(dry.Statistics.Query.Schema).ShouldHaveSingleItem().EngineType.ShouldBe("BIGINT");
        var datasets = Read("dataset-list.json", BigQueryJson.Default.DatasetList);
        (datasets.NextPageToken, datasets.Datasets![0].DatasetReference.DatasetId).ShouldBe(("sales", "empty"));
        Read("table-list.json", BigQueryJson.Default.TableList).Tables![0].Type.ShouldBe("VIEW");
        var table = BigQueryTable.From(Read("table.json", BigQueryJson.Default.TableMessage));
        (table.Rows, table.Bytes, table.PartitionedBy, table.ClusteredBy.Single()).ShouldBe((7L, 581L, "day", "name"));
        Read("error.json", BigQueryJson.Default.ErrorAnswer).Error!.Errors![0].Reason.ShouldBe("accessDenied");
        Read("query-running.json", BigQueryJson.Default.ResultHead).JobComplete.ShouldBeFalse();
        Read("query-results.json", BigQueryJson.Default.ResultHead).TotalRows.ShouldBe(7);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task A_page_is_understood_however_it_is_cut_and_ordered(int step)
    {
        var fields = BigQueryField.From(Read("query-results.json", BigQueryJson.Default.ResultHead).Schema);
        var page = JsonNode.Parse(Text("query-results.json"))!.AsObject();
        var reversed = new JsonObject(page.Reverse().Select(property => KeyValuePair.Create(property.Key, property.Value?.DeepClone())));
        foreach (
            var body in (string[])[page.ToJsonString(), page.ToJsonString(new JsonSerializerOptions { WriteIndented = true }),
            reversed.ToJsonString()])
        {
            var rows = new TextRows();
            using var decoder = new RowDecoder(fields, rows);
            using var reader = new PageReader(1 << 20);
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(body));
            await reader.ReadAsync(buffer => stream.ReadAsync(buffer[..Math.Min(step, buffer.Length)], Cloud.Stop), decoder.Row);
            rows.ToString().ShouldBe("2 | [\"a\",\"b\"] | {\"city\":\"c2\",\"zip\":20}\n");
            (reader.PageToken, reader.IsComplete, reader.Rows).ShouldBe(((string?)page["pageToken"], true, 1L));
        }
    }

    [Fact]
    public async Task A_row_that_is_too_large_is_refused_before_it_fills_the_memory()
    {
        using var reader = new PageReader(1 << 20);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes($"{{\"rows\":[{{\"f\":[{{\"v\":\"{new string('x', 3 << 20)}\"}}]}}]}}"));
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => reader.ReadAsync(buffer => stream.ReadAsync(buffer, Cloud.Stop), _ => { }));
        failure.Message.ShouldContain("1 MiB");
        stream.Position.ShouldBeLessThan(2 << 20);
    }

    /// <summary>The same properties of the same kinds, on both sides.</summary>
    private static void ShouldBeAlike(JsonNode answer, string documented)
    {
        // Names and numbers of the caller's.
        string[] free = [".configuration.labels.", ".schema.fields", ".rows", "nextPageToken", "pageToken"];
        IEnumerable<string> Of(JsonNode? node) =>
            Paths(node, "").Where(path => !free.Any(one => path.Contains(one, StringComparison.Ordinal))).Distinct()
            .Order(StringComparer.Ordinal);
        Of(answer).ShouldBe(Of(JsonNode.Parse(Text(documented))), documented);
    }

    private static IEnumerable<string> Paths(JsonNode? node, string path) => node switch
    {
        JsonObject whole => whole.SelectMany(property => Paths(property.Value, $"{path}.{property.Key}")),
        JsonArray list => list.SelectMany(item => Paths(item, path)),
        _ => [$"{path} {node?.GetValueKind()}".Replace("True", "Bool", StringComparison.Ordinal)
            .Replace("False", "Bool", StringComparison.Ordinal)],
    };

    private static JsonObject Job(string id, string sql) => new()
    {
        ["jobReference"] = new JsonObject { ["projectId"] = "billing-project", ["jobId"] = id, ["location"] = "EU" },
        ["configuration"] = new JsonObject
        {
            ["query"] = new JsonObject { ["query"] = sql, ["useLegacySql"] = false, ["maximumBytesBilled"] = "1073741824" },
            ["labels"] = new JsonObject { ["application"] = "agnes" },
        },
    };

    private static JsonObject DryRun() => new()
    {
        ["configuration"] = new JsonObject
        {
            ["query"] = new JsonObject { ["query"] = Sql, ["useLegacySql"] = false, ["useQueryCache"] = false },
            ["dryRun"] = true,
            ["labels"] = new JsonObject { ["application"] = "agnes" },
        },
    };

    private static async Task<JsonNode> SendAsync(HttpClient http, string path, JsonObject? body = null, string? flavor = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path);
        if (flavor is not null) request.Headers.Add("Metadata-Flavor", flavor);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request, Cloud.Stop);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cloud.Stop))!;
    }

    private static T Read<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(Text(name), type)!;

    private static string Text(string name)
    {
        using var stream = typeof(DocumentedTests).Assembly.GetManifestResourceStream($"bigquery/{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
