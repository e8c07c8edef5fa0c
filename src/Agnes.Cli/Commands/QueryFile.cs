using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

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
        // Where it really comes to lie: a link on the way, above our folders too, leads elsewhere.
        var (folder, root) = (RealFolder.Of(Path.GetDirectoryName(target)!), RealFolder.Of(layout.Root));
        foreach (var kept in (string[])[layout.Server, layout.DatabaseFolder, layout.Snapshots])
        {
            if (RealFolder.IsBelow(folder, RealFolder.Of(kept)) || RealFolder.IsBelow(target, kept)) throw new CliException($"{target} is where Agnes keeps what it brings; choose another place.", ExitCode.Usage);
        }

        if (Terminal.IsOfAPerson || Environment.GetEnvironmentVariable("AGNES_ALLOW_FILES") == "1") return target;
        if (folder.Equals(Path.Combine(root, "user", "exports"), RealFolder.Names)) return target;
        var exports = layout.Exports;
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
}
