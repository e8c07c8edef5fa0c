using Agnes.Connectors.Keboola;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>
/// A real project, where the environment names a stack (<c>AGNES_TEST_KEBOOLA_URL</c>), a Storage token (<c>AGNES_TEST_KEBOOLA_TOKEN</c>)
/// and
/// a table of it with a key and at least one row (<c>AGNES_TEST_KEBOOLA_TABLE</c>, such as <c>in.c-crm.deals</c>). Runs only when it is
/// asked for by name (<c>-explicit on</c>).
/// </summary>
public sealed class LiveTests
{
    [Fact(Explicit = true)]
    public async Task A_real_project_gives_its_table_as_the_emulator_does()
    {
        string Given(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value : throw new InvalidOperationException($"{name} is not set.");
        await using var project = await Project.OpenAsync();
        project.Options[KeboolaSettings.StackOption] = Given("AGNES_TEST_KEBOOLA_URL");
        project.Options[KeboolaSettings.TokenOption] = Given("AGNES_TEST_KEBOOLA_TOKEN");
        foreach (var name in (string[])[KeboolaSettings.S3Option, KeboolaSettings.GcsOption, KeboolaSettings.CallTimeOption,
            KeboolaSettings.PauseOption, KeboolaSettings.SliceTimeOption])
            project.Options.Remove(name);
        project.Options[KeboolaSettings.PollOption] = "2";
        var id = Given("AGNES_TEST_KEBOOLA_TABLE");
        var cut = id.LastIndexOf('.');
        await project.MustAsync(Whole("local", "{}"), Whole("materialized", "{}") with { Name = "as_parquet" });
        project.Count("live").ShouldBeGreaterThan(0);
        project.Count("as_parquet").ShouldBe(project.Count("live"));
        project.Columns("as_parquet").ShouldBe(project.Columns("live"));
        project.Rows("as_parquet").ShouldBe(project.Rows("live"), "CSV and Parquet say the same");

        await project.MustAsync(Whole("local", """{"sync_strategy":"incremental"}"""));
        var before = project.Rows("live");
        await project.MustAsync(Whole("local", """{"sync_strategy":"incremental"}"""));
        project.Rows("live").ShouldBe(before);

        Engine.Extracts.TableConfig Whole(string mode, string settings) =>
            Project.Table("live", settings, mode) with { Bucket = id[..cut], SourceTable = id[(cut + 1)..] };
    }
}
