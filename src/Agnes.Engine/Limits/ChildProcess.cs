using System.Diagnostics;
using System.Text;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Engine.Limits;

/// <summary>The program whose first argument chooses a role, and the arguments that must come before it.</summary>
public sealed record WorkerProgram(string File, IReadOnlyList<string> Before)
{
    /// <summary>
    /// Beside this assembly the <c>agnes-worker</c> that was compiled ahead of time, else the <c>agnes-server</c>, else the program that is running (tests are their own workers).
    /// </summary>
    public static WorkerProgram Default { get; } = Find();

    /// <summary>What the operator wants of the walls around children.</summary>
    public WallMode Walls { get; init; }

    /// <summary>What children of this program do not have around them, in words for the operator.</summary>
    public IReadOnlyList<string> MissingWalls => Walls == WallMode.Off ? ["all (AGNES_WALLS=off)"] : [.. WalledStart.Of(this).Missing, .. Exposed];

    /// <summary>What no child may reach and every child does, since it lies in a folder that programs are run from; in words for the operator.</summary>
    public IReadOnlyList<string> Exposed { get; init; } = [];

    private static WorkerProgram Find()
    {
        foreach (var name in (string[])["agnes-worker", "agnes-server"])
        {
            var beside = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? name + ".exe" : name);
            if (System.IO.File.Exists(beside)) return new WorkerProgram(beside, []);
        }

        var running = Environment.ProcessPath ?? throw new InvalidOperationException("The program's own path is unknown.");
        return Path.GetFileNameWithoutExtension(running) == "dotnet"
            ? new WorkerProgram(running, [Environment.GetCommandLineArgs()[0]])
            : new WorkerProgram(running, []);
    }
}

/// <summary>Takes bytes that live no longer than the call.</summary>
public delegate void HearBytes(ReadOnlySpan<byte> bytes);

