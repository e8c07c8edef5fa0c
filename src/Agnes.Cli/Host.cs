using System.Text;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;

namespace Agnes.Cli;

/// <summary>What a command gets from outside: streams, clock, settings and the server. Results go to <see cref="Out"/>, all else to <see cref="Error"/>.</summary>
internal sealed class Host(TimeProvider clock, Stream? output = null) : IDisposable
{
    private const int WidthFallback = 120;
    private const int WidthMin = 20;
    private const int OutputBufferBytes = 1 << 16;

    private readonly Stream _stdout = new BufferedStream(output ?? Console.OpenStandardOutput(), OutputBufferBytes);
    private StreamWriter? _out;
    private StreamWriter? _error;
    private UserSettings? _settings;
    private ApiClient? _api;

    public TimeProvider Clock { get; } = clock;

    /// <summary>UTF-8 without a mark on every system, line feeds only.</summary>
    public TextWriter Out => _out ??= Writer(_stdout, autoFlush: false);

    public TextWriter Error => _error ??= Writer(Console.OpenStandardError(), autoFlush: true);

    /// <summary>For writers of bytes. Text written before through <see cref="Out"/> comes first.</summary>
    public Stream OutBytes
    {
        get
        {
            _out?.Flush();
            return _stdout;
        }
    }

    public bool OutIsTerminal => !Console.IsOutputRedirected;

    public bool ErrorIsTerminal => !Console.IsErrorRedirected;

    public UserSettings Settings => _settings ??= new UserSettings(new ConfigFolder(ConfigFolder.DefaultPath()));

    /// <summary>The server of this user, with the stored token.</summary>
    public ApiClient Api => _api ??= new ApiClient(this, Settings.Server(), Settings.Token());

    public int Width
    {
        get
        {
            if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns > 0) return Math.Max(WidthMin, columns);
            if (!OutIsTerminal) return WidthFallback;
            try
            {
                return Console.WindowWidth is > 0 and var width ? Math.Max(WidthMin, width) : WidthFallback;
            }
            catch (IOException)
            {
                return WidthFallback;
            }
        }
    }

    /// <summary>Another server or token than the stored ones, for signing in.</summary>
    public ApiClient ApiFor(ServerAddress server, string? token, KeyValuePair<string, string>? header = null) => new(this, server, token) { Header = header };

    public void Flush()
    {
        _out?.Flush();
        _stdout.Flush();
    }

    public void Dispose()
    {
        Flush();
        _api?.Dispose();
    }

    private static StreamWriter Writer(Stream stream, bool autoFlush) =>
        new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = autoFlush, NewLine = "\n" };
}
