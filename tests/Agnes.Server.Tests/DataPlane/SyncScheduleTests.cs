using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Tests.DataPlane;

public sealed class SyncScheduleTests
{
    private static readonly DateTime Noon = new(2026, 3, 10, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("every 15m")]
    [InlineData("every 0m")]
    [InlineData("every 2h")]
    [InlineData("daily 07:00")]
    [InlineData("daily 07:00,13:00,23:59")]
    public void The_words_of_the_format_are_valid(string text) => SyncSchedule.IsValid(text).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("hourly")]
    [InlineData("every 5x")]
    [InlineData("every  5m")]
    [InlineData("every 5m\n")]
    [InlineData("Every 5m")]
    [InlineData("every -5m")]
    [InlineData("every ٥m")]
    [InlineData("daily 7:00")]
    [InlineData("daily 25:00")]
    [InlineData("daily 07:60")]
    [InlineData("daily 07:00, 13:00")]
    [InlineData("0 3 * * *")]
    public void Anything_else_is_not(string? text) => SyncSchedule.IsValid(text).ShouldBeFalse();

    [Theory]
    [InlineData("every 60m", -60, true)]
    [InlineData("every 60m", -59, false)]
    [InlineData("every 60m", 10, false)]
    [InlineData("every 0m", 0, true)]
    [InlineData("daily 11:00", -30, false)]
    [InlineData("daily 11:00", -60, false)]
    [InlineData("daily 11:00", -61, true)]
    [InlineData("daily 07:00,11:00", -120, true)]
    [InlineData("daily 13:00", -120, false)]
    public void It_is_due_by_the_time_of_the_last_sync(string text, int lastMinutes, bool due)
    {
        SyncSchedule.TryParse(text, out var schedule).ShouldBeTrue();
        schedule.IsDue(Noon.AddMinutes(lastMinutes), Noon).ShouldBe(due);
    }

    [Fact]
    public void Yesterdays_missed_slot_is_caught_up()
    {
        SyncSchedule.TryParse("daily 23:00", out var schedule).ShouldBeTrue();
        schedule.IsDue(Noon.AddDays(-1), Noon).ShouldBeTrue();
        schedule.IsDue(Noon.AddHours(-13), Noon).ShouldBeFalse();
    }

    [Fact]
    public void What_was_never_synced_is_due()
    {
        SyncSchedule.TryParse("daily 23:00", out var schedule).ShouldBeTrue();
        schedule.IsDue(null, Noon).ShouldBeTrue();
    }
}
