using System.Data.Common;
using System.Diagnostics;

namespace Agnes.Testing;

/// <summary>
/// A PostgreSQL server of one's own, started on first use and ended with this process, however that ends. It listens on a socket in a
/// temporary folder, and on an address of this machine that nobody else has.
/// </summary>
/// <param name="settings">Of the server besides what tests need, as <c>name=value</c>.</param>
public sealed class PostgresCluster(params string[] settings) : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);
    private readonly SemaphoreSlim _starting = new(1, 1);

    /// <summary>Of its own within this machine, so that several can use the usual port.</summary>
    private readonly string _address = $"127.{Random.Shared.Next(1, 255)}.{Random.Shared.Next(1, 255)}.{Random.Shared.Next(1, 255)}";
    private string? _folder;
    private Process? _server;
    private int _databases;

    /// <summary>Empty where PostgreSQL is not installed.</summary>
    public static string? Binaries { get; } = !Directory.Exists("/usr/lib/postgresql") ? null : Directory.EnumerateDirectories("/usr/lib/postgresql")
        .Select(folder => Path.Combine(folder, "bin")).Where(bin => File.Exists(Path.Combine(bin, "postgres"))).Order(StringComparer.Ordinal).LastOrDefault();

    /// <summary>Where it is reached by TCP, for what cannot use the socket in its folder; the port is the usual one.</summary>
    public string Address => _address;

    /// <param name="like">Of a database that nobody has open: the new one holds the same. Null: it is empty.</param>
    /// <returns>A connection string.</returns>
    public async Task<string> NewDatabaseAsync(string? like = null)
    {
        await StartAsync();
        var name = $"t{Interlocked.Increment(ref _databases)}";
        var template = like is null ? "template0" : (string)new DbConnectionStringBuilder { ConnectionString = like }["Database"];
        await RunAsync("psql", ["-h", _folder!, "-U", "postgres", "-q", "-c", $"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"]);
        return $"Host={_folder};Username=postgres;Database={name};Maximum Pool Size=20";
    }

    /// <summary>Ends the server; the data stay.</summary>
    public async Task StopAsync()
    {
        if (_server is null) return;
        _server.StandardInput.Close();
        await _server.WaitForExitAsync();
        _server.Dispose();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_folder is not null && Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _starting.Dispose();
    }

    private async Task StartAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_server is not null) return;
            if (Binaries is null || OperatingSystem.IsWindows()) throw new InvalidOperationException("PostgreSQL is not installed.");
            var isNew = _folder is null;
            _folder ??= Directory.CreateTempSubdirectory("agnes-pg-").FullName;
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
            if (Environment.IsPrivilegedProcess) await RunAsync("/bin/chown", ["postgres:postgres", _folder]);
            var data = Path.Combine(_folder, "data");
            if (isNew) await RunAsync("initdb", ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]);
            // synchronous_commit stays on: without it a killed server loses commits that it acknowledged. Hundreds of databases that live for
            // seconds need no vacuum, which would start a process for each of them in turn.
            var server = StartHeld(AsPostgres("postgres",
                ["-D", data, "-k", _folder,
                    .. ((string[])[$"listen_addresses={_address}", "fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=300",
                        .. settings])
                        .SelectMany(setting => (string[])["-c", setting])]));
            using var limit = new CancellationTokenSource(StartTimeMax);
            while (await server.StandardError.ReadLineAsync(limit.Token) is { } line)
            {
                if (!line.Contains("ready to accept connections", StringComparison.Ordinal)) continue;
                _ = server.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                _server = server;
                return;
            }
            throw new InvalidOperationException("PostgreSQL did not start.");
        }
        finally
        {
            _starting.Release();
        }
    }

    private static async Task RunAsync(string program, string[] arguments)
    {
        var command = program.Contains('/') ? [program, .. arguments] : AsPostgres(program, arguments);
        var info = new ProcessStartInfo(command[0]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var part in command[1..]) info.ArgumentList.Add(part);
        using var process = Process.Start(info) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program}: {errors}");
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static string[] AsPostgres(string program, string[] arguments) => Environment.IsPrivilegedProcess
        ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", Path.Combine(Binaries!, program), .. arguments]
        : [Path.Combine(Binaries!, program), .. arguments];

    /// <summary>A shell holds the program and ends it when our end of its input closes: also when this process is killed.</summary>
    private static Process StartHeld(string[] command)
    {
        var info = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var part in (string[])["-c", "\"$@\" & p=$!; cat >/dev/null; kill -INT $p 2>/dev/null; wait $p", "sh", .. command]) info.ArgumentList.Add(part);
        return Process.Start(info) ?? throw new InvalidOperationException("/bin/sh did not start.");
    }
}
