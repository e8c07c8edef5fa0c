using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Cli.SelfUpgrade;
using Agnes.Protocol;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>The built program as the installer lays it out, and a server that offers another, signed with its key; what it offers is a script that says its version.</summary>
internal sealed class OfferedUpgrade : IAsyncDisposable
{
    public const string Newer = "99.1.0";
    private readonly Testing.TemporaryFolder _folder = new();

    private OfferedUpgrade(FakeServer server)
    {
        Server = server;
        Agnes = new AgnesProgram(server.Url);
    }

    public static string Own => Settings.ProgramVersion.Text;

    public FakeServer Server { get; }

    public AgnesProgram Agnes { get; }

    public string Root => _folder["agnes"];

    public string FolderPath => _folder.Path;

    /// <summary>What the download gives.</summary>
    public byte[] Archive { get; set; } = [];

    /// <summary>What the server says that it is, where it lies.</summary>
    public string? Hash { get; set; }

    public string Offered { get; set; } = Newer;

    public ECDsa Key { get; set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Changes the artifact that <c>/cli/latest</c> names.</summary>
    public Action<JsonObject>? Change { get; set; }

    public int Downloads => Server.Requests.Count(request => request.Contains("/cli/download", StringComparison.Ordinal));

    public string? Current => new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget;

    /// <param name="pinned">As after an init.</param>
    public static async Task<OfferedUpgrade> StartAsync(bool pinned = true)
    {
        var offered = new OfferedUpgrade(await FakeServer.StartAsync());
        offered.Server.Intercept = offered.AnswerAsync;
        var home = Directory.CreateDirectory(Path.Combine(offered.Root, "versions", Own)).FullName;
        foreach (var file in Directory.EnumerateFiles(AgnesProgram.Folder)
            .Where(file => Path.GetFileName(file) is var name && !name.StartsWith("libduckdb", StringComparison.Ordinal) && !name.EndsWith(".pdb", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(home, Path.GetFileName(file)));
        }

        Directory.CreateSymbolicLink(Path.Combine(offered.Root, "current"), Path.Combine("versions", Own));
        if (pinned) offered.Pin(offered.Fingerprint);
        return offered;
    }

    public string Fingerprint => ReleaseSignature.Fingerprint(ReleaseSignature.PublicKey(Key))!;

    public string? Pinned => File.Exists(ServersFile) ? (string?)JsonNode.Parse(File.ReadAllText(ServersFile))![Server.Url]?["release_key"] : null;

    private string ServersFile => Path.Combine(Agnes.Config, "servers.json");

    public void Pin(string fingerprint) => File.WriteAllText(ServersFile, new JsonObject { [Server.Url] = new JsonObject { ["release_key"] = fingerprint } }.ToJsonString());

    public Task<Outcome> UpgradeAsync(params string[] options) => RunAsync(Path.Combine(Root, "current", "agnes"), ["self-upgrade", .. options]);

    public async Task<Outcome> RunAsync(string program, params string[] arguments)
    {
        using var process = Agnes.Start(arguments, program: program);
        return await AgnesProgram.FinishAsync(process);
    }

    public async ValueTask DisposeAsync()
    {
        Agnes.Dispose();
        await Server.DisposeAsync();
        Key.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/cli/latest")
        {
            var hash = Hash ?? FakeServer.Hash(Archive);
            var artifact = new JsonObject
            {
                ["rid"] = LatestRelease.Rid,
                ["version"] = Offered,
                ["filename"] = $"agnes-{Offered}-{LatestRelease.Rid}.tar.gz",
                ["path"] = $"/cli/download/agnes-{Offered}-{LatestRelease.Rid}.tar.gz",
                ["sha256"] = hash,
                ["size"] = Archive.Length,
                ["signature"] = ReleaseSignature.Sign(Key, ReleaseSignature.Statement(Offered, LatestRelease.Rid, hash, Archive.Length)),
                ["key"] = ReleaseSignature.PublicKey(Key),
            };
            Change?.Invoke(artifact);
            await FakeServer.JsonAsync(context, 200, new JsonObject { ["version"] = null, ["cli_version"] = Offered, ["signing_key"] = ReleaseSignature.PublicKey(Key), ["artifacts"] = new JsonArray(artifact) }.ToJsonString());
            return true;
        }
        if (!context.Request.Path.StartsWithSegments("/cli/download")) return false;
        await context.Response.Body.WriteAsync(Archive);
        return true;
    }

    public static string Script(string body) => $"#!/bin/sh\n{body}\n";

    public static byte[] Tar(params (string Name, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(zip))
        {
            foreach (var (name, text) in files)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                    Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (name.EndsWith("agnes", StringComparison.Ordinal) ? UnixFileMode.UserExecute : UnixFileMode.None),
                });
            }
        }
        return bytes.ToArray();
    }
}
