using Agnes.Connectors.Custom;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Custom;

/// <summary>A program of the operator's: <c>CONNECTORS_DIR/NAME/extractor</c>, with whatever ending. It may make connections where a file <c>network</c> lies beside it.</summary>
internal sealed class CustomKind : SourceKind
{
    private const string ProgramSetting = "program";
    private const string ProgramName = "extractor";
    private const string NetworkMark = "network";

    public override string Name => CustomConnector.ConnectorName;

    public override string Title => "connectors of your own";

    public override string Connector => CustomConnector.ConnectorName;

    /// <summary>Each connection has a program; there is none by default.</summary>
    public override bool HasDefault => false;

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new(ProgramSetting) { IsRequired = true, Hint = "The folder below CONNECTORS_DIR in which its extractor lies." },
        new("address") { Hint = "For the program: where its source is." },
        new("account") { Hint = "For the program: as whom it signs in there." },
        new("options") { Hint = "For the program: anything else." },
        new("secret", "secret") { Hint = "For the program: what it signs in with." },
    ];

    public override Dictionary<string, string> OptionsOf(Connection connection, DataFolder folder) =>
        connection.Settings.Where(setting => setting.Key != ProgramSetting).ToDictionary(setting => setting.Key, setting => setting.Value, StringComparer.Ordinal);

    public override ExtractProgram? ProgramOf(Connection connection, ServerOptions options) =>
        Find(connection.Settings.GetValueOrDefault(ProgramSetting) ?? "", options) is { } file
            ? new ExtractProgram(file, File.Exists(Path.Combine(Path.GetDirectoryName(file)!, NetworkMark)))
            : throw new WorkerFailedException(Missing(connection.Settings.GetValueOrDefault(ProgramSetting) ?? ""));

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) =>
        Find(settings[ProgramSetting], options) is null ? Missing(settings[ProgramSetting]) : null;

    public override RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder)
    {
        if (connection is null) return new RuleViolation("connection", "A table of a connector of your own names its connection: agnes admin connection list");
        return FilesConnector.SettingsFault(ConfigOf(row).Settings) is { } fault ? new RuleViolation("settings", fault) : null;
    }

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) => "Not looked at: its program is asked at the next sync.";

    /// <summary>Its program is there and may be run; what that asks, it alone knows.</summary>
    public override Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        try
        {
            ProgramOf(connection, services.GetRequiredService<ServerOptions>());
            return Task.FromResult<ConnectionCheck?>(null);
        }
        catch (WorkerFailedException missing)
        {
            throw new RemoteException(RemoteFault.System, missing.Message, missing);
        }
    }

    private static string Missing(string program) => $"There is no program CONNECTORS_DIR/{program}/{ProgramName} that may be run: whoever runs the server puts it there.";

    /// <summary>The folder is the operator's, and so is every program in it; an admin names one of them, by a plain name.</summary>
    private static string? Find(string program, ServerOptions options)
    {
        if (!Identifiers.IsStrict(program)) return null;
        var folder = new DirectoryInfo(Path.Combine(options.ConnectorsDir, program));
        if (!folder.Exists) return null;
        return folder.EnumerateFiles().Where(file => Path.GetFileNameWithoutExtension(file.Name) == ProgramName && MayRun(file))
            .Select(file => file.FullName).Order(StringComparer.Ordinal).FirstOrDefault();
    }

    private static bool MayRun(FileInfo file) =>
        OperatingSystem.IsWindows() ? file.Extension == ".exe" : (file.UnixFileMode & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != UnixFileMode.None;
}
