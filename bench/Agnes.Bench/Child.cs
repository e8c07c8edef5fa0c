using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Agnes.Bench;

/// <summary>A process of the benchmark's own. It is ended with the benchmark, also when that is killed: a shell holds it and ends it when our end of its input closes.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It did not exit with 0; the message holds the tail of what it wrote.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var info = Info(program, arguments, environment, folder);
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var text = await output;
        var error = await errors;
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {Tail(text + error)}");
        return text;
    }

    /// <summary>Starts a program and waits until a line of its output satisfies <paramref name="ready"/>.</summary>
    public static async Task<(Child Child, string Line)> StartAsync(string program, IEnumerable<string> arguments, Func<string, bool> ready, IReadOnlyDictionary<string, string>? environment = null)
    {
        var shell = new[] { "-c", "\"$@\" <&3 2>&1 & p=$!; cat >/dev/null; kill -TERM $p 2>/dev/null; wait $p", "sh", program }.Concat(arguments);
        var info = Info("/bin/sh", ["-c", "exec 3</dev/null; exec /bin/sh \"$@\"", "sh", .. shell], environment, null);
        var process = Process.Start(info)!;
        _ = process.StandardError.ReadToEndAsync();
        var seen = new StringBuilder();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            seen.AppendLine(line);
            if (!ready(line)) continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return (new Child(process), line);
        }

        throw new InvalidOperationException($"{program} ended before it was ready: {Tail(seen.ToString())}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static ProcessStartInfo Info(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, string? folder)
    {
        var info = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Path.GetTempPath() };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) info.Environment[name] = value;
        return info;
    }

    private static string Tail(string text) => text.Length > 2000 ? text[^2000..] : text;
}

/// <summary>A peer that answers one line for each line it is given.</summary>
internal sealed class LinePeer : IAsyncDisposable
{
    private readonly Process _process;

    public LinePeer(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        _process = Process.Start(info)!;
    }

    public async Task<double> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The peer ended.");
        return double.Parse(answer.Split(' ')[0]);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
