namespace Agnes.Bench;

/// <summary>The node, python and nginx sides.</summary>
internal static class Peers
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Peers");

    public static async Task InstallAsync()
    {
        // Not `npm ci`: the lock of this version names platforms that cannot be had, and npm then refuses it. The version itself is pinned.
        if (Directory.Exists(Path.Combine(Folder, "node_modules", "@duckdb", "node-api"))) return;
        await Child.RunAsync("npm", ["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder: Folder);
    }

    public static string Script(string name) => Path.Combine(Folder, name);

    /// <summary>nginx as fast as it gets at sending a file: sendfile, tcp_nopush, threads for cold pages.</summary>
    public static async Task<(Child Child, string Url)> StartNginxAsync(string root)
    {
        var port = Child.FreePort();
        var folder = Directory.CreateTempSubdirectory("agnes-bench-nginx-").FullName;
        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            worker_processes 2;
            pid {{folder}}/pid;
            error_log {{folder}}/error.log;
            events { worker_connections 256; }
            http {
              access_log off; sendfile on; sendfile_max_chunk 512k; tcp_nopush on; tcp_nodelay on; aio threads; keepalive_requests 1000000;
              client_body_temp_path {{folder}}/a; proxy_temp_path {{folder}}/b; fastcgi_temp_path {{folder}}/c; uwsgi_temp_path {{folder}}/d; scgi_temp_path {{folder}}/e;
              server { listen 127.0.0.1:{{port}}; root {{root}}; }
            }
            """);
        await Child.RunAsync("chmod", ["-R", "a+rX", root, folder]);
        var (child, _) = await Child.StartAsync("/bin/sh", ["-c", $"nginx -e {folder}/error.log -c {configuration} & p=$!; trap 'kill -QUIT $p' TERM; while ! [ -s {folder}/pid ]; do sleep 0.05; done; echo ready; wait $p"], line => line == "ready");
        return (child, $"http://127.0.0.1:{port}");
    }
}
