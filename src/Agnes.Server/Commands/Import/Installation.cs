using Agnes.Engine.Foreign;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Import;

/// <summary>The import cannot be done; the message is for the operator. Nothing was changed, or running it again completes it.</summary>
public sealed class ImportException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Where the pieces of another installation lie. Nothing is opened here, and no symbolic link is followed.</summary>
/// <param name="StateDir">Holds <c>system.duckdb</c>, the secrets and the overlay.</param>
/// <param name="DataDir">Holds <c>extracts</c>.</param>
/// <param name="ConfigFile">The operator's <c>instance.yaml</c>, where it was found or named.</param>
/// <param name="RegistryFile">The registry from before there was a state, where it was found or named.</param>
internal sealed record Installation(string StateDir, string DataDir, string? ConfigFile, string? RegistryFile)
{
    public const string DatabaseName = "system.duckdb";

    public string Database => Path.Combine(StateDir, DatabaseName);

    public string Extracts => Path.Combine(DataDir, "extracts");

    /// <param name="from">The data folder with <c>state</c> in it, or the state folder itself.</param>
    public static Installation Find(ImportOptions options, string from)
    {
        var root = Path.GetFullPath(from);
        if (!Directory.Exists(root)) throw new ImportException($"There is no folder {root}.");
        var nested = Path.Combine(root, "state");
        var stateDir = IsPlain(Path.Combine(root, DatabaseName)) ? root : IsPlain(Path.Combine(nested, DatabaseName)) ? nested : null;
        if (stateDir is null) throw new ImportException($"There is no {DatabaseName} in {root} or {nested} (a symbolic link, or what is no plain file that can be read, does not count).");
        if (new DirectoryInfo(stateDir).LinkTarget is not null) throw new ImportException($"{stateDir} is a symbolic link: name the folder itself.");
        var dataDir = options.ExtractsDir is { } named ? Path.GetDirectoryName(Path.GetFullPath(named))! : stateDir == nested || Directory.Exists(Path.Combine(root, "extracts")) ? root : Path.GetDirectoryName(root) ?? root;
        return new Installation(stateDir, dataDir, ConfigOf(options, root, dataDir), RegistryOf(options, dataDir));
    }

    private static string? ConfigOf(ImportOptions options, string root, string dataDir)
    {
        if (options.ConfigFile is { } named) return IsPlain(named) ? Path.GetFullPath(named) : throw new ImportException($"There is no file {named}.");
        return ((string[])[Path.Combine(root, "config", InstanceConfig.FileName), Path.Combine(dataDir, "..", "config", InstanceConfig.FileName)]).Select(Path.GetFullPath).FirstOrDefault(IsPlain);
    }

    private static string? RegistryOf(ImportOptions options, string dataDir)
    {
        if (options.RegistryFile is { } named) return IsPlain(named) ? Path.GetFullPath(named) : throw new ImportException($"There is no file {named}.");
        return ((string[])[Path.Combine(dataDir, "src_data", "metadata", "table_registry.json"), Path.Combine(dataDir, "..", "docs", "data_description.md")]).Select(Path.GetFullPath).FirstOrDefault(IsPlain);
    }

    public static bool IsPlain(string path) => ForeignFiles.IsPlain(path);
}
