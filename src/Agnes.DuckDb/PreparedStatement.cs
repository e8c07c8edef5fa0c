using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>The statements of one text, not yet prepared: each may need what the one before it made.</summary>
internal sealed unsafe class StatementText : IDisposable
{
    private readonly ExtractedHandle _handle;

    internal StatementText(DuckDBConnection connection, string sql)
    {
        ulong count;
        nint extracted;
        fixed (byte* text = Utf8.SqlBytes(sql)) count = NativeMethods.duckdb_extract_statements(connection.Handle, text, out extracted);
        _handle = new ExtractedHandle(extracted);
        Count = (int)count;
        if (Count > 0 || NativeMethods.duckdb_extract_statements_error(extracted) is not (var error and not 0)) return;
        var message = Utf8.Borrow(error)!;
        _handle.Dispose();
        throw Execution.Failure(connection, message);
    }

    internal int Count { get; }

    internal PreparedStatement Prepare(DuckDBConnection connection, int index)
    {
        var state = NativeMethods.duckdb_prepare_extracted_statement(connection.Handle, _handle, (ulong)index, out var prepared);
        var handle = new PreparedHandle(connection.Handle, prepared);
        if (state == 0) return new PreparedStatement(connection, handle);
        var message = Utf8.Borrow(NativeMethods.duckdb_prepare_error(prepared)) ?? "The statement cannot be prepared.";
        handle.Dispose();
        throw Execution.Failure(connection, message);
    }

    public void Dispose() => _handle.Dispose();
}

/// <summary>One prepared statement with the names of its placeholders.</summary>
internal sealed class PreparedStatement : IDisposable
{
    private readonly DuckDBConnection _connection;
    private readonly string[] _placeholders;

    internal PreparedStatement(DuckDBConnection connection, PreparedHandle handle)
    {
        _connection = connection;
        Handle = handle;
        _placeholders = new string[NativeMethods.duckdb_nparams(handle)];
        for (var i = 0; i < _placeholders.Length; i++)
            _placeholders[i] = Utf8.Take(NativeMethods.duckdb_parameter_name(handle, (ulong)i + 1)) ?? (i + 1).ToString();
        connection.Track(this);
    }

    internal PreparedHandle Handle { get; }

    internal bool IsClosed => Handle.IsClosed;

    internal void Bind(DuckDBParameterCollection parameters)
    {
        for (var i = 0; i < _placeholders.Length; i++)
        {
            var parameter = parameters.Find(_placeholders[i])
                ?? throw new InvalidOperationException($"The statement has the placeholder '{_placeholders[i]}', but no such parameter was given.");
            var value = EngineValue.Create(parameter.Value);
            try
            {
                if (NativeMethods.duckdb_bind_value(Handle, (ulong)i + 1, value) != 0)
                    throw new DuckDBException(Utf8.Borrow(NativeMethods.duckdb_prepare_error(Handle.DangerousGetHandle())) ?? $"Cannot bind the parameter '{_placeholders[i]}'.");
            }
            finally
            {
                NativeMethods.duckdb_destroy_value(ref value);
            }
        }
    }

    public void Dispose()
    {
        _connection.Untrack(this);
        Handle.Dispose();
    }
}
