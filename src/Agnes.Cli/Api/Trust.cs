using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Agnes.Cli.Api;

/// <summary>
/// Which servers are believed: those the system trusts, and, only when the sole complaint is an unknown root, those whose chain ends in a certificate
/// that the user has put beside. Names and dates are always checked; there is no switch to turn checking off.
/// </summary>
internal static class Trust
{
    public static SslClientAuthenticationOptions Options() => new() { RemoteCertificateValidationCallback = IsTrusted };

    private static bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 server || chain is null) return false;
        var roots = ExtraRoots();
        if (roots.Count == 0) return false;
        using var retry = new X509Chain();
        retry.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        retry.ChainPolicy.CustomTrustStore.AddRange(roots);
        retry.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in chain.ChainElements.Skip(1)) retry.ChainPolicy.ExtraStore.Add(element.Certificate);
        return retry.Build(server);
    }

    private static X509Certificate2Collection ExtraRoots()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        string?[] files =
        [
            Environment.GetEnvironmentVariable("SSL_CERT_FILE"),
            Environment.GetEnvironmentVariable("AGNES_CA_FILE"),
            Path.Combine(home, ".agnes", "ca-bundle.pem"),
            Path.Combine(home, ".agnes", "ca.pem"),
        ];
        var roots = new X509Certificate2Collection();
        foreach (var file in files)
        {
            if (string.IsNullOrEmpty(file) || !File.Exists(file)) continue;
            try
            {
                roots.ImportFromPemFile(file);
            }
            catch (System.Security.Cryptography.CryptographicException)
            {
                // A file that is no certificate adds no trust; the refused connection is what the user hears of.
            }
        }

        return roots;
    }
}
