using System.Globalization;

namespace Agnes.Testing;

/// <summary>How long something may take here and now: as long as on a machine with nothing else to do, times how many share a processor.</summary>
internal static class MachineLoad
{
    private const double FactorMax = 10;

    /// <summary>The bound itself where every program that would run can.</summary>
    public static TimeSpan Allow(TimeSpan quiet)
    {
        if (!OperatingSystem.IsLinux()) return quiet;
        var lastMinute = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        return quiet * Math.Clamp(lastMinute / Environment.ProcessorCount, 1, FactorMax);
    }
}
