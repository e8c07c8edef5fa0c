using System.Data;
using System.Data.Common;
using Dapper;
using Npgsql;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>State in PostgreSQL, shared by several processes. An advisory lock makes their writers queue, so conflicts are rare; those that happen are retried.</summary>
internal sealed class PostgresStore : StateStore
{
    public const string Channel = "agnes_state";

    /// <summary>"agnes", and what is locked.</summary>
    private const long WriteLock = 0x61676e6573_01, MigrationLock = 0x61676e6573_02;

    private readonly NpgsqlDataSource _source;

    private PostgresStore(NpgsqlDataSource source) => _source = source;

    public override StateEngine Engine => StateEngine.Postgres;

    public static new async Task<StateStore> OpenAsync(StateOptions options, ILogger logger, CancellationToken cancellation)
    {
        NpgsqlConnectionStringBuilder address;
        try
        {
            address = new(options.ConnectionString) { Timezone = "UTC", CommandTimeout = StatementSecondsMax, Enlist = false, ApplicationName = "agnes-server" };
        }
        catch (ArgumentException error)
        {
            throw new StateRefusedException("AGNES_STATE_URL is not a PostgreSQL connection string: write Host=…;Database=…;Username=…;Password=….", error);
        }
        var source = NpgsqlDataSource.Create(address);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellation);
            await RefuseForeignAsync(connection, address, cancellation);
            return new PostgresStore(source);
        }
        catch (Exception error)
        {
            await source.DisposeAsync();
            if (error is not DbException) throw;
            throw new StateRefusedException($"PostgreSQL does not answer at {address.Host} (database {address.Database}): {error.Message}", error);
        }
    }

    public override async ValueTask<Loan> ReaderAsync(CancellationToken cancellation)
    {
        try
        {
            var connection = await _source.OpenConnectionAsync(cancellation);
            return new(connection, connection.DisposeAsync);
        }
        catch (DbException error)
        {
            throw Translate(error) ?? new StateUnavailableException(StateFailure.Unreachable, "PostgreSQL refused the connection.", error);
        }
    }

    public override async Task<StateTransaction> BeginAsync(CancellationToken cancellation)
    {
        var connection = await _source.OpenConnectionAsync(cancellation);
        try
        {
            // Before BEGIN: the transaction's view of the data must be newer than the end of the one it waited for.
            await LockAsync(connection, WriteLock, cancellation);
            return new Writer(connection, await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<IAsyncDisposable> LockForMigrationAsync(CancellationToken cancellation)
    {
        var connection = await _source.OpenConnectionAsync(cancellation);
        await LockAsync(connection, MigrationLock, cancellation);
        return new Loan(connection, () => UnlockAsync(connection, MigrationLock));
    }

    public override Task ExecuteSchemaAsync(StateTransaction transaction, string statement, CancellationToken cancellation) =>
        transaction.Connection.ExecuteAsync(new(statement, null, transaction.Transaction, cancellationToken: cancellation));

    /// <summary>A connection of its own that hears of other processes' commits.</summary>
    public async Task<NpgsqlConnection> ListenAsync(CancellationToken cancellation)
    {
        var connection = await _source.OpenConnectionAsync(cancellation);
        await connection.ExecuteAsync(new($"LISTEN {Channel}", cancellationToken: cancellation));
        return connection;
    }

    public override bool IsConflict(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public override StateUnavailableException? Translate(Exception error) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => new(StateFailure.DiskFull, "The disk of the PostgreSQL server is full.", error),
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => new(StateFailure.Overloaded, "The statement took too long.", error),
        PostgresException { IsTransient: true } => new(StateFailure.Unreachable, "PostgreSQL cannot serve at the moment.", error),
        PostgresException => null,
        NpgsqlException => new(StateFailure.Unreachable, "PostgreSQL cannot be reached.", error),
        _ => null,
    };

    public override ValueTask DisposeAsync() => _source.DisposeAsync();

    private static Task LockAsync(DbConnection connection, long key, CancellationToken cancellation) =>
        connection.ExecuteAsync(new("SELECT pg_advisory_lock(@key)", new { key }, cancellationToken: cancellation));

    private static async ValueTask UnlockAsync(NpgsqlConnection connection, long key)
    {
        try
        {
            if (connection.State == ConnectionState.Open) await connection.ExecuteAsync("SELECT pg_advisory_unlock(@key)", new { key });
        }
        catch (DbException)
        {
            // The session is gone, and its locks with it.
        }
        finally
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task RefuseForeignAsync(DbConnection connection, NpgsqlConnectionStringBuilder address, CancellationToken cancellation)
    {
        const string Sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name IN ('schema_version', 'migrations')";
        var found = (await connection.QueryAsync<string>(new(Sql, cancellationToken: cancellation))).AsList();
        if (found.Contains("schema_version") && !found.Contains("migrations")) throw new StateRefusedException(
            $"The database {address.Database} at {address.Host} holds the state of another program (table schema_version). Nothing was changed. "
            + "Import it into an empty database: agnes-server import --from DIR");
    }

    private sealed class Writer(NpgsqlConnection connection, NpgsqlTransaction transaction) : StateTransaction
    {
        public override DbConnection Connection => connection;

        public override DbTransaction Transaction => transaction;

        public override Task<long> VersionAsync(CancellationToken cancellation) =>
            connection.ExecuteScalarAsync<long>(new(StateVersion.SelectSql, null, transaction, cancellationToken: cancellation));

        public override async Task<long> CommitAsync(bool raise, CancellationToken cancellation)
        {
            var version = 0L;
            if (raise)
            {
                version = await connection.ExecuteScalarAsync<long>(new(StateVersion.RaiseSql, null, transaction, cancellationToken: cancellation));
                await connection.ExecuteAsync(new("SELECT pg_notify(@Channel, @version)", new { Channel, version = $"{version}" }, transaction, cancellationToken: cancellation));
            }
            try
            {
                await transaction.CommitAsync(CancellationToken.None); // cut short, its outcome would be unknown; the command timeout bounds it
            }
            catch (NpgsqlException error) when (error is not PostgresException)
            {
                throw new StateUnavailableException(StateFailure.OutcomeUnknown, "The connection to PostgreSQL broke while committing.", error);
            }
            return version;
        }

        public override async ValueTask DisposeAsync()
        {
            try
            {
                await transaction.DisposeAsync();
            }
            catch (DbException)
            {
                // The session is gone, and its transaction with it.
            }
            await UnlockAsync(connection, WriteLock);
        }
    }
}
