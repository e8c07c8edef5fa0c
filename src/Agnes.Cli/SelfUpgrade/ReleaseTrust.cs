using System.CommandLine;
using System.Reflection;
using System.Security.Cryptography;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>
/// Whose archives become this program: those signed with a release key that is in it, or with the key that this user pinned for this server. A key is pinned when the
/// user names the server (installer, <c>init</c>; once more for one that they stored before there were keys), never by the answer that brings the archive.
/// </summary>
internal static class ReleaseTrust
{
    /// <summary>For the first meeting: a server that does not answer holds nothing up.</summary>
    private static readonly TimeSpan MeetingMax = TimeSpan.FromSeconds(5);

    private static readonly Lazy<HashSet<string>> BuiltIn = new(ReadBuiltIn);

    public static Option<string?> Option()
    {
        var option = new Option<string?>("--trust-key")
        {
            Description = "Trust the release key with this fingerprint (sha256:…) for this server from now on. Ask its operator for it.",
            HelpName = "FINGERPRINT",
        };
        option.Validators.Add(result =>
        {
            if (!ReleaseSignature.IsFingerprint(result.GetValueOrDefault<string?>())) result.AddError("--trust-key takes a fingerprint: sha256: and 64 lower-case hex characters.");
        });
        return option;
    }

    /// <summary>Before anything is downloaded: the signature is over the hash that the download must have.</summary>
    /// <exception cref="CliException">It is not signed, or by nobody who is trusted.</exception>
    public static void Require(Host host, ServerAddress server, ReleaseArchive archive)
    {
        if (string.IsNullOrEmpty(archive.Signature) || ReleaseSignature.Fingerprint(archive.Key) is not { } offered)
        {
            throw new CliException($"agnes {archive.Version} was not installed: {server} offers it without a signature. Version {ProgramVersion.Text} stays.")
            {
                Hint = "A server of today signs what it offers. Ask its operator to update it, or to give you the archive in another way.",
            };
        }

        if (!ReleaseSignature.Fits(archive.Key, archive.Signature, ReleaseSignature.Statement(archive.Version!, archive.Rid!, archive.Sha256!, archive.Size)))
            throw new CliException($"agnes {archive.Version} was not installed: its signature was made for something else. Version {ProgramVersion.Text} stays.") { Hint = $"Tell the operator of {server}: somebody may have changed what it offers." };
        if (BuiltIn.Value.Contains(offered)) return;
        var pinned = KnownServers.Of(host.Settings.Folder, server).ReleaseKey;
        if (pinned == offered) return;
        throw new CliException($"agnes {archive.Version} was not installed: it is signed with the key {offered}, {(pinned is null ? $"and you trust none yet for {server}" : $"and you trust {pinned} for {server}")}. Version {ProgramVersion.Text} stays.")
        {
            Hint = $"Ask the operator, not the server, which key it is. If it is this one: agnes self-upgrade --trust-key {offered}",
        };
    }

    /// <summary>What the user says on the command line, wherever the server's key stands in its answer.</summary>
    public static async Task TrustAsync(Host host, ServerAddress server, string fingerprint, CancellationToken cancellation)
    {
        await KnownServers.SetAsync(host.Settings.Folder, server, KnownServers.Of(host.Settings.Folder, server) with { ReleaseKey = fingerprint }, cancellation);
    }

    /// <summary>Asks a server for its key when it is first met, and remembers it. One that does not answer is asked again later.</summary>
    /// <returns>What is pinned now.</returns>
    public static async Task<string?> MeetAsync(Host host, ServerAddress server, CancellationToken cancellation)
    {
        LatestRelease latest;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(MeetingMax);
            using var api = host.ApiFor(server, token: null);
            latest = await LatestRelease.FetchAsync(api, limit.Token);
        }
        catch (Exception problem) when (problem is CliException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }

        return await MeetAsync(host, server, latest, mayPin: true, cancellation);
    }

    /// <summary>Over https, or on this machine, or where the user said that plain http is enough.</summary>
    /// <param name="mayPin">The user named this server: in this command, or when they stored it. A variable of the environment names one, too, and can be anybody's.</param>
    public static async Task<string?> MeetAsync(Host host, ServerAddress server, LatestRelease latest, bool mayPin, CancellationToken cancellation)
    {
        var known = KnownServers.Of(host.Settings.Folder, server);
        var offered = ReleaseSignature.Fingerprint(latest.SigningKey);
        if (offered is null || BuiltIn.Value.Contains(offered)) return known.ReleaseKey;
        if (mayPin && known.ReleaseKey is null && PlainHttp.IsAllowed(host, server))
        {
            await KnownServers.SetAsync(host.Settings.Folder, server, known with { ReleaseKey = offered }, cancellation);
            return offered;
        }

        if (known.ReleaseKey is not null && known.ReleaseKey != offered)
            host.Error.WriteLine($"warn: {server} signs its archives with the key {offered} now; you trust {known.ReleaseKey}. Upgrades from it are refused until you say otherwise: ask its operator, then --trust-key");
        return known.ReleaseKey;
    }

    private static HashSet<string> ReadBuiltIn()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("release-keys.pem") ?? throw new InvalidOperationException("release-keys.pem is not embedded.");
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd().AsSpan();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (PemEncoding.TryFind(text, out var block))
        {
            if (text[block.Label] is "PUBLIC KEY") keys.Add(ReleaseSignature.Fingerprint(Convert.ToBase64String(Convert.FromBase64String(text[block.Base64Data].ToString())))!);
            text = text[block.Location.End..];
        }

        return keys;
    }
}
