using System.Diagnostics;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Attached;

/// <summary>An engine that has an extract attached, and what its <c>_remote_attach</c> names as far as that is allowed; closed to all else afterwards.</summary>
internal sealed class AttachedDatabase : IDisposable
{
    /// <summary>What the extract is called in it.</summary>
    public const string Catalog = "extract";

    private const long EngineBytes = 128L << 20;
    private readonly DuckDBConnection _engine;
    private readonly string _file;
    private int _users = 1; // whoever keeps it, and each question

    private AttachedDatabase(DuckDBConnection engine, string file, FileStamp stamp) => (_engine, _file, Stamp) = (engine, file, stamp);

    /// <summary>Of the extract's file.</summary>
    public FileStamp Stamp { get; }

    /// <summary>What was not attached, and why, in sentences; no secret.</summary>
    public List<string> Refused { get; } = [];

    /// <summary>Something of it may be there the next time: a system that did not answer, an extension that is put there.</summary>
    public bool IsPassing { get; private set; }

    /// <summary>When it was opened.</summary>
    public long Opened { get; } = Stopwatch.GetTimestamp();

    /// <param name="scratch">Its own folder, where a copy of the extract is opened: the program that wrote it is kept from nothing.</param>
    /// <exception cref="RemoteException">The file is gone, or changes while it is read.</exception>
    public static async Task<AttachedDatabase> OpenAsync(AttachSettings settings, string connection, string scratch, CancellationToken stop)
    {
        var copy = Path.Combine(scratch, $"{Guid.NewGuid():N}.duckdb");
        AttachedDatabase? database = null;
        try
        {
            var stamp = Copy(settings.Extract, copy, connection);
            var engine = new DuckDBConnection("Data Source=:memory:");
            database = new AttachedDatabase(engine, copy, stamp);
            await engine.OpenAsync(stop);
            var spill = Directory.CreateDirectory(Path.Combine(scratch, "spill")).FullName;
            await engine.ExecuteAsync($"""
                SET memory_limit = '{EngineBytes}B';
                SET threads = 1;
                SET temp_directory = {SqlText.Literal(spill)};
                SET max_temp_directory_size = '{EngineBytes}B';
                SET TimeZone = 'UTC';
                SET extension_directory = {SqlText.Literal(settings.Extensions)};
                SET autoinstall_known_extensions = false;
                SET autoload_known_extensions = false;
                SET enable_progress_bar = false;
                ATTACH {SqlText.Literal(copy)} AS {Catalog} (READ_ONLY)
                """, stop);
            await database.AttachAsync(new AttachPolicy(settings.Allowed, settings.Tokens, settings.Urls), stop);
            await engine.ExecuteAsync($"""
                SET allowed_directories = {SqlText.List([scratch + "/"])};
                SET enable_external_access = false;
                SET lock_configuration = true;
                """, stop);
            return database;
        }
        catch
        {
            if (database is null) File.Delete(copy);
            else database.Dispose();
            throw;
        }
    }

    /// <summary>For one question; ends with its disposal. Null: nobody keeps it any more.</summary>
    public DuckDBConnection? Use()
    {
        for (var users = Volatile.Read(ref _users); users > 0; users = Volatile.Read(ref _users))
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users) return _engine.Duplicate();
        return null;
    }

    /// <summary>The other end of <see cref="Use"/>, and of whoever keeps it: the last one closes it.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) > 0) return;
        _engine.Dispose();
        File.Delete(_file);
    }

    /// <summary>One row that cannot be attached keeps none of the others from it.</summary>
    private async Task AttachAsync(AttachPolicy policy, CancellationToken stop)
    {
        var has = await _engine.ScalarAsync<long>(
            $"SELECT count(*) FROM duckdb_tables() WHERE database_name = '{Catalog}' AND schema_name = 'main' AND table_name = '_remote_attach'", stop);
        if (has == 0) return;
        var rows = await _engine.QueryAsync(
            $"SELECT alias, extension, url, coalesce(token_env, '') FROM {Catalog}.main._remote_attach",
            row => new Attachment(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3)), stop);
        foreach (var asked in rows.DistinctBy(row => row.Alias, StringComparer.OrdinalIgnoreCase))
        {
            if (policy.Refusal(asked) is { } refusal)
            {
                Refused.Add($"'{asked.Alias}': {refusal}");
                continue;
            }

            try
            {
                if (asked.Extension != AttachPolicy.OwnStorage) await _engine.ExecuteAsync($"LOAD {SqlText.Literal(asked.Extension)}", stop);
            }
            catch (DuckDBException)
            {
                Refused.Add($"'{asked.Alias}': the extension {asked.Extension} is not installed; docs/operator/extensions.md says how");
                IsPassing = true;
                continue;
            }

            try
            {
                await _engine.ExecuteAsync(policy.Statement(asked), stop);
            }
            catch (DuckDBException failure) when (failure.ErrorType != DuckDBErrorType.Interrupt)
            {
                Refused.Add($"'{asked.Alias}': what it names does not answer, or does not take the token"); // its own words may hold that
                IsPassing = true;
            }
        }
    }

    private static FileStamp Copy(string extract, string copy, string connection)
    {
        const int attempts = 3;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            if (FileStamp.TryOf(extract) is not { } before)
                throw new RemoteException(RemoteFault.System, $"The extract of '{connection}' is gone. Ask an admin to look at it.") { IsMissing = true };
            Scratch.EnsureFree(Path.GetDirectoryName(copy)!, before.Size);
            File.Copy(extract, copy, overwrite: true);
            if (FileStamp.TryOf(extract) == before) return before;
        }

        throw new RemoteException(RemoteFault.System, $"The extract of '{connection}' is being written. Ask again in a moment.") { IsPassing = true };
    }
}