/// <summary>
/// The only place that starts processes: an environment of its own, both pipes, walls around what it was not given, killed when disposed, first to go when memory runs out.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int ErrorTailCharactersMax = 8192;
    private const string OutOfMemoryFirst = "1000";
    private const int KillSignal = 9;

    /// <summary>Starts a program as the head of a process group of its own, so that whatever it starts ends with it.</summary>
    private const string OwnGroup = "/usr/bin/setsid";
    private static readonly TimeSpan ExitWait = TimeSpan.FromSeconds(10);

    // What the runtime needs to start; nothing that could hold a secret.
    private static readonly string[] EnvironmentAllowed = ["DOTNET_ROOT", "DOTNET_ROOT_X64", "DOTNET_ROOT_ARM64", "LANG", "SystemRoot", .. RuntimeFiles.AuthoritiesNames];

    private static readonly TimeSpan LastWordsWait = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly bool _isGroup;
    private readonly StringBuilder _errors = new();
    private readonly Task _errorReading;

    private ChildProcess(Process process, bool isGroup)
    {
        _isGroup = isGroup;
        _process = process;
        Id = process.Id;
        Exited = WaitAsync();
        _errorReading = Task.Run(ReadErrorsAsync, CancellationToken.None);
    }

    public int Id { get; }

    /// <summary>The child's standard input. Closing it asks the child to end.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>Completes with the exit code; a negative or 128+n code means killed by a signal.</summary>
    public Task<int> Exited { get; }

    /// <summary>The end of what the child wrote to standard error.</summary>
    public string ErrorTail
    {
        get
        {
            lock (_errors) return _errors.ToString();
        }
    }

    /// <summary>The same of a child that has ended, once all of it has arrived; a process that it left behind may hold the pipe, so not for long.</summary>
    public async Task<string> LastWordsAsync()
    {
        await Exited;
        await _errorReading.WaitAsync(LastWordsWait).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ErrorTail;
    }

    /// <param name="role">First argument of our own program, e.g. <c>extract-worker</c>.</param>
    /// <param name="scratch">Home and temporary folder of the child.</param>
    /// <param name="reach">What it may open besides that folder, and whether it may make connections.</param>
    /// <param name="environment">Added to the few variables that are passed on.</param>
    /// <exception cref="WallException">Its walls could not be put up.</exception>
    public static ChildProcess Start(
        WorkerProgram program, string role, string scratch, Reach reach, IReadOnlyDictionary<string, string>? environment = null, params IReadOnlyList<string> arguments)
    {
        var isGroup = reach.Runs.Count > 0 && File.Exists(OwnGroup);
        var info = new ProcessStartInfo(isGroup ? OwnGroup : program.File)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = scratch,
        };
        foreach (var argument in (IEnumerable<string>)[.. isGroup ? (string[])[program.File] : [], .. program.Before, role, .. arguments]) info.ArgumentList.Add(argument);
        SetEnvironment(info.Environment, scratch, environment);
        var process = WalledStart.Start(program, info, reach);
        PreferForOutOfMemory(process.Id);
        return new ChildProcess(process, isGroup);
    }

    /// <summary>Resident memory now; 0 when the child is gone or the system does not tell.</summary>
    public long ResidentBytes()
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                _process.Refresh();
                return _process.HasExited ? 0 : _process.WorkingSet64;
            }
            Span<byte> text = stackalloc byte[128];
            using var file = File.OpenHandle($"/proc/{Id}/statm");
            var read = text[..RandomAccess.Read(file, text, 0)];
            var resident = read[(read.IndexOf((byte)' ') + 1)..];
            return System.Buffers.Text.Utf8Parser.TryParse(resident, out long pages, out _) ? pages * Environment.SystemPageSize : 0;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return 0; // it has just ended
        }
    }

    /// <summary>Processor time used so far, in which a busy machine does not count; zero when the child is gone.</summary>
    public TimeSpan ProcessorTime()
    {
        try
        {
            return _process.TotalProcessorTime;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return TimeSpan.Zero; // it has just ended
        }
    }

    public void Kill()
    {
        try
        {
            if (_isGroup) _ = Libc.Kill(-Id, KillSignal);
            _process.Kill(entireProcessTree: false);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself, which is what was wanted.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        try
        {
            await Exited.WaitAsync(ExitWait);
            await _errorReading.WaitAsync(ExitWait);
        }
        catch (TimeoutException)
        {
            // The system will reap it; waiting longer would only hold up the caller.
        }
        _process.Dispose();
    }

    /// <summary>For the child's side: ends this process at once when the parent is gone, even while native code runs.</summary>
    /// <remarks>Not PR_SET_PDEATHSIG: that fires when the <i>thread</i> that started the child ends, and ours are pool threads.</remarks>
    /// <param name="last">Run before the end; must be quick.</param>
    /// <param name="heard">Given what the parent says after its request, as it comes; null: nothing is expected.</param>
    public static void EndWithParent(Stream input, Action? last = null, HearBytes? heard = null) => _ = Task.Factory.StartNew(
        () =>
        {
            Span<byte> rest = stackalloc byte[256];
            while (input.Read(rest) is > 0 and var read) heard?.Invoke(rest[..read]);
            using var self = Process.GetCurrentProcess();
            try
            {
                last?.Invoke();
            }
            finally
            {
                self.Kill();
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void SetEnvironment(IDictionary<string, string?> target, string scratch, IReadOnlyDictionary<string, string>? extra)
    {
        target.Clear();
        foreach (var name in EnvironmentAllowed)
            if (Environment.GetEnvironmentVariable(name) is { } value) target[name] = value;
        if (!target.ContainsKey("DOTNET_ROOT") && RuntimeFiles.RuntimeRoot() is { } root) target["DOTNET_ROOT"] = root;
        target["HOME"] = scratch;
        target["TMPDIR"] = scratch;
        target["DOTNET_EnableDiagnostics"] = "0"; // no debugger sockets
        target["DOTNET_gcServer"] = "0";
        if (extra is null) return;
        foreach (var (name, value) in extra) target[name] = value;
    }

    private static void PreferForOutOfMemory(int id)
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            File.WriteAllText($"/proc/{id}/oom_score_adj", OutOfMemoryFirst);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended already, or the system does not allow it; then the kernel chooses by size.
        }
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        return _process.ExitCode;
    }

    private async Task ReadErrorsAsync()
    {
        var buffer = new char[1024];
        try
        {
            int read;
            while ((read = await _process.StandardError.ReadAsync(buffer)) > 0) Keep(buffer.AsSpan(0, read));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The pipe went away with the child.
        }
    }

    private void Keep(ReadOnlySpan<char> text)
    {
        lock (_errors)
        {
            _errors.Append(text);
            if (_errors.Length > ErrorTailCharactersMax) _errors.Remove(0, _errors.Length - ErrorTailCharactersMax);
        }
    }
}
