namespace DuckDB.NET.Data.Native;

/// <summary>
/// One open database, shared by all connections of this process to the same file. Opening a file twice in one process loses rows, and closing
/// the second instance releases the first one's lock on it; so the path is the key, with links resolved, and the last connection closes it.
/// </summary>
internal sealed class DatabaseInstance
{
    private const string Memory = ":memory:";
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
        if (source.Contains('\0')) throw new ArgumentException("A path cannot contain a NUL character.", nameof(source));
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

    /// <summary>The path with all links resolved; null for a private memory database.</summary>
    private static string? KeyOf(string source)
    {
        if (source is "" or Memory) return null;
        return IsMemory(source) || source.Contains("://", StringComparison.Ordinal) ? source : RealPath(source);
    }

    private static string RealPath(string path)
    {
        // Folder by folder, as the system goes: behind a link, '..' is not where the text of the path suggests.
        var whole = Path.Combine(Environment.CurrentDirectory, path);
        var current = Path.GetPathRoot(whole) ?? "";
        foreach (var part in whole[current.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                current = Path.GetDirectoryName(current) ?? current;
                continue;
            }

            current = Path.Combine(current, part);
            // A link may lead to a file that is yet to be made.
            if (new FileInfo(current).LinkTarget is not null) current = RealPath(File.ResolveLinkTarget(current, returnFinalTarget: true)!.FullName);
        }

        return current;
    }

    private static bool IsMemory(string source) => source.StartsWith(Memory, StringComparison.Ordinal);

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

        // By its own path, not by a link to it: the engine keeps the write-ahead log beside the path that it was given.
        _handle = OpenHandle(_key is null || IsMemory(_key) ? Memory : _key, options);
        _options = options;
    }

    private static DatabaseHandle OpenHandle(string path, IReadOnlyDictionary<string, string> options)
    {
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
