namespace DuckDB.NET.Data;

/// <summary>The engine counts days and microseconds from 1970, .NET counts ticks of 100 ns from the year 1.</summary>
internal static class EngineTime
{
    private static readonly int EpochDay = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    /// <summary>The wall clock that the value shows, cut to the microsecond; a local time is turned to UTC first.</summary>
    internal static long Micros(DateTime value)
    {
        if (value.Kind == DateTimeKind.Local) value = value.ToUniversalTime();
        // Ticks count from the year 1, so that both terms are positive and the division cuts downwards.
        return value.Ticks / TimeSpan.TicksPerMicrosecond - DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerMicrosecond;
    }

    internal static int Days(DateOnly value) => value.DayNumber - EpochDay;

    /// <summary>Null: outside of what .NET's type can hold, or infinite.</summary>
    internal static DateOnly? Date(int days)
    {
        var day = (long)days + EpochDay;
        return day < 0 || day > DateOnly.MaxValue.DayNumber ? null : DateOnly.FromDayNumber((int)day);
    }

    /// <summary>Null: outside of what .NET's type can hold, or infinite.</summary>
    internal static DateTime? Time(Int128 ticksFromEpoch, DateTimeKind kind)
    {
        var ticks = ticksFromEpoch + DateTime.UnixEpoch.Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? null : new DateTime((long)ticks, kind);
    }
}
