using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Npgsql;

namespace Agnes.Connectors.Postgres;

/// <summary>Opens connections to one PostgreSQL, each made harmless before anything is asked on it.</summary>
internal sealed class PostgresSession(string connection, PostgresSettings settings, OutboundGuard guard) : IAsyncDisposable
{
    private const int ConnectionsMax = 10;
    private const int ConnectSeconds = 15;

    /// <summary>Whole tables come this way: the driver's own 8 KiB are a call to the system for every hundred rows.</summary>
    private const int ReadBytes = 64 << 10;

    /// <summary>After which the host's name is looked up again.</summary>
    private static readonly TimeSpan AddressFor = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _opening = new(1);
    private NpgsqlDataSource? _source;
    private long _since;

    /// <summary>
    /// In a transaction that only reads, with names of its own schema alone, in UTC, within a time that the server itself watches, as a
    /// role without powers beyond tables.
    /// </summary>
    /// <exception cref="RemoteException">Its role has such powers.</exception>
    public async Task<Reading> OpenAsync(CancellationToken cancellation)
    {
        var source = await SourceAsync(cancellation);
        var opened = await source.OpenConnectionAsync(cancellation);
        try
        {
            await using var batch = new NpgsqlBatch(opened);
            foreach (var command in Preparation(opened.PostgreSqlVersion)) batch.BatchCommands.Add(new NpgsqlBatchCommand(command));
            await using var reader = await batch.ExecuteReaderAsync(cancellation);
            await reader.ReadAsync(cancellation);
            var powers = reader.IsDBNull(0) ? null : reader.GetString(0);
            var letters = reader.IsDBNull(1) ? null : reader.GetString(1);
            if (powers is not null && !settings.AllowsPowers) throw new RemoteException(RemoteFault.System, Powerful(powers));
            return new Reading(opened, letters);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_source is not null) await _source.DisposeAsync();
        _opening.Dispose();
    }

    /// <summary>The first that looks whether its client is still there while it works; where the system offers that.</summary>
    private static readonly Version LooksForClients = new(14, 0);

    private IEnumerable<string> Preparation(Version version)
    {
        yield return "BEGIN TRANSACTION READ ONLY";
        yield return "SET LOCAL default_transaction_read_only = on";
        yield return $"SET LOCAL statement_timeout = '{settings.StatementSeconds}s'";
        yield return "SET LOCAL search_path = pg_catalog, pg_temp";
        // A statement does not outlive the process that asked for it, however that ended.
        if (version >= LooksForClients)
            yield return "DO $$BEGIN SET LOCAL client_connection_check_interval = '2s'; EXCEPTION WHEN OTHERS THEN NULL; END$$";
        yield return "SET LOCAL TimeZone = 'UTC'";
        yield return "SET LOCAL DateStyle = 'ISO, YMD'";
        yield return "SET LOCAL IntervalStyle = 'postgres'";
        yield return "SET LOCAL standard_conforming_strings = on";
        yield return "SET LOCAL extra_float_digits = 1";
        if (settings.Role is { } role) yield return $"SET LOCAL ROLE {SqlText.Identifier(role)}";
        yield return """
            SELECT (SELECT string_agg(power, ', ') FROM (
                SELECT 'superuser' AS power FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper
                UNION ALL
                SELECT rolname FROM pg_catalog.pg_roles
                WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
                    AND pg_catalog.pg_has_role(current_user, oid, 'MEMBER')) AS powers),
                (SELECT pg_catalog.quote_ident(collname) FROM pg_catalog.pg_collation
                WHERE collname IN ('pg_c_utf8', 'C.utf8', 'C.UTF-8') AND collnamespace = 'pg_catalog'::regnamespace
                    AND collencoding IN (-1, (SELECT encoding FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
                ORDER BY collname DESC LIMIT 1)
            """;
    }

    private string Powerful(string powers) =>
        $"'{connection}' signs in as a role that may do more than read tables ({powers}). "
        + "Give it a role of its own, or set allow_powerful_role of the connection to true.";

    private async Task<NpgsqlDataSource> SourceAsync(CancellationToken cancellation)
    {
        await _opening.WaitAsync(cancellation);
        try
        {
            if (_source is not null && TimeProvider.System.GetElapsedTime(_since) < AddressFor) return _source;
            var address = await AddressAsync(cancellation);
            if (_source is not null) await _source.DisposeAsync(); // connections that are in use end when they are given back
            _source = Build(address);
            _since = TimeProvider.System.GetTimestamp();
            return _source;
        }
        finally
        {
            _opening.Release();
        }
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

    private NpgsqlDataSource Build(IPAddress address)
    {
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = address.ToString(),
            Port = settings.Port,
            Database = settings.Database,
            Username = settings.User,
            Password = settings.Password,
            SslMode = settings.Tls,
            MaxPoolSize = ConnectionsMax,
            Timeout = ConnectSeconds,
            ReadBufferSize = ReadBytes,
            CommandTimeout = 0, // the server watches the time, and whoever asks
            ApplicationName = "agnes",
            IncludeErrorDetail = false,
            Enlist = false,
            Passfile = "",
        };
        var builder = new NpgsqlDataSourceBuilder(text.ConnectionString);
        // Nothing is read by a type that somebody made there: it is cast first.
        builder.ConfigureTypeLoading(loading => loading.EnableTypeLoading(false));
        // The address was checked; the name is what the certificate is for.
        builder.UseSslClientAuthenticationOptionsCallback(options => options.TargetHost = settings.Host);
        if (settings.Authority is { } authority) builder.UseRootCertificate(X509Certificate2.CreateFromPem(authority));
        return builder.Build();
    }

    /// <summary>A connection for one question.</summary>
    /// <param name="Letters">A collation that knows the case of all letters; null: there is none.</param>
    internal sealed record Reading(NpgsqlConnection Connection, string? Letters) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Connection.DisposeAsync();
    }
}
