using System.Runtime.InteropServices;
using System.Text;

namespace DuckDB.NET.Data;

/// <summary>An INTERVAL: months and days have no fixed length, so the three parts stay apart.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DuckDBInterval(int Months, int Days, long Micros)
{
    public static DuckDBInterval From(TimeSpan value) =>
        new(0, value.Days, (value - TimeSpan.FromDays(value.Days)).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>The length; an interval with months has none.</summary>
    public TimeSpan ToTimeSpan() => Months == 0
        ? TimeSpan.FromTicks(checked(Days * TimeSpan.TicksPerDay + Micros * TimeSpan.TicksPerMicrosecond))
        : throw new InvalidCastException("An interval with months has no fixed length.");

    /// <summary>As the engine writes it: <c>1 year 2 months 3 days 04:05:06.789</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Part(text, Months / 12, "year");
        Part(text, Months % 12, "month");
        Part(text, Days, "day");
        if (Micros != 0 || text.Length == 0)
        {
            if (text.Length > 0) text.Append(' ');
            if (Micros < 0) text.Append('-');
            text.Append(EngineText.Clock(UInt128.CreateChecked(Int128.Abs(Micros)), 6));
        }

        return text.ToString();
    }

    private static void Part(StringBuilder text, int count, string unit)
    {
        if (count == 0) return;
        if (text.Length > 0) text.Append(' ');
        text.Append(count).Append(' ').Append(unit);
        if (count is not (1 or -1)) text.Append('s');
    }
}
