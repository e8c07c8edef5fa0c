using System.Diagnostics;
using System.Globalization;
using Agnes.Testing;
using MySqlConnector;

namespace Agnes.Connectors.Tests.Databases;

/// <summary>A MariaDB of one's own, ended with this process, however that ends. Tests are skipped where it is not installed.</summary>
public sealed class MariaDb : IAsyncLifetime
{
    private const string Program = "/usr/sbin/mariadbd";
    private const int Port = 3306;
    private readonly TemporaryFolder _folder = new();
    private Process? _server;

    /// <summary>Of its own within this machine, so that several can use the usual port.</summary>
    public string Address { get; } = $"127.{Random.Shared.Next(1, 255)}.{Random.Shared.Next(1, 255)}.{Random.Shared.Next(1, 255)}";

    public Dictionary<string, string> Options => new(StringComparer.Ordinal)
    {
        ["host"] = Address,
        ["database"] = "shop",
        ["user"] = "reader",
        ["password"] = "only reads",
        ["ssl_mode"] = "disable",
        ["allowed_private_hosts"] = Address,
    };

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program)) Assert.Skip("MariaDB is not installed.");
        var data = _folder["data"];
        var user = Environment.IsPrivilegedProcess ? "--user=mysql" : "--skip-name-resolve";
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "mysql:mysql", _folder.Path);
        await RunAsync(
            "mariadb-install-db", "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", user);
        _server = StartHeld(
            Program, "--no-defaults", user, $"--datadir={data}", $"--socket={_folder["socket"]}", $"--bind-address={Address}", $"--port={Port}",
            "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--sql-mode=");
        for (var left = 300; ; left--)
        {
            try
            {
                await ExecuteAsync("""
                    CREATE DATABASE shop CHARACTER SET utf8mb4;
                    CREATE USER reader IDENTIFIED BY 'only reads';
                    GRANT SELECT ON shop.* TO reader
                    """, "mysql");
                return;
            }
            catch (MySqlException) when (left > 0 && !_server.HasExited)
            {
                await Task.Delay(100);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.StandardInput.Close();
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        _folder.Dispose();
    }

    public async Task ExecuteAsync(string sql, string database = "shop")
    {
        await using var connection = await OpenAsync(database);
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = await OpenAsync("shop");
        await using var command = new MySqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>The first column of a query's rows, as text.</summary>
    public async Task<List<string>> LinesAsync(string sql)
    {
        await using var connection = await OpenAsync("shop");
        await using var command = new MySqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync()) lines.Add(Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture)!);
        return lines;
    }

    private async Task<MySqlConnection> OpenAsync(string database)
    {
        var connection = new MySqlConnection($"Server={_folder["socket"]};ConnectionProtocol=Unix;User ID=root;Database={database};Pooling=false;AllowUserVariables=true");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program}: {await output}{errors}");
    }

    /// <summary>A shell holds the program and ends it when our end of its input closes: also when this process is killed.</summary>
    private static Process StartHeld(params string[] command)
    {
        const string Hold = "\"$@\" >/dev/null 2>&1 </dev/null & p=$!; cat >/dev/null; kill -KILL $p 2>/dev/null; wait $p";
        var info = new ProcessStartInfo("/bin/sh", ["-c", Hold, "sh", .. command]) { UseShellExecute = false, RedirectStandardInput = true };
        return Process.Start(info)!;
    }
}
