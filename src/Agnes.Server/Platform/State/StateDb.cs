using System.Data.Common;
using Agnes.Server.Platform.State.Engines;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Server.Platform.State;

/// <summary>
/// The state of the installation. Reads that decide access take the <see cref="Snapshot"/>; everything is written through <see cref="WriteAsync{T}"/>,
/// one transaction at a time, or appended (<see cref="AppendAsync"/>).
/// </summary>
public sealed class StateDb : IAsyncDisposable
{
    private readonly StateStore _store;
    private readonly StateOptions _options;
    private readonly WriteGate _gate;
    private readonly Appends _appends;
    private readonly TokenUses _uses;
    private readonly Follower? _follower;
    private readonly Checkpoints? _checkpoints;

    static StateDb() => UtcTime.RegisterWithDapper();

    private StateDb(StateStore store, StateOptions options, Snapshot snapshot, TokenUses uses, ILogger logger)
    {
        _store = store;
        _options = options;
        _uses = uses;
        Current = new(snapshot, logger);
        _gate = new(store, options, Current, logger);
        _appends = new(store, _gate, options.Time, uses, logger);
        if (store is DuckDbStore embedded) _checkpoints = new(embedded, _gate, options.Time, logger);
        else _follower = new(store, options.Time, Current, logger);
    }

    public StateEngine Engine => _store.Engine;

    public StateOptions Options => _options;

    /// <summary>The newest committed state that this process knows. A request takes it once and keeps it.</summary>
    public Snapshot Snapshot => Current.Value;

    /// <summary>False when another process may have changed the state and this one could not ask for ten seconds: then nobody's access may be decided.</summary>
    public bool IsConfirmed => _follower?.IsConfirmed ?? true;

    /// <summary>Why writes fail at the moment, if they do.</summary>
    public StateUnavailableException? Failure => _gate.Failure;

    internal CurrentSnapshot Current { get; }

    internal StateStore Store => _store;

    internal WriteGate Gate => _gate;

    /// <summary>Raised after a newer snapshot took the place of an older one, with both. Must return quickly.</summary>
    public event Action<Snapshot, Snapshot>? Changed
    {
        add => Current.Changed += value;
        remove => Current.Changed -= value;
    }

    /// <exception cref="StateRefusedException">What is there cannot be used; nothing was changed.</exception>
    public static async Task<StateDb> OpenAsync(StateOptions options, ILogger<StateDb>? logger = null, CancellationToken cancellation = default)
    {
        ILogger log = logger ?? NullLogger<StateDb>.Instance;
        var store = await StateStore.OpenAsync(options, log, cancellation);
        try
        {
            await Migrations.ApplyAsync(store, options.Time, log, cancellation);
            await Seed.EnsureAsync(store, options.Time, cancellation);
            await using var reader = await store.ReaderAsync(cancellation);
            var snapshot = await SnapshotLoader.LoadAsync(reader.Connection, cancellation);
            var uses = await TokenUses.LoadAsync(reader.Connection, cancellation);
            await store.StartedAsync(cancellation);
            return new(store, options, snapshot, uses, log);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a unit in one transaction, alone: no other write runs meanwhile, in this process or another. Nothing of it remains if it throws.</summary>
    /// <exception cref="StateUnavailableException">It could not be written.</exception>
    public Task<T> WriteAsync<T>(Func<StateWrite, Task<T>> unit, CancellationToken cancellation = default) => _gate.RunAsync(unit, cancellation);

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<StateWrite, Task> unit, CancellationToken cancellation = default) => _gate.RunAsync(
        async write =>
        {
            await unit(write);
            return true;
        }, cancellation);

    /// <summary>For lists, audit and history; never for deciding access.</summary>
    public async Task<IReadOnlyList<T>> ReadAsync<T>(string sql, object? parameters = null, CancellationToken cancellation = default)
    {
        await using var reader = await _store.ReaderAsync(cancellation);
        try
        {
            return (await reader.Connection.QueryAsync<T>(new(sql, parameters, cancellationToken: cancellation))).AsList();
        }
        catch (DbException error)
        {
            if (_store.Translate(error) is { } translated) throw translated;
            throw;
        }
    }

    /// <summary>
    /// Adds a row that nobody's access depends on (query audit, usage, job log) within a quarter of a second, many in one transaction. When too many wait, it waits with
    /// them; nothing is dropped. A kill loses what was not written yet.
    /// </summary>
    /// <param name="sql">Best an INSERT with one <c>VALUES (@a, @b)</c> at its end: such rows are written many in a statement.</param>
    /// <exception cref="StateUnavailableException">It could not even be queued.</exception>
    public ValueTask AppendAsync(string sql, object parameters, CancellationToken cancellation = default) => _appends.AddAsync(sql, parameters, cancellation);

    /// <summary>Waits until all that was appended before is written.</summary>
    public Task FlushAsync(CancellationToken cancellation = default) => _appends.FlushAsync(cancellation);

    /// <summary>Notes the use of a token; written at most once a minute for each.</summary>
    /// <returns>Its use before this one.</returns>
    public TokenUse? TokenUsed(string tokenId, string? ip) => _uses.Note(tokenId, _options.Time.Micros(), ip);

    public TokenUse? LastUse(string tokenId) => _uses.Last(tokenId);

    public async ValueTask DisposeAsync()
    {
        if (_follower is not null) await _follower.DisposeAsync();
        await _appends.DisposeAsync();
        if (_checkpoints is not null) await _checkpoints.DisposeAsync();
        try
        {
            await _gate.DisposeAsync();
        }
        finally
        {
            await _store.DisposeAsync();
        }
    }
}
