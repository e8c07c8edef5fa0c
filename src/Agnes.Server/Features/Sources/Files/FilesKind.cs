using Agnes.Connectors.Files;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Files;

/// <summary>Files below <c>DATA_DIR/csv</c>. Which of them are a table's, its connector alone knows.</summary>
internal sealed class FilesKind : SourceKind
{
    public override string Name => "csv";

    public override string Title => "tables from files";

    public override IReadOnlyList<string> Aliases => ["files", OfferedName];

    public override string OfferedAs => OfferedName;

    public override string MainAs => OfferedName;

    public override bool IsDefault => true;

    public override string Connector => FilesConnector.ConnectorName;

    private const string OfferedName = "local";
    private const string FolderSetting = "folder";

    public override IReadOnlyList<SourceSetting> ConnectionSettings => [new(FolderSetting) { IsRequired = true, Hint = "The folder below DATA_DIR/csv in which its files lie." }];

    public override Dictionary<string, string> OptionsOf(Connection connection, DataFolder folder) => new() { ["root"] = RootOf(connection, folder) };

    public override SourceSetUp SetUp(Func<string, string?> given, IServiceProvider services) => new("local");

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder)
    {
        var where = PatternOf(row);
        var files = FilesConnector.Find(RootOf(connection, folder), ConfigOf(row)).Files.Count;
        return files == 0 ? $"No file matches {where} yet." : $"{files} file{(files == 1 ? "" : "s")} match {where}.";
    }

    /// <summary>The connector checks again when it opens the files: a link can appear in between.</summary>
    public override RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder)
    {
        var config = ConfigOf(row);
        var root = RootOf(connection, folder);
        if (FilesConnector.SettingsFault(config.Settings) is { } fault) return new RuleViolation("settings", fault);
        // Two files of one name are one table only where that was asked for.
        if (FilesConnector.Find(root, config) is { IsAmbiguous: true, Fault: { } several }) return new RuleViolation("source_table", several);
        try
        {
            foreach (var path in PathsOf(row)) SafePath.Resolve(root, path);
            return null;
        }
        catch (UnsafePathException unsafePath)
        {
            return new RuleViolation("source_table", unsafePath.Message, StatusCodes.Status400BadRequest);
        }
    }

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options)
    {
        try
        {
            SafePath.Resolve(new DataFolder(options.DataDir).Csv, settings[FolderSetting]);
            return null;
        }
        catch (UnsafePathException unsafePath)
        {
            return unsafePath.Message;
        }
    }

    /// <summary>The folder is there and can be read; its files are looked at when a table is registered.</summary>
    public override Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        var below = connection.Settings.GetValueOrDefault(FolderSetting) is { } named ? $"csv/{named}" : "csv";
        try
        {
            var count = new DirectoryInfo(options["root"]).EnumerateFileSystemInfos().Take(ConnectionCheck.AskedMax).Count();
            return Task.FromResult<ConnectionCheck?>(new ConnectionCheck(count, "files and folders")
            {
                MayBeEmpty = true,
                IsCut = count >= ConnectionCheck.AskedMax,
            });
        }
        catch (DirectoryNotFoundException missing)
        {
            throw new RemoteException(RemoteFault.System, $"The folder {below} is not there: make it below DATA_DIR, and put files into it.", missing);
        }
        catch (Exception unread) when (unread is UnauthorizedAccessException or IOException)
        {
            throw new RemoteException(RemoteFault.System, $"The server may not read the folder {below}.", unread);
        }
    }

    private static string RootOf(Connection? connection, DataFolder folder) =>
        connection?.Settings.GetValueOrDefault(FolderSetting) is { } below ? Path.Combine(folder.Csv, below) : folder.Csv;

    /// <summary>For people: where the files are looked for.</summary>
    private static string PatternOf(TableRow row) =>
        string.Join('/', new[] { row.Bucket, row.SourceTable ?? (row.Bucket is null ? $"{row.Name}.*" : null) }.Where(step => !string.IsNullOrEmpty(step)));

    /// <summary>What has to lie below the root, each by itself: neither may lead out of it and back.</summary>
    private static IEnumerable<string> PathsOf(TableRow row) =>
        new[] { row.Bucket, row.SourceTable, PatternOf(row) }.OfType<string>().Select(path => path.Replace('*', '_').Replace('?', '_'));
}
