using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary>A result as a Parquet file. An agent may run 'agnes query' unasked, so without a terminal only one folder of the workspace can be written to.</summary>
internal static class QueryFile
{
    public const string Parquet = "parquet";
    public const string Folder = "user/exports";

    /// <exception cref="CliException">Not a place where this caller may put a file.</exception>
    public static string Target(Layout layout, string asked)
    {
        if (!asked.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase)) throw new CliException("The file of --output ends in .parquet.", ExitCode.Usage);
        var target = Path.GetFullPath(asked);
        if (Directory.Exists(target)) throw new CliException($"{target} is a folder.", ExitCode.Usage);
        if (IsInside(layout.Server, target) || IsInside(layout.DatabaseFolder, target) || IsInside(layout.Snapshots, target)) throw new CliException($"{target} is where Agnes keeps what it brings; choose another place.", ExitCode.Usage);
        if (!Console.IsInputRedirected || Environment.GetEnvironmentVariable("AGNES_ALLOW_FILES") == "1") return target;
        var exports = layout.Exports;
        // A link in the way would lead out of the folder.
        if (IsInside(exports, target) && !IsLink(exports) && !IsLink(Path.GetDirectoryName(target)!) && Path.GetDirectoryName(target) == exports) return target;
        throw new CliException($"Without a terminal, results go to {exports}.", ExitCode.Usage)
        {
            Hint = $"Use: --output {Path.Combine(exports, Path.GetFileName(asked))}\nIn a script of your own: AGNES_ALLOW_FILES=1 agnes query …",
        };
    }

    public static int Write(Host host, LocalSession session, string sql, long? limit, string target)
    {
        var (path, rows) = session.WriteParquet(sql, limit);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var bytes = new FileInfo(path).Length;
        try
        {
            File.Move(path, target, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{target} cannot be written: {problem.Message}", ExitCode.Failed, problem);
        }

        host.Out.WriteLine($"{target}: {rows} {(rows == 1 ? "row" : "rows")}, {Columns.Bytes(bytes)}");
        if (rows == limit) host.Error.WriteLine($"Note: --limit {limit} was reached; there may be more rows.");
        return ExitCode.Ok;
    }

    private static bool IsInside(string folder, string path) => path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static bool IsLink(string folder) => new DirectoryInfo(folder) is { Exists: true, LinkTarget: not null };
}
