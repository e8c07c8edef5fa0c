using System.Runtime.InteropServices;

namespace DuckDB.NET.Data.Native;

/// <summary>A handle of the engine that is valid unless it is null.</summary>
internal abstract class EngineHandle : SafeHandle
{
    protected EngineHandle() : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;
}

/// <summary>An open database. Closing the last one of a path writes its checkpoint.</summary>
internal sealed class DatabaseHandle : EngineHandle
{
    internal DatabaseHandle(nint value) => SetHandle(value);

    protected override bool ReleaseHandle()
    {
        NativeMethods.duckdb_close(ref handle);
        return true;
    }
}

/// <summary>A connection; it holds a lease on its database instance and gives it back after it is disconnected.</summary>
internal sealed class ConnectionHandle : EngineHandle
{
    internal DatabaseInstance Instance { get; }

    internal ConnectionHandle(nint value, DatabaseInstance instance)
    {
        Instance = instance;
        SetHandle(value);
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.duckdb_disconnect(ref handle);
        Instance.Release();
        return true;
    }
}

/// <summary>Something that lives on a connection: the connection is not disconnected before it is destroyed, in whatever order the two are disposed.</summary>
internal abstract class ConnectionChildHandle : EngineHandle
{
    private readonly ConnectionHandle _connection;

    protected ConnectionChildHandle(ConnectionHandle connection)
    {
        var added = false;
        connection.DangerousAddRef(ref added);
        _connection = connection;
    }

    protected abstract void Destroy();

    protected sealed override bool ReleaseHandle()
    {
        Destroy();
        _connection.DangerousRelease();
        return true;
    }
}

internal sealed class ExtractedHandle : EngineHandle
{
    internal ExtractedHandle(nint value) => SetHandle(value);

    protected override bool ReleaseHandle()
    {
        NativeMethods.duckdb_destroy_extracted(ref handle);
        return true;
    }
}

internal sealed class PreparedHandle : ConnectionChildHandle
{
    internal PreparedHandle(ConnectionHandle connection, nint value) : base(connection) => SetHandle(value);

    protected override void Destroy() => NativeMethods.duckdb_destroy_prepare(ref handle);
}

internal sealed class AppenderHandle : ConnectionChildHandle
{
    internal AppenderHandle(ConnectionHandle connection, nint value) : base(connection) => SetHandle(value);

    protected override void Destroy()
    {
        // Destroying an appender would flush it; rows that were not closed explicitly are dropped.
        _ = NativeMethods.duckdb_appender_clear(handle);
        _ = NativeMethods.duckdb_appender_destroy(ref handle);
    }
}

/// <summary>Owns the memory of a <c>duckdb_result</c>.</summary>
internal sealed unsafe class ResultHandle : ConnectionChildHandle
{
    internal ResultHandle(ConnectionHandle connection) : base(connection) =>
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(NativeResult)));

    internal NativeResult* Pointer => (NativeResult*)handle;

    protected override void Destroy()
    {
        NativeMethods.duckdb_destroy_result(Pointer);
        NativeMemory.Free(Pointer);
    }
}
