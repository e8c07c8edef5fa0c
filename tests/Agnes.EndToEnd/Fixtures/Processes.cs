using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Agnes.EndToEnd.Fixtures;

/// <summary>How a program ended.</summary>
public sealed record Ended(int ExitCode, string Output, string Errors);

/// <summary>Programs of this build, run as children that cannot outlive the tests, even when those are killed.</summary>
public static class Processes
{
    private static readonly TimeSpan RunLimit = TimeSpan.FromSeconds(120);

    /// <summary>Where the build put a program: <c>agnes-server</c> or <c>agnes</c>.</summary>
    public static string Program(string name)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var project = name == "agnes" ? "Agnes.Cli" : "Agnes.Server";
        return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", project, configuration, name));
    }

    /// <summary>Starts a program in the background. A shell holds it, and ends it as soon as our end of the shell's input closes.</summary>
    /// <param name="stopSignal">By which it is asked to end.</param>
    public static Running Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, string stopSignal = "TERM")
    {
        var script = $"\"$@\" & p=$!; echo \"PID $p\"; cat >/dev/null; kill -{stopSignal} $p 2>/dev/null; wait $p";
        return new Running(Process.Start(Info(["/bin/sh", "-c", script, "sh", .. command], environment, folder))!);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<Ended> RunAsync(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, string? input = null, CancellationToken stop = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(RunLimit);
        using var process = Process.Start(Info(command, environment, folder))!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new Ended(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static ProcessStartInfo Info(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment, string? folder)
    {
        var info = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var argument in command.Skip(1)) info.ArgumentList.Add(argument);

        // The settings of whoever runs the tests must not reach what is tested.
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("AGNES_", StringComparison.Ordinal)).ToList()) info.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal)) info.Environment[name] = value;
        return info;
    }
}

/// <summary>A program in the background, with what it has said so far.</summary>
public sealed partial class Running : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);
    private readonly Process _shell;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource<int> _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Running(Process shell)
    {
        _shell = shell;
        shell.OutputDataReceived += (_, line) => Take(line.Data);
        shell.ErrorDataReceived += (_, line) => Take(line.Data);
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
    }

    /// <summary>Everything on both outputs.</summary>
    public string Said => string.Join('\n', _lines);

    public Task<int> Pid => _pid.Task;

    /// <summary>Whether the program itself, not the shell around it, still runs.</summary>
    public async Task<bool> IsRunningAsync() => !_shell.HasExited && Directory.Exists($"/proc/{await Pid}");

    /// <summary>Where a server listens, once it does.</summary>
    public async Task<string> UrlAsync()
    {
        using var patience = new CancellationTokenSource(StartLimit);
        while (true)
        {
            if (Listening().Match(Said) is { Success: true } line) return line.Groups["url"].Value;
            await Task.Delay(50, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        using var limit = new CancellationTokenSource(EndLimit);
        try
        {
            await _shell.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _shell.Kill(entireProcessTree: true);
        }

        _shell.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        if (line.StartsWith("PID ", StringComparison.Ordinal) && int.TryParse(line.AsSpan(4), out var pid)) _pid.TrySetResult(pid);
        else _lines.Enqueue(line);
    }

    [GeneratedRegex("Now listening on: (?<url>http://[0-9.:]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();
}
