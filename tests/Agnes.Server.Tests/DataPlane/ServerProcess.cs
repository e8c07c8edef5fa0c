using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>The real program in a process of its own, which a test may kill.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "agnes-server");
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors) _errors.AppendLine(line.Data);
            if (line.Data is null) _address.TrySetException(new InvalidOperationException($"The server ended before it listened: {_errors}"));
            else if (ListeningOn().Match(line.Data) is { Success: true } address) _address.TrySetResult(address.Groups[1].Value);
        };
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public HttpClient Client { get; private set; } = new();

    /// <summary>Returns when the server answers.</summary>
    public static Task<ServerProcess> StartAsync(string dataDir, params string[] arguments) => StartAsync(dataDir, new Dictionary<string, string>(), arguments);

    /// <inheritdoc cref="StartAsync(string, string[])"/>
    public static async Task<ServerProcess> StartAsync(string dataDir, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var info = new ProcessStartInfo(Program, ["--data-dir", dataDir, "--urls", "http://127.0.0.1:0", .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["SEED_ADMIN_EMAIL"] = "root@example.com";
        info.Environment["SEED_ADMIN_PASSWORD"] = "a long password";
        info.Environment["AGNES_MEMORY"] = "600MiB";
        info.Environment["AGNES_CHECK_STATE"] = "1";
        foreach (var (name, value) in environment) info.Environment[name] = value;
        var server = new ServerProcess(Process.Start(info)!);
        server.Client = new HttpClient { BaseAddress = new Uri(await server._address.Task.WaitAsync(StartTimeMax)) };
        for (var i = 0; i < 600; i++)
        {
            if (server._process.HasExited) throw new InvalidOperationException($"The server ended with code {server._process.ExitCode}: {server._errors}");
            try
            {
                using var answer = await server.Client.GetAsync("/api/health/ready");
                if (answer.IsSuccessStatusCode) return server;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }
        throw new TimeoutException("The server did not get ready.");
    }

    public async Task SignInAsync(string email = "root@example.com", string password = "a long password")
    {
        var token = (await SendAsync("POST", "/auth/token", new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString())).Json["access_token"]!.GetValue<string>();
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public async Task<(int Status, JsonNode Json)> SendAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!);
    }

    /// <summary>As a power cut would: no handler runs.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://[\d.:]+)")]
    private static partial Regex ListeningOn();
}
