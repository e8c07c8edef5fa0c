using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>What the engine may do in a workspace: read the files of some folders. No other file is opened, no extension loaded, no setting changed again.</summary>
internal static class LocalLock
{
    /// <param name="temporary">For what does not fit into memory.</param>
    /// <param name="folders">Whose files can be read.</param>
    /// <param name="files">Single files besides.</param>
    public static void Close(DuckDBConnection connection, string temporary, IEnumerable<string> folders, IEnumerable<string>? files = null) => connection.ExecuteUnprepared($"""
        SET autoinstall_known_extensions = false;
        SET autoload_known_extensions = false;
        SET allow_community_extensions = false;
        SET temp_directory = {SqlText.Literal(temporary)};
        SET allowed_directories = {SqlText.List(folders)};
        {(files is null ? "" : $"SET allowed_paths = {SqlText.List(files)};")}
        SET enable_external_access = false;
        SET lock_configuration = true;
        """);

    /// <summary>What a workspace's tables and snapshots are made of.</summary>
    public static string[] FoldersOf(Layout layout) => [layout.Parts + Path.DirectorySeparatorChar, layout.Snapshots + Path.DirectorySeparatorChar];
}
