using System.Diagnostics;
using Agnes.Connectors.Keboola;
using Agnes.Emulators.Keboola;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>
/// Whatever goes wrong at whichever step: what helps is tried again, what does not fails the table with a sentence, nothing half is
/// published, the next run is clean, and nobody is told the token.
/// </summary>
public sealed class FaultTests
{
    private const int LastingCount = 500;
    private static readonly Trouble Stall = new() { Stalls = true };
    private static readonly Trouble Half = new() { BreaksOff = true };

    [Fact]
    public async Task What_passes_is_tried_again_at_each_step_and_the_table_comes()
    {
        await using var project = await OpenAsync();
        foreach (var step in Enum.GetValues<Step>().Where(step => step != Step.List))
            project.Server.Break(step, Of("429"), Of("500"), Half, Of("503"), Stall);
        await project.MustAsync(Project.Table("orders"));
        project.Server.IsMended.ShouldBeTrue();
        project.Count("orders").ShouldBe(10);
        foreach (var step in (Step[])[Step.Table, Step.Export, Step.Job, Step.File])
        {
            var waits = project.Server.Waits.Where(wait => wait.Step == step).ToList();
            waits.Count.ShouldBe(2, $"{step}: 429 and 503 say when to come again");
            waits.ShouldAllBe(wait => wait.Waited >= wait.Asked - TimeSpan.FromMilliseconds(50), $"{step}");
        }

        ShouldNotTell(project, []);
    }

    public static TheoryData<Step, string> Lasting => new()
    {
        { Step.Table, "500 html empty" }, { Step.Export, "400 503 empty" }, { Step.Job, "500 empty" },
        { Step.File, "400 empty" }, { Step.Manifest, "404 html empty" }, { Step.Slice, "500 404 cut" },
    };

    [Theory]
    [MemberData(nameof(Lasting))]
    public async Task What_lasts_fails_the_table_which_keeps_its_version_and_the_next_run_is_clean(Step step, string troubles)
    {
        await using var project = await OpenAsync();
        project.AddOrders("other");
        await project.MustAsync(Project.Table("orders"), Project.Table("other"));
        var rows = 10;
        foreach (var trouble in troubles.Split(' '))
        {
            var before = project.Of("orders").Parts.Single().Sha256;
            project.Find("orders").Import(DateTimeOffset.UtcNow, [$"{66 + ++rows}", "2026-01-01", "1", "new"]);

            project.Server.Break(step, [.. Enumerable.Repeat(Of(trouble) with { RetryAfterSeconds = null }, LastingCount)]);
            var outcome = await project.RunAsync(Project.Table("orders"), Project.Table("other"));
            project.Server.Mend();
            outcome.Failed.ShouldNotBeEmpty(trouble);
            var failed = outcome.Failed[0];
            failed.Error.ShouldContain("Keboola", Case.Insensitive, trouble);
            failed.Error.Length.ShouldBeInRange(20, 600, trouble);
            ShouldNotTell(project, outcome.Failed);
            if (outcome.Failed.Any(table => table.Name == "orders")) project.Of("orders").Parts.Single()
                .Sha256.ShouldBe(before, "the last good version stays");

            (await project.RunAsync(Project.Table("orders"), Project.Table("other"))).Failed.ShouldBeEmpty(trouble);
            project.Count("orders").ShouldBe(rows, trouble);
            project.Checkpoints.ShouldBeEmpty(trouble);
        }
    }

    [Theory]
    [InlineData(Cloud.Signed, Traits = ["Runs", "long"])]
    [InlineData(Cloud.S3)]
    [InlineData(Cloud.Gcs, Traits = ["Runs", "long"])]
    [InlineData(Cloud.Azure, Traits = ["Runs", "long"])]
    public async Task Credentials_that_run_out_are_asked_for_again_and_a_download_goes_on_where_it_broke_off(Cloud cloud)
    {
        await using var project = await OpenAsync(cloud);
        project.Server.Stores.ExpiresWhenUsed = true;
        await project.MustAsync(Project.Table("orders"));
        project.Count("orders").ShouldBe(10);
        project.Server.Calls.Count(call => call.Path.StartsWith("/v2/storage/files/", StringComparison.Ordinal)).ShouldBe(2);

        project.Server.Stores.Fetched.Clear();
        project.Server.Break(Step.Slice, Half, Half);
        await project.MustAsync(Project.Table("orders"));
        project.Count("orders").ShouldBe(10);
        project.Server.Stores.Fetched.Count(fetched => fetched.Range is not null).ShouldBe(2, "the rest alone was asked for");
    }

