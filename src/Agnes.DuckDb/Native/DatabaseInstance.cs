namespace DuckDB.NET.Data.Native;

/// <summary>
/// One open database, shared by all connections of this process to the same file. Opening a file twice in one process loses rows, and closing
/// the second instance releases the first one's lock on it; so the path is the key, with links resolved, and the last connection closes it.
/// </summary>
internal sealed class DatabaseInstance
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, DatabaseInstance> Shared = new(StringComparer.Ordinal);

    private readonly string? _key; // null: private to its connections
    private readonly Lock _opening = new();
    private int _users; // under Gate
    private DatabaseHandle? _handle; // under _opening
    private IReadOnlyDictionary<string, string> _options = new Dictionary<string, string>(0, StringComparer.Ordinal);

    private DatabaseInstance(string? key) => _key = key;

    /// <summary>A new connection to the database of a connection string.</summary>
    internal static ConnectionHandle Connect(string source, IReadOnlyDictionary<string, string> options)
    {
        var key = KeyOf(source);
        DatabaseInstance? instance;
        lock (Gate)
        {
            if (key is null || !Shared.TryGetValue(key, out instance))
            {
                instance = new DatabaseInstance(key);
                if (key is not null) Shared.Add(key, instance);
            }

            instance._users++;
        }

        return instance.Connect(() => instance.Open(source, options));
    }

    /// <summary>Another connection to the same database.</summary>
    internal ConnectionHandle Connect()
    {
        lock (Gate) _users++;
        return Connect(static () => { });
    }

    internal void Release()
    {
        lock (_opening)
        {
            lock (Gate)
            {
                if (--_users > 0) return;
            }

            // Someone may join meanwhile; they wait for the lock, find no handle, and open anew.
            _handle?.Dispose();
            _handle = null;
            lock (Gate)
            {
                if (_users == 0 && _key is not null) Shared.Remove(_key);
            }
        }
    }

    private static string? KeyOf(string source)
    {
        if (source is "" or ":memory:") return null;
        if (IsMemory(source)) return source;
        var path = Path.GetFullPath(source);
        // The folder may be reached by a link as well as the file.
        var folder = Path.GetDirectoryName(path);
        if (folder is not null) path = Path.Combine(RealFolder(folder), Path.GetFileName(path));
        return File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.FullName : path;
    }

    private static string RealFolder(string folder)
    {
        var parent = Path.GetDirectoryName(folder);
        if (parent is null) return folder;
        var here = Path.Combine(RealFolder(parent), Path.GetFileName(folder));
        return Directory.Exists(here) && Directory.ResolveLinkTarget(here, returnFinalTarget: true) is { } target ? target.FullName : here;
    }

    private static bool IsMemory(string source) => source.StartsWith(":memory:", StringComparison.Ordinal);

    private ConnectionHandle Connect(Action open)
    {
        try
        {
            lock (_opening)
            {
                open();
                if (NativeMethods.duckdb_connect(_handle!, out var connection) != 0)
                    throw new DuckDBException("Connection Error: the engine refused a connection.", DuckDBErrorType.Connection);
                return new ConnectionHandle(connection, this);
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    private void Open(string source, IReadOnlyDictionary<string, string> options)
    {
        if (_handle is not null)
        {
            foreach (var (name, value) in options)
            {
                if (_options.TryGetValue(name, out var other) && other == value) continue;
                throw new DuckDBException(
                    $"Connection Error: '{source}' is already open in this process without {name}={value}. Connections to one file share an instance and its options.",
                    DuckDBErrorType.Connection);
            }

            return;
        }

        _handle = OpenHandle(IsMemory(source) || source.Length == 0 ? ":memory:" : source, options);
        _options = options;
    }

    private static DatabaseHandle OpenHandle(string path, IReadOnlyDictionary<string, string> options)
    {
        if (path.Contains('\0')) throw new ArgumentException("A path cannot contain a NUL character.", nameof(path));
        if (NativeMethods.duckdb_create_config(out var config) != 0) throw new DuckDBException("Out of Memory Error: no configuration could be made.");
        try
        {
            foreach (var (name, value) in options)
            {
                if (NativeMethods.duckdb_set_config(config, name, value) != 0)
                    throw new DuckDBException($"Invalid Configuration Error: option {name}='{value}' was refused.", DuckDBErrorType.InvalidConfiguration);
            }

            if (NativeMethods.duckdb_open_ext(path, out var database, config, out var error) != 0)
                throw new DuckDBException(Utf8.Take(error) ?? $"IO Error: cannot open '{path}'.");
            return new DatabaseHandle(database);
        }
        finally
        {
            NativeMethods.duckdb_destroy_config(ref config);
        }
    }
}
