using System.Runtime.InteropServices;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Workers;

/// <summary>What dates and times share: proleptic Gregorian days, and clocks with six digits of a fraction where there is one.</summary>
internal abstract class JsonTimeCell : JsonCell
{
    protected const long MicrosPerDay = 86_400_000_000;
    private const long MicrosPerSecond = 1_000_000;

    protected static void WriteDate(JsonBuffer json, long days)
    {
        // Four digits of a year are nearly all there is; the rest is left to the engine's own writing.
        const int dayOfYear1 = -719_162;
        const int dayOfYear10000 = 2_932_897;
        if (days is < dayOfYear1 or >= dayOfYear10000)
        {
            json.Ascii(EngineText.Date(days));
            return;
        }
        var (year, month, day) = DateOnly.FromDayNumber((int)(days - dayOfYear1));
        json.Digits((ulong)year, 4);
        json.Raw((byte)'-');
        json.Digits((ulong)month, 2);
        json.Raw((byte)'-');
        json.Digits((ulong)day, 2);
    }

    /// <param name="nanos">Beyond the microseconds; 0 to 999.</param>
    protected static void WriteClock(JsonBuffer json, long micros, int nanos = 0)
    {
        var seconds = (ulong)(micros / MicrosPerSecond);
        var fraction = (ulong)(micros % MicrosPerSecond);
        json.Digits(seconds / 3600, 2);
        json.Raw((byte)':');
        json.Digits(seconds / 60 % 60, 2);
        json.Raw((byte)':');
        json.Digits(seconds % 60, 2);
        if (fraction == 0 && nanos == 0) return;
        json.Raw((byte)'.');
        json.Digits(fraction, 6);
        if (nanos != 0) json.Digits((ulong)nanos, 3);
    }

    protected static void WriteOffset(JsonBuffer json, int seconds)
    {
        json.Raw(seconds < 0 ? (byte)'-' : (byte)'+');
        var magnitude = (ulong)Math.Abs(seconds);
        json.Digits(magnitude / 3600, 2);
        json.Raw((byte)':');
        json.Digits(magnitude / 60 % 60, 2);
        if (magnitude % 60 == 0) return;
        json.Raw((byte)':');
        json.Digits(magnitude % 60, 2);
    }

    protected static (long Quotient, long Remainder) FloorDivide(long value, long divisor)
    {
        var (quotient, remainder) = Math.DivRem(value, divisor);
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder);
    }
}

internal sealed class JsonDateCell : JsonTimeCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var days = Read<int>(row);
        json.Raw((byte)'"');
        if (days == int.MaxValue) json.Raw("infinity"u8);
        else if (days == -int.MaxValue) json.Raw("-infinity"u8);
        else WriteDate(json, days);
        json.Raw((byte)'"');
    }
}

/// <param name="perSecond">Units in the engine's number: 1 (seconds) to 1,000,000,000.</param>
/// <param name="zoned">An instant, which is shown in UTC.</param>
internal sealed class JsonTimestampCell(long perSecond, bool zoned) : JsonTimeCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var value = Read<long>(row);
        json.Raw((byte)'"');
        if (value == long.MaxValue) json.Raw("infinity"u8);
        else if (value == -long.MaxValue) json.Raw("-infinity"u8);
        else WriteInstant(json, value);
        json.Raw((byte)'"');
    }

    private void WriteInstant(JsonBuffer json, long value)
    {
        var (days, rest) = FloorDivide(value, 86_400 * perSecond);
        WriteDate(json, days);
        json.Raw((byte)' ');
        if (perSecond <= 1_000_000) WriteClock(json, rest * (1_000_000 / perSecond));
        else WriteClock(json, rest / 1000, (int)(rest % 1000));
        if (zoned) json.Raw("+00:00"u8);
    }
}

internal sealed class JsonClockCell(bool nanoseconds) : JsonTimeCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var value = Read<long>(row);
        json.Raw((byte)'"');
        if (nanoseconds) WriteClock(json, value / 1000, (int)(value % 1000));
        else WriteClock(json, value);
        json.Raw((byte)'"');
    }
}

/// <summary>Time of day with an offset: 40 bits of microseconds, then 24 bits that hold the offset turned around, so that order is by instant.</summary>
internal sealed class JsonZonedClockCell : JsonTimeCell
{
    private const int OffsetSecondsMax = 16 * 3600 - 1;

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var bits = Read<ulong>(row);
        json.Raw((byte)'"');
        WriteClock(json, (long)(bits >> 24));
        WriteOffset(json, OffsetSecondsMax - (int)(bits & 0xFFFFFF));
        json.Raw((byte)'"');
    }
}

/// <summary>As the engine shows it: <c>1 year 2 months 3 days 04:05:06</c>.</summary>
internal sealed class JsonIntervalCell : JsonTimeCell
{
    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var (months, days, micros) = Read<Parts>(row);
        json.Raw((byte)'"');
        var start = json.Length;
        Part(json, start, months / 12, "year");
        Part(json, start, months % 12, "month");
        Part(json, start, days, "day");
        if (micros != 0 || json.Length == start)
        {
            if (json.Length > start) json.Raw((byte)' ');
            if (micros < 0) json.Raw((byte)'-');
            WriteClock(json, Math.Abs(micros));
        }
        json.Raw((byte)'"');
    }

    // Not a tuple: the runtime may order its fields otherwise.
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Parts(int Months, int Days, long Micros);

    private static void Part(JsonBuffer json, int start, int count, string unit)
    {
        if (count == 0) return;
        if (json.Length > start) json.Raw((byte)' ');
        json.Number((long)count);
        json.Raw((byte)' ');
        json.Ascii(unit);
        if (count is not (1 or -1)) json.Raw((byte)'s');
    }
}
