using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agnes.Campaigns;

/// <summary>A real server over a data folder, that can be killed at any instant. A shell holds it, so that it cannot outlive the campaign.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private readonly Process _shell;
    private bool _isDisposed;

    private ServerProcess(Process shell, int pid, string url)
    {
        (_shell, Pid, Url) = (shell, pid, url);
        Client = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromSeconds(60) };
    }

    public int Pid { get; }

    public string Url { get; }

    public HttpClient Client { get; }

    public static string Program(string name) =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", name == "agnes" ? "Agnes.Cli" : "Agnes.Server", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), name));

    public static async Task<ServerProcess> StartAsync(string data, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        var info = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var part in (string[])["-c", "\"$@\" 2>&1 & p=$!; echo \"PID $p\"; cat >/dev/null; kill -9 $p 2>/dev/null; wait $p", "sh", Program("agnes-server")]) info.ArgumentList.Add(part);
        info.Environment["DATA_DIR"] = data;
        info.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        info.Environment["AGNES_AUTH_RATELIMIT_ENABLED"] = "0";
        info.Environment["AGNES_API_RATE"] = "0";
        foreach (var (name, value) in environment) info.Environment[name] = value;
        var shell = Process.Start(info)!;
        var seen = new StringBuilder();
        shell.ErrorDataReceived += (_, line) => { lock (seen) seen.AppendLine(line.Data); };
        shell.BeginErrorReadLine();
        var pid = 0;
        while (await shell.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            lock (seen) seen.AppendLine(line);
            if (line.StartsWith("PID ", StringComparison.Ordinal)) pid = int.Parse(line[4..]);
            if (ListeningOn().Match(line) is not { Success: true } address)
            {
                // The shell waits for our end of its input, so a server that died is found by looking.
                if (pid > 0 && !Directory.Exists($"/proc/{pid}")) break;
                continue;
            }

            _ = shell.StandardOutput.ReadToEndAsync(cancellation);
            return new ServerProcess(shell, pid, address.Groups[1].Value);
        }

        shell.StandardInput.Close();
        throw new InvalidOperationException($"The server did not start: {seen}");
    }

    public void Kill()
    {
        using var kill = Process.Start("/bin/kill", ["-9", $"{Pid}"]);
        kill.WaitForExit();
    }

    public async Task<JsonNode> PostAsync(string path, object body, CancellationToken cancellation)
    {
        using var response = await Client.PostAsJsonAsync(path, body, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"POST {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public async Task SignInAsync(string email, string password, CancellationToken cancellation)
    {
        var session = await PostAsync("/auth/token", new { email, password }, cancellation);
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)session["access_token"]!);
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        Client.Dispose();
        _shell.StandardInput.Close();
        _shell.WaitForExit();
        _shell.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://[\d.:]+)")]
    private static partial Regex ListeningOn();
}
