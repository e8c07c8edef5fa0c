using System.CommandLine;
using System.Security.Cryptography;
using Agnes.Cli.Api;
using Agnes.Cli.Commands;
using Agnes.Cli.SelfUpgrade;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes self-upgrade</c>: the version that the server offers, tried before it counts, and the old one again when it does not work.</summary>
internal static class SelfUpgradeCommand
{
    private const int BufferBytes = 1 << 17;
    private static readonly TimeSpan DownloadIdle = TimeSpan.FromSeconds(60);

    public static Command Build(Host host)
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Say nothing unless something fails." };
        var check = new Option<bool>("--check-only") { Description = "Only say whether there is a newer version; exit code 1 when there is." };
        var force = new Option<bool>("--force") { Description = "Install the server's version also where it is not newer." };
        var trust = ReleaseTrust.Option();
        var insecure = PlainHttp.Option();
        var within = Shared.Within();
        var command = new AgnesCommand(
            "self-upgrade",
            "Installs the version of agnes that your server offers, if it is signed with a key that you trust. The new one must start before the old one is replaced.",
            "agnes self-upgrade",
            "agnes self-upgrade --check-only") { quiet, check, force, trust, insecure, within };
        command.SetAction((parsed, cancellation) => Shared.WithinAsync(
            host, parsed.GetValue(within), stop => RunAsync(host, new Wish(parsed.GetValue(quiet), parsed.GetValue(check), parsed.GetValue(force), parsed.GetValue(trust), parsed.GetValue(insecure)), stop), "The upgrade", "Nothing was changed.", cancellation));
        return command;
    }

    private sealed record Wish(bool IsQuiet, bool CheckOnly, bool Force, string? TrustKey, bool InsecureHttp);

    private static async Task<int> RunAsync(Host host, Wish wish, CancellationToken cancellation)
    {
        var server = host.Api.Server;
        if (wish.InsecureHttp) await PlainHttp.KeepAsync(host, server, cancellation);
        if (wish.TrustKey is { } fingerprint) await ReleaseTrust.TrustAsync(host, server, fingerprint, cancellation);
        UpdateNotice.Forget(host);
        LatestRelease latest;
        try
        {
            latest = await LatestRelease.FetchAsync(host.Api, cancellation);
        }
        catch (CliException) when (!wish.Force)
        {
            return ExitCode.Ok; // a laptop is often offline, and this runs at the start of every session
        }

        var isNewer = latest.CliVersion is { } version && ProgramVersion.IsOlder(ProgramVersion.Text, version);
        if (wish.CheckOnly)
        {
            if (isNewer) host.Error.WriteLine($"[update] agnes {ProgramVersion.Text} is installed, the server offers {latest.CliVersion}: agnes self-upgrade");
            return isNewer ? ExitCode.Failed : ExitCode.Ok;
        }

        if (!isNewer && !wish.Force)
        {
            // Laptops of before keys were pinned get one here, for the server that their user set them up with and no other.
            await ReleaseTrust.MeetAsync(host, server, latest, mayPin: host.Settings.StoredServer() == server, cancellation);
            await RefreshHooksAsync(host, cancellation);
            if (!wish.IsQuiet) host.Out.WriteLine($"agnes {ProgramVersion.Text} is up to date.");
            return ExitCode.Ok;
        }

        PlainHttp.Require(host, server);
        var archive = latest.ForThisMachine() ?? throw new CliException($"The server offers no agnes for {LatestRelease.Rid}.") { Hint = "Ask its operator." };
        if (!wish.Force && !ProgramVersion.IsOlder(ProgramVersion.Text, archive.Version!)) return ExitCode.Ok;
        var installation = Installation.Find(AppContext.BaseDirectory) ?? throw new CliException($"This agnes ({AppContext.BaseDirectory}) was not installed by the server's installer.")
        {
            Hint = $"Update it the way it was installed, e.g. 'dotnet tool update --global Agnes.Cli', or install it anew: {Recovery(host)}",
        };
        ReleaseTrust.Require(host, server, archive);
        await InstallAsync(host, installation, archive, cancellation);
        await RefreshHooksAsync(host, cancellation);
        if (!wish.IsQuiet) host.Out.WriteLine($"agnes {ProgramVersion.Text} was replaced by {archive.Version}.");
        return ExitCode.Ok;
    }

    /// <summary>The workspace's hooks as this version writes them, where it has ours at all. Nothing of the upgrade fails with it.</summary>
    private static async Task RefreshHooksAsync(Host host, CancellationToken cancellation)
    {
        try
        {
            await AgentSettings.RefreshAsync(host, Layout.Current(), cancellation);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"warn: the workspace's hooks were not refreshed: {problem.Message}");
        }
    }

    private static async Task InstallAsync(Host host, Installation installation, ReleaseArchive archive, CancellationToken cancellation)
    {
        using var alone = Lock(installation);
        installation.Sweep();
        var incoming = Directory.CreateDirectory(Path.Combine(installation.Root, $"{Installation.IncomingPrefix}{Guid.NewGuid():N}")).FullName;
        try
        {
            var file = Path.Combine(incoming, archive.Filename!);
            await DownloadAsync(host, archive, file, cancellation);
            var unpacked = Path.Combine(incoming, "unpacked");
            await Archive.UnpackAsync(file, unpacked, cancellation);
            File.Delete(file);
            if (await SmokeTest.FaultAsync(Path.Combine(unpacked, Installation.ProgramName), archive.Version!, cancellation) is { } fault)
                throw new CliException($"agnes {archive.Version} was not installed: {fault}. Version {ProgramVersion.Text} stays.");

            var undo = installation.Switch(unpacked, archive.Version!);
            if (await SmokeTest.FaultAsync(installation.Program, archive.Version!, cancellation) is { } late)
            {
                undo();
                throw new CliException($"agnes {archive.Version} did not work in its place: {late}. Version {ProgramVersion.Text} is back.") { Hint = $"If it is not: {Recovery(host)}" };
            }

        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"agnes {archive.Version} was not installed: {problem.Message}", inner: problem) { Hint = $"By hand: {Recovery(host)}" };
        }
        finally
        {
            Installation.TryDelete(incoming);
        }

        await NoteAsync(host, archive, cancellation);
        installation.Tidy();
    }

    /// <summary>Where this version came from. It is installed, whether that can be written down or not.</summary>
    private static async Task NoteAsync(Host host, ReleaseArchive archive, CancellationToken cancellation)
    {
        try
        {
            await KnownGood.WriteAsync(host.Settings.Folder, host.Api.Server.Url + archive.Path, cancellation);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"warn: {host.Settings.Folder.Path} cannot be written: {problem.Message}");
        }
    }

    /// <summary>One at a time; the system lets go of it however its holder ends.</summary>
    private static FileStream Lock(Installation installation)
    {
        try
        {
            return new FileStream(Path.Combine(installation.Root, ".upgrade.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem) when (problem is not (DirectoryNotFoundException or PathTooLongException))
        {
            throw new CliException("Another self-upgrade is at work.") { Hint = "Wait for it; it takes a minute at most." };
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new CliException($"{installation.Root} cannot be written: {problem.Message}") { Hint = "Run it as the user who installed agnes." };
        }
    }

    private static async Task DownloadAsync(Host host, ReleaseArchive archive, string file, CancellationToken cancellation)
    {
        using var client = HttpTransport.Create(decompress: false);
        using var request = HttpTransport.Request(HttpMethod.Get, host.Api.Server.At(archive.Path!), token: null);
        try
        {
            using var response = await ApiClient.SendHeadersAsync(client, request, DownloadIdle, host.Clock, cancellation);
            if (!response.IsSuccessStatusCode) throw new CliException($"The server answered {(int)response.StatusCode} for {archive.Filename}.");
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            using var reader = new IdleReader(stream, DownloadIdle, host.Clock, cancellation);
            await using var output = new FileStream(file, FileMode.CreateNew, FileAccess.Write);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[BufferBytes];
            long total = 0;
            int read;
            while ((read = await reader.ReadAsync(buffer)) > 0)
            {
                if ((total += read) > archive.Size) throw new CliException($"{archive.Filename} is larger than the server said.");
                hash.AppendData(buffer, 0, read);
                await output.WriteAsync(buffer.AsMemory(0, read), cancellation);
            }

            if (Convert.ToHexStringLower(hash.GetHashAndReset()) != archive.Sha256) throw new CliException($"{archive.Filename} is damaged: its hash is not the one that the server promised. Nothing was changed.");
        }
        catch (Exception problem) when (TransportFailure.IsTransient(problem))
        {
            if (TransportFailure.From(problem, $"GET {archive.Path}", host.Api.Server, host.Settings.Folder, cancellation) is { } failure) throw failure;
            throw;
        }
    }

    private static string Recovery(Host host) =>
        OperatingSystem.IsWindows() ? $"irm {host.Api.Server.Url}/cli/install.ps1 | iex" : $"curl -fsSL {host.Api.Server.Url}/cli/install.sh | bash";
}
