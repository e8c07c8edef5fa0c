using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Agnes.Connectors.Databases;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using MySqlConnector;

namespace Agnes.Connectors.MySql;

/// <summary>Opens connections that only read, to an address that was looked at.</summary>
internal sealed class MySqlSession(string connection, MySqlSettings settings, OutboundGuard guard)
{
    private const int ConnectSeconds = 15;

    /// <summary>A server that is not read from for so long ends the connection: writing a chunk of rows takes a moment.</summary>
    private const string Preparation = """
        SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', SESSION time_zone = '+00:00', SESSION net_write_timeout = 600;
        SET SESSION TRANSACTION READ ONLY;
        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY
        """;

    /// <exception cref="RemoteException">Its address may not be gone to.</exception>
    public async Task<MySqlConnection> OpenAsync(CancellationToken cancellation)
    {
        var address = await AddressAsync(cancellation);
        var opened = new MySqlConnection(TextOf(address));
        if (settings.Tls >= DatabaseTls.Require) opened.RemoteCertificateValidationCallback = IsTrusted;
        try
        {
            await opened.OpenAsync(cancellation);
            await using var prepare = new MySqlCommand(Preparation, opened);
            await prepare.ExecuteNonQueryAsync(cancellation);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    private string TextOf(IPAddress address) => new MySqlConnectionStringBuilder
    {
        Server = address.ToString(),
        Port = (uint)settings.Port,
        Database = settings.Database,
        UserID = settings.User,
        Password = settings.Password ?? "",
        // Who is there is checked here: the address was looked up before, and the name is what the certificate is for.
        SslMode = settings.Tls switch
        {
            DatabaseTls.Disable => MySqlSslMode.Disabled,
            DatabaseTls.Prefer => MySqlSslMode.Preferred,
            _ => MySqlSslMode.Required,
        },
        Pooling = false,
        ConnectionTimeout = ConnectSeconds,
        DefaultCommandTimeout = 0, // whoever reads watches the time
        AllowLoadLocalInfile = false, // a server could ask for files of this machine
        AllowZeroDateTime = true,
        TreatTinyAsBoolean = false,
        GuidFormat = MySqlGuidFormat.None,
        PersistSecurityInfo = false,
        ApplicationName = "agnes",
    }.ConnectionString;

    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (settings.Tls == DatabaseTls.Require) return true;
        if (certificate is not X509Certificate2 theirs) return false;
        if (settings.Authority is { } authority)
        {
            using var own = new X509Chain();
            using var root = X509Certificate2.CreateFromPem(authority);
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.CustomTrustStore.Add(root);
            own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            if (!own.Build(theirs)) return false;
        }
        else if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) != SslPolicyErrors.None)
        {
            return false;
        }

        return settings.Tls != DatabaseTls.VerifyFull || theirs.MatchesHostname(settings.Host);
    }

    private async Task<IPAddress> AddressAsync(CancellationToken cancellation)
    {
        try
        {
            return (await guard.AddressesAsync(settings.Host, SettingOwner.Admins, cancellation))
                .OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork).First();
        }
        catch (OutboundRefusedException refused)
        {
            throw new RemoteException(RemoteFault.System, $"The host of '{connection}' {refused.Message}.", refused);
        }
    }
}
