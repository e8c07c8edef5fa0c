using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Server.Platform.Registry;

/// <summary>When a table is due: <c>every 15m</c>, <c>every 2h</c> or <c>daily 07:00,13:00</c> (UTC). Nothing else, by design of the format.</summary>
internal sealed partial record SyncSchedule
{
    private SyncSchedule(TimeSpan? interval, IReadOnlyList<TimeSpan> daily) => (Interval, Daily) = (interval, daily);

    public TimeSpan? Interval { get; }

    public IReadOnlyList<TimeSpan> Daily { get; }

    public static bool IsValid(string? text) => TryParse(text, out _);

    public static bool TryParse(string? text, out SyncSchedule schedule)
    {
        schedule = new SyncSchedule(null, []);
        if (text is null) return false;
        if (Every().Match(text) is { Success: true } every)
        {
            if (!int.TryParse(every.Groups["count"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
            schedule = new SyncSchedule(every.Groups["unit"].ValueSpan is "m" ? TimeSpan.FromMinutes(count) : TimeSpan.FromHours(count), []);
            return true;
        }
        if (!EachDay().IsMatch(text)) return false;
        var times = text["daily ".Length..].Split(',').Select(t => TimeSpan.ParseExact(t, @"hh\:mm", CultureInfo.InvariantCulture)).Order();
        schedule = new SyncSchedule(null, [.. times]);
        return true;
    }

    /// <summary>A slot that was missed while the server was down is caught up, also when it was yesterday's.</summary>
    public bool IsDue(DateTime? lastSync, DateTime now)
    {
        if (lastSync is not { } last) return true;
        if (Interval is { } interval) return now - last >= interval;
        var passed = Daily.Where(t => now.Date + t <= now).Select(t => now.Date + t);
        var latest = passed.LastOrDefault(now.Date.AddDays(-1) + Daily[^1]);
        return last < latest;
    }

    [GeneratedRegex(@"\Aevery (?<count>[0-9]{1,9})(?<unit>[mh])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Every();

    [GeneratedRegex(@"\Adaily ([01][0-9]|2[0-3]):[0-5][0-9](,([01][0-9]|2[0-3]):[0-5][0-9])*\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex EachDay();
}
