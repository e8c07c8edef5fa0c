namespace Agnes.Cli.Settings;

/// <summary>Who is still there, so that what a killed process left can be told from what a living one needs.</summary>
internal static class Processes
{
    public static bool IsAlive(int processId)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(processId);
            return !process.HasExited;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
