using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

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
    [InlineData("cron 0 3 * * * @ UTC")]
    [InlineData("cron */15 8-18 * * MON-FRI @ Europe/Prague")]
    [InlineData("cron 0 6 L * ? @ America/New_York")]
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
    [InlineData("cron 0 3 * * *")]
    [InlineData("cron 0 3 * * * @ Europe/Atlantis")]
    [InlineData("cron 0 3 * * * @ ../../etc/passwd")]
    [InlineData("cron 0 0 3 * * * @ UTC")]
    [InlineData("cron 61 3 * * * @ UTC")]
    [InlineData("cron 0 3 30 2 * @ UTC")]
    [InlineData("cron  0 3 * * * @ UTC")]
    [InlineData("cron 0 3 * * * @ UTC\n")]
    [InlineData("cron @daily @ UTC")]
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
    [InlineData("cron 0 12 * * * @ Europe/Prague", -60, false)]
    [InlineData("cron 0 12 * * * @ Europe/Prague", -61, true)]
    [InlineData("cron 0 12 * * * @ UTC", -1, true)]
    [InlineData("cron 0 12 * * * @ UTC", 0, false)]
    [InlineData("cron 0 13 * * * @ UTC", -60, false)]
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

    /// <summary>In 2026 clocks in Prague went from 2:00 to 3:00 on 29 March and from 3:00 to 2:00 on 25 October.</summary>
    [Theory]
    [InlineData("cron 30 2 * * * @ Europe/Prague", "2026-03-28T01:30:00", "2026-03-29T01:00:00")] // not skipped with the hour
    [InlineData("cron 30 2 * * * @ Europe/Prague", "2026-10-24T00:30:00", "2026-10-25T00:30:00")] // once, not twice
    [InlineData("cron 30 2 * * * @ Europe/Prague", "2026-10-25T00:30:00", "2026-10-26T01:30:00")]
    public void A_day_on_which_the_clocks_change_has_its_run_and_only_one(string text, string last, string due)
    {
        static DateTime Utc(string time) => DateTime.SpecifyKind(DateTime.Parse(time, System.Globalization.CultureInfo.InvariantCulture), DateTimeKind.Utc);
        SyncSchedule.TryParse(text, out var schedule).ShouldBeTrue();
        schedule.IsDue(Utc(last), Utc(due).AddSeconds(-1)).ShouldBeFalse();
        schedule.IsDue(Utc(last), Utc(due)).ShouldBeTrue();
    }
}
