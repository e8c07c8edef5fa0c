using System.Diagnostics;
using System.Text.Json;

namespace Agnes.Cli.Tests;

/// <summary>
/// The built program, or the packed one that <c>AGNES_TEST_PROGRAM</c> names (<c>deploy/pack --test</c>), started as a process with a configuration folder, a home and a
/// workspace of its own.
/// </summary>
internal sealed class AgnesProgram : IDisposable
{
    private const int SecondsMax = 120;

    /// <summary>On the tests that say in a minute whether a packed program is whole.</summary>
    public const string Packed = "Packed";

    public const string Sample = "sample";

    private readonly Testing.TemporaryFolder _folder = new();

    public AgnesProgram(string? server = null)
    {
        foreach (var name in (string[])["config", "home", "workspace"]) Directory.CreateDirectory(_folder[name]);
        if (server is not null) File.WriteAllText(_folder["config", "config.yaml"], $"server: {server}\n");
    }

    /// <summary>The packed program under test; null: the built one is.</summary>
    public static string? PackedProgram { get; } = System.Environment.GetEnvironmentVariable("AGNES_TEST_PROGRAM") is { Length: > 0 } given ? Path.GetFullPath(given) : null;

    public static string Program { get; } = PackedProgram ?? Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "agnes.exe" : "agnes");

    /// <summary>With a slash at its end.</summary>
    public static string Folder { get; } = Path.GetDirectoryName(Program)! + Path.DirectorySeparatorChar;

    public string Workspace => _folder["workspace"];

    public string Config => _folder["config"];

    public string Home => _folder["home"];

    /// <summary>Where the agent keeps the transcripts of sessions in the workspace.</summary>
    public string Transcripts => TranscriptsOf(Workspace);

    public Dictionary<string, string?> Environment { get; } = new(StringComparer.Ordinal);

    public string InWorkspace(params string[] parts) => Path.Combine([Workspace, .. parts]);

    public string TranscriptsOf(string folder) => Path.Combine(Home, ".claude", "projects", string.Concat(folder.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')));

    /// <summary>A session's transcript where the agent would have it.</summary>
    public string Transcript(string name, string text)
    {
        var path = Path.Combine(Directory.CreateDirectory(Transcripts).FullName, name + ".jsonl");
        if (!File.Exists(path)) File.WriteAllText(path, text);
        return path;
    }

    public void SignIn(string token = FakeServer.Token) =>
        File.WriteAllText(Path.Combine(Config, "token.json"), $$"""{"access_token":"{{token}}","email":"ana@example.com"}""");

    /// <summary>Another server and a token for it, both in the environment; null: neither.</summary>
    public void Elsewhere(string? url)
    {
        Environment["AGNES_SERVER"] = url;
        Environment["AGNES_TOKEN"] = url is null ? null : FakeServer.Token;
    }

    public Process Start(string[] arguments, bool withInput = false, string? directory = null, string? program = null)
    {
        var process = StartProgram(program ?? Program, arguments, directory);
        if (!withInput) process.StandardInput.Close();
        return process;
    }

    /// <summary>Another program, that finds ours on its path.</summary>
    public Process StartProgram(string program, string[] arguments, string? directory = null)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? Workspace,
        };
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("AGNES_", StringComparison.Ordinal) || name is "SSL_CERT_FILE" or "COLUMNS" or "CLAUDE_CONFIG_DIR" or "CLAUDECODE" or "CLAUDE_CODE_SESSION_ID").ToList()) info.Environment.Remove(name);
        info.Environment["AGNES_CONFIG_DIR"] = Config;
        info.Environment["HOME"] = _folder["home"];
        info.Environment["AGNES_NO_UPDATE_CHECK"] = "1";
        info.Environment["NO_PROXY"] = "127.0.0.1,localhost";
        info.Environment["PATH"] = $"{Folder}{Path.PathSeparator}{System.Environment.GetEnvironmentVariable("PATH")}";
        foreach (var (name, value) in Environment) info.Environment[name] = value;
        return Process.Start(info)!;
    }

    public Task<Outcome> RunAsync(params string[] arguments) => RunWithInputAsync(null, arguments);

    public async Task<Outcome> RunWithInputAsync(string? input, params string[] arguments)
    {
        using var process = Start(arguments, withInput: input is not null);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        return await FinishAsync(process);
    }

    public static async Task<Outcome> FinishAsync(Process process)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(SecondsMax));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        return new Outcome(process.ExitCode, await output, await error);
    }

    public void Dispose() => _folder.Dispose();
}

internal sealed record Outcome(int ExitCode, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    public Outcome ShouldSucceed()
    {
        ExitCode.ShouldBe(0, $"stdout: {Out}\nstderr: {Error}");
        return this;
    }

    public Outcome ShouldFail(int exitCode)
    {
        ExitCode.ShouldBe(exitCode, $"stdout: {Out}\nstderr: {Error}");
        return this;
    }
}
