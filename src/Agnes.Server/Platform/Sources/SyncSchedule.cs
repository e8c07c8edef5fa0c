using System.Globalization;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Registry;
using Cronos;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// When a table is due: <c>every 15m</c>, <c>every 2h</c>, <c>daily 07:00,13:00</c> (UTC), or <c>cron 0 3 * * 1-5 @ Europe/Prague</c>
/// (five fields, and the time zone they are meant in);
/// of tables that are queries over others also <c>on change</c>.
/// Nothing else, by design of the format: cron without its prefix and zone stays invalid.
/// </summary>
internal sealed partial record SyncSchedule
{
    /// <summary>Of a materialized table that says nothing.</summary>
    public const string OfMaterialized = "every 1h";

    /// <summary>Of a table that is a query over others: whenever one of those has been published.</summary>
    public const string OnChange = "on change";

    private readonly CronExpression? _cron;
    private readonly TimeZoneInfo _zone = TimeZoneInfo.Utc;

    private SyncSchedule(TimeSpan? interval, IReadOnlyList<TimeSpan> daily) => (Interval, Daily) = (interval, daily);

    private SyncSchedule(CronExpression cron, TimeZoneInfo zone) : this(null, []) => (_cron, _zone) = (cron, zone);

    /// <summary>A time before which nobody looks for an occurrence.</summary>
    private static readonly DateTime Unpassed = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public TimeSpan? Interval { get; }

    public IReadOnlyList<TimeSpan> Daily { get; }

    /// <summary>No time makes it due, but the first.</summary>
    public bool IsOnChange { get; private init; }

    public static bool IsValid(string? text) => TryParse(text, out _);

    public static bool TryParse(string? text, out SyncSchedule schedule)
    {
        schedule = new SyncSchedule(null, []);
        if (text is null) return false;
        if (text == OnChange)
        {
            schedule = new SyncSchedule(null, []) { IsOnChange = true };
            return true;
        }

        if (Every().Match(text) is { Success: true } every)
        {
            if (!int.TryParse(every.Groups["count"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
            schedule = new SyncSchedule(every.Groups["unit"].ValueSpan is "m" ? TimeSpan.FromMinutes(count) : TimeSpan.FromHours(count), []);
            return true;
        }
        if (Cron().Match(text) is { Success: true } cron)
        {
            // A zone that this machine does not know is no zone: its tables would never be due.
            if (!CronExpression.TryParse(cron.Groups["fields"].Value, CronFormat.Standard, out var fields)) return false;
            if (!TimeZoneInfo.TryFindSystemTimeZoneById(cron.Groups["zone"].Value, out var zone)) return false;
            if (fields.GetNextOccurrence(Unpassed, zone) is null) return false; // the thirtieth of February
            schedule = new SyncSchedule(fields, zone);
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
        if (IsOnChange) return false;
        if (Interval is { } interval) return now - last >= interval;
        if (_cron is not null) return _cron.GetNextOccurrence(DateTime.SpecifyKind(last, DateTimeKind.Utc), _zone) <= now;
        var passed = Daily.Where(t => now.Date + t <= now).Select(t => now.Date + t);
        var latest = passed.LastOrDefault(now.Date.AddDays(-1) + Daily[^1]);
        return last < latest;
    }

    /// <summary>Says at which minutes it is, and not how often.</summary>
    public bool HasSlots => Daily.Count > 0 || _cron is not null;

    /// <summary>The first of its minutes after a time; null where it says none.</summary>
    public DateTime? Next(DateTime after)
    {
        if (_cron is not null) return _cron.GetNextOccurrence(DateTime.SpecifyKind(after, DateTimeKind.Utc), _zone);
        if (Daily.Count == 0) return null;
        return Daily.Select(t => after.Date + t).Where(at => at > after).FirstOrDefault(after.Date.AddDays(1) + Daily[0]);
    }

    [GeneratedRegex(@"\Aevery (?<count>[0-9]{1,9})(?<unit>[mh])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Every();

    [GeneratedRegex(@"\Acron (?<fields>[0-9A-Za-z*/,?#-]+( [0-9A-Za-z*/,?#-]+){4}) @ (?<zone>[A-Za-z0-9_+/-]{1,64})\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Cron();

    [GeneratedRegex(@"\Adaily ([01][0-9]|2[0-3]):[0-5][0-9](,([01][0-9]|2[0-3]):[0-5][0-9])*\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex EachDay();
}
