using Agnes.Emulators.Keboola;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>A table that is read whole, in every form in which a stack writes and keeps an export.</summary>
public sealed class WholeTableTests
{
    [Fact]
    public async Task A_table_comes_with_the_types_that_its_metadata_says()
    {
        await using var project = await Project.OpenAsync();
        project.AddOrders(rows: 3);
        await project.MustAsync(Project.Table("orders"));
        project.Columns("orders").ShouldBe("id BIGINT, day DATE, amount DOUBLE, note VARCHAR");
        project.Rows("orders", "id, day::VARCHAR, amount, note")
            .ShouldBe("1|2026-02-02|1.5|note 1 2|2026-03-03|2.5|note 2 3|2026-04-04|3.5|note 3");
        project.Exports.Single().Body.ToJsonString().ShouldBe("{}");
        project.Exports.Single().Polls.ShouldBe(3);
        project.Checkpoints.ShouldBeEmpty();
    }

    public static TheoryData<Cloud, int?, bool, bool, bool> Forms
    {
        get
        {
            var forms = new TheoryData<Cloud, int?, bool, bool, bool>
            {
                { Cloud.S3, null, true, false, false },
                { Cloud.S3, null, false, false, false },
                { Cloud.Signed, null, true, false, true },
            };
            foreach (var cloud in Enum.GetValues<Cloud>())
            {
                forms.Add(cloud, 2, true, false, false);
                forms.Add(cloud, 2, true, true, false);
                forms.Add(cloud, 2, true, false, true);
            }

            forms.Add(Cloud.Gcs, 2, false, false, false);
            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Every_form_of_an_export_gives_the_same_rows(Cloud cloud, int? sliceRows, bool isPacked, bool hasHeader,
        bool isParquet)
    {
        await using var project = await Project.OpenAsync();
        var table = project.AddOrders(rows: 0);
        table.Import(DateTimeOffset.UtcNow.AddDays(-1),
            Enumerable.Range(1, 25).Select(id => (string?[])[$"{id}", "2026-01-02", "1", $"a \"b\",\nč {id}"]));
        project.Server.Form = new FileForm { Cloud = cloud, SliceRows = sliceRows, IsPacked = isPacked, HasHeaderInFirstSlice = hasHeader };
        await project.MustAsync(isParquet ? Project.Materialized("orders") : Project.Table("orders"));
        project.Columns("orders").ShouldBe("id BIGINT, day DATE, amount DOUBLE, note VARCHAR");
        var expected = string.Join(' ', Enumerable.Range(1, 25).Select(id => $"{id}|2026-01-02|1|a \"b\",\nč {id}"));
        project.Rows("orders", "id, day::VARCHAR, amount, note").ShouldBe(expected);
        if (sliceRows is not null) project.Server.Stores.Fetched.Count(fetched => fetched.Cloud == cloud && fetched.Name != "manifest")
            .ShouldBe(13);

        // The token goes to the API, a bearer to Google, and neither anywhere else.
        foreach (var call in project.Server.Calls)
        {
            call.HasToken.ShouldBe(call.Path.StartsWith("/v2/", StringComparison.Ordinal), call.Path);
            call.HasBearer.ShouldBe(call.Path.StartsWith("/storage/v1/", StringComparison.Ordinal), call.Path);
        }
    }
}
