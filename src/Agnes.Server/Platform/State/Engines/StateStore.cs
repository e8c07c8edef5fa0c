using System.Data.Common;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>What differs between the two engines. Everything else is one SQL text and one way of writing.</summary>
internal abstract class StateStore : IAsyncDisposable
{
    /// <summary>A statement or commit that takes longer has failed.</summary>
    public const int StatementSecondsMax = 30;

    public abstract StateEngine Engine { get; }

    public static async Task<StateStore> OpenAsync(StateOptions options, ILogger logger, CancellationToken cancellation) => options.Engine switch
    {
        StateEngine.Postgres => await PostgresStore.OpenAsync(options, logger, cancellation),
        _ => await DuckDbStore.OpenAsync(options, logger, cancellation),
    };

    /// <summary>A connection for reading, given back by disposing. Short reads only: an old reader keeps DuckDB from checkpointing.</summary>
    public abstract ValueTask<Loan> ReaderAsync(CancellationToken cancellation);

    /// <summary>Begins a write transaction; no other process writes until it ends. The caller holds the gate of this process.</summary>
    public abstract Task<StateTransaction> BeginAsync(CancellationToken cancellation);

    /// <summary>A statement of a migration.</summary>
    public abstract Task ExecuteSchemaAsync(StateTransaction transaction, string statement, CancellationToken cancellation);

    /// <summary>Keeps other processes from migrating at the same time.</summary>
    public virtual ValueTask<IAsyncDisposable> LockForMigrationAsync(CancellationToken cancellation) => ValueTask.FromResult<IAsyncDisposable>(new Loan());

    /// <summary>Everything was read and is sound.</summary>
    public virtual Task StartedAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>The unit lost a race and is to run again.</summary>
    public abstract bool IsConflict(Exception error);

    /// <summary>The engine is dead and must be reopened.</summary>
    public virtual bool IsFatal(Exception error) => false;

    /// <summary>Closes the engine and opens it again.</summary>
    public virtual Task ReopenAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>What the callers are told when the fault is not theirs; nothing when it is.</summary>
    public abstract StateUnavailableException? Translate(Exception error);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A connection on loan.</summary>
internal sealed class Loan(DbConnection? connection = null, Func<ValueTask>? giveBack = null) : IAsyncDisposable
{
    public DbConnection Connection => connection ?? throw new InvalidOperationException("There is no connection on this loan.");

    public ValueTask DisposeAsync() => giveBack?.Invoke() ?? ValueTask.CompletedTask;
}

/// <summary>A write transaction. Disposing without a commit rolls back.</summary>
internal abstract class StateTransaction : IAsyncDisposable
{
    public abstract DbConnection Connection { get; }

    public abstract DbTransaction Transaction { get; }

    /// <summary>The committed version of the state that this transaction builds on.</summary>
    public abstract Task<long> VersionAsync(CancellationToken cancellation);

    /// <param name="raise">A control write: the version goes up and other processes are told.</param>
    /// <returns>The version after the commit.</returns>
    public abstract Task<long> CommitAsync(bool raise, CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();
}
