using System.Diagnostics;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Attached;

/// <summary>
/// The remote tables of another program's extract: views over what an extension of the engine attaches, as the extract's
/// <c>_remote_attach</c> says. Questions run in the broker, whose engine has the extract, what is attached, and nothing else.
/// </summary>
internal sealed class AttachedTables : IRemoteTables, IAsyncDisposable
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly AttachSettings _settings;
    private readonly string _scratch;
    private readonly SemaphoreSlim _opening = new(1);
    private AttachedDatabase? _database; // under _opening

    /// <param name="scratch">A folder of its own.</param>
    internal AttachedTables(string connection, AttachSettings settings, string scratch) =>
        (Connection, _settings, _scratch) = (connection, settings, scratch);

    public static RemoteEngine Engine { get; } =
        new(AttachSettings.Kind, opening => new AttachedTables(opening.Connection, AttachSettings.From(opening.Options), Directory.GetCurrentDirectory()));

    public string Connection { get; }

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) => AskAsync(
        async engine => new RemoteDescription(await engine.ColumnsAsync(From(relation), cancellation)) { EntityType = "VIEW" }, [], cancellation);

    /// <summary>Extensions have no way to say what a question reads.</summary>
    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) => AskAsync(
        async engine =>
        {
            await engine.ColumnsAsync(question.Sql, cancellation); // that it can be asked at all
            return new RemoteEstimate(null, null);
        },
        question.Tables, cancellation);

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation) => AskAsync(
        async engine =>
        {
            var growing = Directory.CreateDirectory($"{folder}.growing").FullName;
            try
            {
                await WriteAsync(engine, question, Path.Combine(growing, "00000000.parquet"), cancellation);
                Directory.Move(growing, folder);
                return true;
            }
            catch
            {
                Directory.Delete(growing, recursive: true);
                throw;
            }
        },
        question.Tables, cancellation);

    public ValueTask DisposeAsync()
    {
        _database?.Dispose();
        _opening.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task WriteAsync(DuckDBConnection engine, RemoteQuestion question, string file, CancellationToken cancellation)
    {
        var columns = ParquetTypes.SelectList(await engine.ColumnsAsync($"SELECT * FROM ({question.Sql})", cancellation));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var copy = engine.ExecuteAsync(
            $"COPY (SELECT {columns} FROM ({question.Sql}) LIMIT {question.RowsMax}) TO {SqlText.Literal(file)} (FORMAT parquet, USE_TMP_FILE false)", stop.Token);
        while (await Task.WhenAny(copy, Task.Delay(LookEvery, CancellationToken.None)) != copy)
            if (IsTooLarge(question, file)) await stop.CancelAsync();
        try
        {
            await copy;
        }
        catch (Exception) when (stop.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw TooLarge(question);
        }

        if (IsTooLarge(question, file)) throw TooLarge(question);
    }

    private static bool IsTooLarge(RemoteQuestion question, string file) => new FileInfo(file) is { Exists: true } now && now.Length > question.BytesMax;

    private static RemoteException TooLarge(RemoteQuestion question) =>
        new(RemoteFault.Question, $"The answer is larger than {question.BytesMax >> 20} MiB. Filter more, name fewer columns, or aggregate.")
        {
            IsTooLarge = true,
        };

    /// <summary>A question names tables as it likes; here each is a view of that name, which nobody else sees.</summary>
    private async Task<T> AskAsync<T>(Func<DuckDBConnection, Task<T>> ask, IReadOnlyList<RemoteTable> tables, CancellationToken cancellation)
    {
        var database = await DatabaseAsync(cancellation);
        var engine = database.Use()
            ?? throw new RemoteException(RemoteFault.System, $"The extract of '{Connection}' has just been replaced. Ask again.") { IsPassing = true };
        try
        {
            foreach (var table in tables)
                await engine.ExecuteAsync($"CREATE TEMP VIEW {SqlText.Identifier(table.Name)} AS {From(table.Relation)}", cancellation);
            return await ask(engine);
        }
        catch (DuckDBException failure) when (failure.ErrorType != DuckDBErrorType.Interrupt)
        {
            // What a far system says may name what its asker must not know of.
            var why = database.Refused.Count > 0 ? $" Not attached: {string.Join("; ", database.Refused)}." : "";
            throw new RemoteException(RemoteFault.System, $"'{Connection}' cannot answer that.{why}", failure);
        }
        finally
        {
            await engine.DisposeAsync();
            database.Dispose();
        }
    }

    private static string From(string relation) => $"SELECT * FROM {AttachedDatabase.Catalog}.main.{relation}";

    private static bool IsToTryAgain(AttachedDatabase known) => known.IsPassing && Stopwatch.GetElapsedTime(known.Opened) > TryAgainAfter;

    /// <summary>Opened anew once the extract's file is another, and after a while where something of it could not be attached.</summary>
    private async Task<AttachedDatabase> DatabaseAsync(CancellationToken cancellation)
    {
        await _opening.WaitAsync(cancellation);
        try
        {
            if (_database is { } known && known.Stamp == FileStamp.TryOf(_settings.Extract) && !IsToTryAgain(known)) return known;
            var opened = await AttachedDatabase.OpenAsync(_settings, Connection, _scratch, cancellation);
            _database?.Dispose();
            return _database = opened;
        }
        finally
        {
            _opening.Release();
        }
    }
}
