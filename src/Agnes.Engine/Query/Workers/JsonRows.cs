using DuckDB.NET.Data;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>Writes a streaming result as JSON, straight from the engine's vectors.</summary>
internal sealed unsafe class JsonRows
{
    private readonly ResultSpool _spool;
    private readonly RowsForm _form;
    private readonly byte[][] _names;
    private readonly JsonCell[] _cells;

    public JsonRows(ResultHandle result, RowsForm form, ResultSpool spool)
    {
        _spool = spool;
        _form = form;
        var count = (int)NativeMethods.duckdb_column_count(result.Pointer);
        _names = new byte[count][];
        _cells = new JsonCell[count];
        for (var i = 0; i < count; i++)
        {
            _names[i] = Quoted(System.Text.Encoding.UTF8.GetBytes(Utf8.Borrow(NativeMethods.duckdb_column_name(result.Pointer, (ulong)i)) ?? ""));
            var type = NativeMethods.duckdb_column_logical_type(result.Pointer, (ulong)i);
            try
            {
                _cells[i] = JsonCells.Create(type, nestedAsText: form == RowsForm.Table);
            }
            finally
            {
                NativeMethods.duckdb_destroy_logical_type(ref type);
            }
        }
    }

    /// <param name="fetch">The next chunk, zero after the last.</param>
    /// <param name="limit">Rows at most; what lies beyond only sets the flag.</param>
    public (long Rows, bool Truncated) Write(Func<nint> fetch, int limit)
    {
        WriteHead();
        var rows = 0L;
        var truncated = false;
        for (var chunk = fetch(); chunk != 0 && !truncated; chunk = truncated ? 0 : fetch())
        {
            try
            {
                var size = NativeMethods.duckdb_data_chunk_get_size(chunk);
                var take = (ulong)Math.Min((long)size, limit - rows);
                truncated = take < size;
                WriteChunk(chunk, take, rows == 0);
                rows += (long)take;
            }
            finally
            {
                NativeMethods.duckdb_destroy_data_chunk(ref chunk);
            }
        }
        WriteTail(rows, truncated);
        return (rows, truncated);
    }

    private void WriteHead()
    {
        var json = _spool.Json;
        if (_form == RowsForm.Objects)
        {
            json.Raw((byte)'[');
            return;
        }
        json.Raw("{\"columns\":["u8);
        for (var i = 0; i < _names.Length; i++)
        {
            if (i > 0) json.Raw((byte)',');
            json.Raw(_names[i]);
        }
        json.Raw("],\"rows\":["u8);
    }

    private void WriteChunk(nint chunk, ulong rows, bool first)
    {
        for (var i = 0; i < _cells.Length; i++) _cells[i].Bind(NativeMethods.duckdb_data_chunk_get_vector(chunk, (ulong)i));
        var json = _spool.Json;
        for (var row = 0UL; row < rows; row++)
        {
            if (!first || row > 0) json.Raw((byte)',');
            if (_form == RowsForm.Table) WriteArray(json, row);
            else WriteObject(json, row);
            _spool.AfterRow();
        }
    }

    private void WriteArray(JsonBuffer json, ulong row)
    {
        json.Raw((byte)'[');
        for (var i = 0; i < _cells.Length; i++)
        {
            if (i > 0) json.Raw((byte)',');
            _cells[i].Write(json, row);
        }
        json.Raw((byte)']');
    }

    private void WriteObject(JsonBuffer json, ulong row)
    {
        json.Raw((byte)'{');
        for (var i = 0; i < _cells.Length; i++)
        {
            if (i > 0) json.Raw((byte)',');
            json.Raw(_names[i]);
            json.Raw((byte)':');
            _cells[i].Write(json, row);
        }
        json.Raw((byte)'}');
    }

    private void WriteTail(long rows, bool truncated)
    {
        var json = _spool.Json;
        json.Raw((byte)']');
        if (_form == RowsForm.Objects) return;
        json.Raw(",\"row_count\":"u8);
        json.Number(rows);
        json.Raw(",\"truncated\":"u8);
        json.Bool(truncated);
        json.Raw((byte)'}');
    }

    private static byte[] Quoted(byte[] name)
    {
        var json = new JsonBuffer(name.Length + 2);
        json.Text(name);
        return json.Written.ToArray();
    }
}
