using System.Runtime.InteropServices;

namespace DuckDB.NET.Data;

/// <summary>A TIME WITH TIME ZONE: a time of day and its distance from UTC. No .NET type holds just these two.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DuckDBTimeTz(TimeSpan TimeOfDay, TimeSpan Offset)
{
    /// <summary>As the engine writes it: <c>12:30:00+02</c>.</summary>
    public override string ToString()
    {
        var seconds = (int)Math.Abs(Offset.TotalSeconds);
        var offset = $"{(Offset < TimeSpan.Zero ? '-' : '+')}{seconds / 3600:00}";
        if (seconds % 3600 != 0) offset += $":{seconds / 60 % 60:00}";
        if (seconds % 60 != 0) offset += $":{seconds % 60:00}";
        return EngineText.Clock((UInt128)(TimeOfDay.Ticks / TimeSpan.TicksPerMicrosecond), 6) + offset;
    }
}
