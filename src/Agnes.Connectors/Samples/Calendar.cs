namespace Agnes.Connectors.Samples;

/// <summary>When things happen in the shop: it grows, it has seasons, quiet Sundays and evenings.</summary>
internal sealed class Calendar
{
    private static readonly double[] MonthWeights = [.70, .75, .85, .90, .95, 1, .90, .85, 1, 1.1, 1.3, 1.5];
    private static readonly double[] WeekdayWeights = [.6, 1, 1, 1, 1.05, 1.15, .8]; // Sunday first, as DayOfWeek counts
    private static readonly double[] HourWeights = [2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 18, 17, 16, 15, 14, 12, 10, 8, 6, 5, 4, 3];

    private readonly Weighted<DateOnly> _days;
    private readonly Weighted<int> _hours = new(HourWeights.Index().Select(hour => (hour.Index, hour.Item)));

    public Calendar(int months)
    {
        Start = End.AddDays(-30 * months);
        var days = End.DayNumber - Start.DayNumber;
        _days = new Weighted<DateOnly>(Enumerable.Range(0, days).Select(index =>
        {
            var day = Start.AddDays(index);
            return (day, (1 + 0.5 * index / days) * MonthWeights[day.Month - 1] * WeekdayWeights[(int)day.DayOfWeek]);
        }));
    }

    /// <summary>Nothing happens at or after it; fixed, so that the same seed gives the same data in any year.</summary>
    public static DateOnly End { get; } = new(2026, 3, 1);

    public static DateTime EndOfTime => End.ToDateTime(TimeOnly.MinValue);

    public DateOnly Start { get; }

    public DateOnly Day(Draw draw) => draw.Of(_days);

    public DateTime Moment(Draw draw) => At(draw, Day(draw));

    /// <summary>A moment from a day on, by the same rhythm.</summary>
    public DateTime MomentSince(Draw draw, DateOnly day)
    {
        const int triesMax = 20;
        for (var attempt = 0; attempt < triesMax; attempt++)
        {
            var moment = Moment(draw);
            if (DateOnly.FromDateTime(moment) >= day) return moment;
        }

        return At(draw, day.AddDays(draw.Whole(0, Math.Max(0, End.DayNumber - day.DayNumber - 1))));
    }

    private DateTime At(Draw draw, DateOnly day) => day.ToDateTime(new TimeOnly(draw.Of(_hours), draw.Whole(0, 59), draw.Whole(0, 59)));
}
