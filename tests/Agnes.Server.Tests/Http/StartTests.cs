using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Agnes.Testing;

namespace Agnes.Server.Tests.Http;

public sealed class StartTests
{
    [Fact]
    public async Task An_address_that_is_taken_is_said_in_one_line_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        var program = Path.Combine(AppContext.BaseDirectory, "agnes-server");
        using var server = Process.Start(new ProcessStartInfo(program, ["--data-dir", folder.Path, "--urls", url]) { RedirectStandardError = true, UseShellExecute = false })!;

        var said = (await server.StandardError.ReadToEndAsync()).TrimEnd().Split('\n');

        await server.WaitForExitAsync();
        server.ExitCode.ShouldBe(2);
        said[^1].ShouldContain(url);
        said[^1].ShouldContain("choose another address: --urls");
        said.ShouldNotContain(line => line.StartsWith("Unhandled", StringComparison.Ordinal));
    }
}