    [Fact]
    public async Task A_file_that_is_cut_off_is_found_out_by_its_size_its_packing_or_its_rows()
    {
        await using var project = await OpenAsync();
        async Task<string> ErrorAsync(FileForm form, bool saysSize, bool saysRows)
        {
            project.Server.Form = form;
            (project.Server.Stores.SaysSize, project.Server.Jobs.SaysRows) = (saysSize, saysRows);
            project.Server.Break(Step.Slice, new Trouble { IsCutOff = true });
            return (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error;
        }

        (await ErrorAsync(new FileForm { IsPacked = false }, saysSize: true, saysRows: false)).ShouldContain("bytes");
        (await ErrorAsync(new FileForm(), saysSize: false, saysRows: true)).ShouldContain("cannot be unpacked");
        (await ErrorAsync(new FileForm { IsPacked = false, SliceRows = 4 }, saysSize: false, saysRows: true))
            .ShouldContain("exported 10 rows, and its file has");
        project.Server.Stores.SaysSize = true;
        await project.MustAsync(Project.Table("orders"));
    }

    [Fact]
    [Long]
    public async Task A_job_that_fails_says_why_without_the_token_and_one_that_never_ends_is_waited_for_no_longer_than_is_set()
    {
        await using var project = await OpenAsync();
        project.Server.Jobs.FailNext($"No space for {KeboolaServer.Token} {new string('x', 2000)}");
        var failed = (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error;
        failed.ShouldContain("No space for <redacted-storage-token>");
        failed.Length.ShouldBeLessThan(600);
        foreach (var status in (string[])["cancelled", "terminated", "somethingNew"])
        {
            project.Server.Jobs.Statuses = ["waiting", status];
            (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error.ShouldContain($"'{status}'");
        }

        project.Server.Jobs.Statuses = ["waiting", "processing"];
        project.Options[KeboolaSettings.ExportTimeOption] = "1";
        (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error.ShouldContain("did not finish within 1s");
        var exports = project.Exports.Count;
        project.Server.Jobs.Statuses = ["success"];
        await project.MustAsync(Project.Table("orders"));
        project.Exports.Count.ShouldBe(exports, "the job of before had gone on");
    }

    [Fact]
    public async Task A_run_that_is_killed_finds_its_export_whether_or_not_it_had_heard_of_it()
    {
        await using var project = await OpenAsync();
        project.Server.Jobs.Statuses = ["waiting"];
        await KilledAsync(project, until: () =>
            project.Exports.Count == 1
            && project.Checkpoints.Values.Any(saved => saved.Contains($"{project.Exports[0].Id}", StringComparison.Ordinal)));
        project.Server.Jobs.Statuses = ["processing", "success"];
        await project.MustAsync(Project.Table("orders"));
        (project.Exports.Count, project.Count("orders")).ShouldBe((1, 10));

        // The answer with the job's id never comes.
        using var killing = new CancellationTokenSource();
        project.Server.Jobs.WhenBegun = _ =>
        {
            killing.Cancel();
            SpinWait.SpinUntil(() => false, TimeSpan.FromMilliseconds(500));
        };
        await Should.ThrowAsync<OperationCanceledException>(() => project.RunAsync([Project.Table("orders")], null, killing.Token));
        project.Server.Jobs.WhenBegun = null;
        project.Checkpoints["orders"].ShouldNotContain($"{project.Exports[1].Id}");
        await project.MustAsync(Project.Table("orders"));
        (project.Exports.Count, project.Count("orders")).ShouldBe((2, 10));
    }

    [Fact]
    [Long]
    public async Task Exports_of_a_killed_run_are_exported_anew_where_their_files_or_jobs_are_gone_or_the_table_changed()
    {
        await using var project = await OpenAsync();
        async Task KilledOnceAsync()
        {
            project.Server.Jobs.Statuses = ["waiting"];
            var exports = project.Exports.Count;
            await KilledAsync(project, until: () =>
                project.Exports.Count > exports
                && project.Checkpoints.Values.Any(saved => saved.Contains($"{project.Exports[^1].Id}", StringComparison.Ordinal)));
            project.Server.Jobs.Statuses = ["success"];
        }

        await KilledOnceAsync();
        project.Server.Stores.Clear();
        await project.MustAsync(Project.Table("orders"));
        (project.Exports.Count, project.Count("orders")).ShouldBe((2, 10));
        await KilledOnceAsync();
        await project.MustAsync(Project.Table("orders", """{"where_filters":[{"column":"id","values":["1"]}]}"""));
        (project.Exports.Count, project.Count("orders")).ShouldBe((4, 1));
    }

    [Fact]
    public async Task A_wrong_token_is_told_as_such_and_to_nobody()
    {
        await using var project = await OpenAsync();
        const string Wrong = "999-00000-another-marker-token";
        project.Options[KeboolaSettings.TokenOption] = Wrong;
        var failed = (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error;
        failed.ShouldContain("does not take the token");
        failed.ShouldNotContain(Wrong);
        project.Options[KeboolaSettings.TokenOption] = "not\na token";
        (await Should.ThrowAsync<WorkerFailedException>(() => project.RunAsync(Project.Table("orders")))).Message.ShouldContain("line end");
        project.Options.Remove(KeboolaSettings.TokenOption);
        (await Should.ThrowAsync<WorkerFailedException>(() => project.RunAsync(Project.Table("orders"))))
            .Message.ShouldContain("Storage token are not set");
    }

    [Fact]
    public async Task Nothing_is_fetched_from_this_machines_network_or_in_clear_unless_the_operator_allows_it()
    {
        await using var project = await OpenAsync();
        project.Options[KeboolaSettings.AllowedHostsOption] = "";
        var clear = await Should.ThrowAsync<WorkerFailedException>(() => project.RunAsync(Project.Table("orders")));
        clear.Message.ShouldContain("such as https://");
        project.Options[KeboolaSettings.StackOption] = project.Server.Address.Replace("http://", "https://", StringComparison.Ordinal);
        var refused = (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error;
        refused.ShouldContain("must not point to a private or reserved network");
        project.Server.Calls.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Cloud.S3, "s3://somebody-elses/exp/1/x", "another bucket")]
    [InlineData(Cloud.Gcs, "gs://somebody-elses/exp/1/x", "another bucket")]
    [InlineData(Cloud.Azure, "azure://somebody-elses.blob.core.windows.net/c/x", "another account")]
    [InlineData(Cloud.Signed, "http://somebody.example.com/x", "https://")]
    [InlineData(Cloud.Signed, "https://10.0.0.1/x", "private")]
    public async Task Credentials_go_to_the_files_own_place_alone_and_nowhere_private_whatever_the_list_of_slices_says(
        Cloud cloud, string lie, string why)
    {
        await using var project = await OpenAsync(cloud);
        project.Server.Stores.Lie = lie;
        (await project.RunAsync(Project.Table("orders"))).Failed.Single().Error.ShouldContain(why);
        project.Server.Stores.Lie = null;
        await project.MustAsync(Project.Table("orders"));
    }

    private static async Task<Project> OpenAsync(Cloud cloud = Cloud.S3)
    {
        var project = await Project.OpenAsync();
        project.AddOrders();
        project.Server.Form = new FileForm { Cloud = cloud, SliceRows = 3 };
        return project;
    }

    /// <summary>The worker is killed as soon as it has come so far.</summary>
    private static async Task KilledAsync(Project project, Func<bool> until)
    {
        using var killing = new CancellationTokenSource();
        var running = project.RunAsync([Project.Table("orders")], null, killing.Token);
        var clock = Stopwatch.StartNew();
        while (!until())
        {
            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
            await Task.Delay(20, Project.Stop);
        }

        await killing.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
    }

    private static void ShouldNotTell(Project project, IReadOnlyList<FailedTable> failed)
    {
        foreach (var text in failed.Select(table => table.Error).Concat(project.Events.Select(happened => happened.Message ?? ""))
            .Concat(project.Checkpoints.Values))
            text.ShouldNotContain(KeboolaServer.Token);
        project.Server.Calls.ShouldAllBe(call => !call.Path.Contains(KeboolaServer.Token, StringComparison.Ordinal));
    }

    private static Trouble Of(string name) => name switch
    {
        "429" => new Trouble(429) { RetryAfterSeconds = 1 },
        "503" => new Trouble(503) { RetryAfterSeconds = 1 },
        "half" => Half,
        "stall" => Stall,
        "html" => new Trouble { IsNoJson = true },
        "empty" => new Trouble { IsEmpty = true },
        "cut" => new Trouble { IsCutOff = true },
        _ => new Trouble(int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)),
    };
}
