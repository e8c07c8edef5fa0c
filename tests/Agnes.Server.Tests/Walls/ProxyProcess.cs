using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>A real nginx or Caddy in front of a test's server, with everything that it writes in a temporary folder.</summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    public const string Host = "agnes.example.com";
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder;
    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private ProxyProcess(TemporaryFolder folder, ProcessStartInfo info, int port)
    {
        (_folder, Port) = (folder, port);
        info.RedirectStandardError = true;
        info.RedirectStandardOutput = true;
        _process = Process.Start(info)!;
        foreach (var read in (Action<DataReceivedEventHandler>[])[handler => _process.ErrorDataReceived += handler, handler => _process.OutputDataReceived += handler])
        {
            read((_, line) =>
            {
                lock (_said) _said.AppendLine(line.Data);
            });
        }

        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public int Port { get; }

    /// <summary>An address of this machine that is not the loopback's, where it has one: the proxy then sees a client from there.</summary>
    public static IPAddress Address { get; } = NetworkInterface.GetAllNetworkInterfaces().Where(network => network.OperationalStatus == OperationalStatus.Up)
        .SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address)) ?? IPAddress.Loopback;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <param name="servers">What stands in its <c>http</c> block. <c>{folder}</c> is a folder with <c>agnes.crt</c> and <c>agnes.key</c>.</param>
    public static async Task<ProxyProcess> NginxAsync(string servers, int port)
    {
        var folder = new TemporaryFolder();
        await WriteCertificateAsync(folder);
        await File.WriteAllTextAsync(folder["nginx.conf"], $$"""
            daemon off;
            master_process off;
            pid {{folder.Path}}/pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{folder.Path}}/a; proxy_temp_path {{folder.Path}}/b; fastcgi_temp_path {{folder.Path}}/c; uwsgi_temp_path {{folder.Path}}/d; scgi_temp_path {{folder.Path}}/e;
              {{servers.Replace("{folder}", folder.Path, StringComparison.Ordinal)}}
            }
            """);
        return await new ProxyProcess(folder, new ProcessStartInfo("nginx", ["-e", folder["error.log"], "-c", folder["nginx.conf"]]), port).ReadyAsync();
    }

    public static async Task<ProxyProcess> CaddyAsync(string sites, int port)
    {
        var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["Caddyfile"], $"{{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}}\n\n{sites}");
        var info = new ProcessStartInfo("caddy", ["run", "--config", folder["Caddyfile"], "--adapter", "caddyfile"]);
        foreach (var name in (string[])["XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"]) info.Environment[name] = folder.Path;
        return await new ProxyProcess(folder, info, port).ReadyAsync();
    }

    /// <summary>Comes from <see cref="Address"/> for <see cref="Host"/>, and trusts no certificate but the proxy's.</summary>
    /// <param name="from">Another of this machine's addresses to come from.</param>
    public async Task<Answer> SendAsync(string method, string path, string? body = null, Action<HttpRequestMessage>? change = null, IPAddress? from = null, string scheme = "https")
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                if (from is not null) socket.Bind(new IPEndPoint(from, 0));
                await socket.ConnectAsync(new IPEndPoint(from ?? Address, Port), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = IsTheProxys },
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{scheme}://{Host}:{Port}{path}");
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, body.StartsWith('{') ? "application/json" : "application/x-www-form-urlencoded");
        change?.Invoke(request);
        using var response = await client.SendAsync(request);
        return new Answer(
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join("; ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private bool IsTheProxys(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors faults)
    {
        if (faults.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) || certificate is not X509Certificate2 leaf) return false;
        var root = File.Exists(_folder["agnes.crt"]) ? _folder["agnes.crt"] : _folder["caddy/pki/authorities/local/root.crt"];
        using var trusted = X509CertificateLoader.LoadCertificateFromFile(root);
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.Add(trusted);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in chain?.ChainElements ?? (IEnumerable<X509ChainElement>)[]) own.ChainPolicy.ExtraStore.Add(element.Certificate);
        return own.Build(leaf);
    }

    private async Task<ProxyProcess> ReadyAsync()
    {
        var until = Stopwatch.StartNew();
        while (until.Elapsed < StartTimeMax && !_process.HasExited)
        {
            try
            {
                // Also that a certificate is there to be shown.
                var scheme = File.Exists(_folder["nginx.conf"]) && !(await File.ReadAllTextAsync(_folder["nginx.conf"])).Contains(" ssl;", StringComparison.Ordinal) ? "http" : "https";
                await SendAsync("GET", "/api/health/live", scheme: scheme);
                return this;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }

        var exit = _process.HasExited ? $"ended with {_process.ExitCode}" : "does not answer";
        await DisposeAsync();
        throw new InvalidOperationException($"The proxy {exit}: {_said}");
    }

    private static async Task WriteCertificateAsync(TemporaryFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(folder["agnes.crt"], certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder["agnes.key"], key.ExportPkcs8PrivateKeyPem());
    }
}
