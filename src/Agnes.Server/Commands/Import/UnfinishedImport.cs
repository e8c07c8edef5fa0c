using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>A mark that stands from the first thing an import writes to the last, so that no server starts on half an installation.</summary>
internal static class UnfinishedImport
{
    private const string FileName = "import.unfinished";

    public static Task BeginAsync(string stateDir, string command, CancellationToken stop) => PrivateFile.ReplaceAsync(Path.Combine(stateDir, FileName), command, stop);

    public static void End(string stateDir) => File.Delete(Path.Combine(stateDir, FileName));

    /// <exception cref="StateRefusedException">An import was cut off.</exception>
    public static void Refuse(ServerOptions options)
    {
        var mark = Path.Combine(options.StateDir, FileName);
        if (File.Exists(mark)) throw new StateRefusedException($"An import into {options.StateDir} was not finished. Run it again, which completes it: {File.ReadAllText(mark)}");
    }
}
