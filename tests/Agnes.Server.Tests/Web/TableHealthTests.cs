using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Tests.Web;

public sealed class TableHealthTests
{
    private static readonly DateTime Now = new(2026, 5, 12, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_table_without_a_version_is_not_loaded() => Of(Row(), null).Label.ShouldBe("Not loaded yet");

    [Fact]
    public void A_table_inside_its_schedule_is_fresh_and_beyond_it_late()
    {
        Of(Row("every 1h"), Version(Now.AddMinutes(-59))).Label.ShouldBe("Fresh");
        Of(Row("every 1h"), Version(Now.AddMinutes(-61))).ShouldSatisfyAllConditions(health => health.Label.ShouldBe("Late"), health => health.IsProblem.ShouldBeTrue());
        Of(Row("daily 06:00"), Version(Now.Date.AddHours(5))).Label.ShouldBe("Late");
        Of(Row(), Version(Now.AddDays(-400))).Label.ShouldBe("Fresh", "nobody promised when it is loaded again");
    }

    [Fact]
    public void A_failure_is_told_even_while_the_last_good_version_is_served()
    {
        var failed = Snapshot.Empty.WithSyncState(new SyncStateRow { TableId = "orders", Status = "error", Error = "line 3 has too many fields" });
        var health = TableHealth.Of(failed, Row(), Version(Now), "orders", Now);
        health.Label.ShouldBe("Last sync failed");
        health.Error.ShouldBe("line 3 has too many fields");
        TableHealth.Of(failed, Row(), null, "orders", Now).Label.ShouldBe("Failed");
    }

    [Fact]
    public void A_remote_table_is_live_and_has_nothing_to_be_late_with() => Of(Row("every 1h") with { QueryMode = "remote" }, null).Label.ShouldBe("Live");

    [Fact]
    public void A_remote_table_of_which_its_source_can_say_nothing_wants_attention()
    {
        const string error = "The table is not at 'depot'.";
        var known = new TableMetadata { TableId = "orders", Source = "depot: orders", ErrorAt = Now, ErrorMsg = error };
        var health = TableHealth.Of(Snapshot.Empty, Row() with { QueryMode = "remote" }, null, "orders", Now, known);
        (health.Label, health.IsProblem, health.Error).ShouldBe(("Source failed", true, error));
    }

    private static TableHealth Of(TableRow row, PublishedVersion? version) => TableHealth.Of(Snapshot.Empty, row, version, "orders", Now);

    private static TableRow Row(string? schedule = null) => new() { Id = "orders", Name = "orders", SyncSchedule = schedule };

    private static PublishedVersion Version(DateTime extracted) =>
        new() { Name = "orders", Number = 1, Source = "files", Columns = [], Parts = [], PartsDigest = "", ExtractedAt = extracted, PublishedAt = extracted };
}
