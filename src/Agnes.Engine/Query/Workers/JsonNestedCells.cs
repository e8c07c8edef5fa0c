using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>A nested value as a text that holds JSON, for rows of which every cell is a scalar.</summary>
internal sealed class JsonAsTextCell(JsonCell inner) : JsonCell
{
    private readonly JsonBuffer _text = new(256);

    public override void Bind(nint vector)
    {
        base.Bind(vector);
        inner.Bind(vector);
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        _text.Clear();
        inner.Write(_text, row);
        json.Text(_text.Written);
    }
}

/// <summary>Where the items of one row stand in the child vector.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ListEntry(ulong Offset, ulong Length);

internal sealed class JsonListCell(JsonCell item) : JsonCell
{
    public override void Bind(nint vector)
    {
        base.Bind(vector);
        item.Bind(NativeMethods.duckdb_list_vector_get_child(vector));
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var (offset, length) = Read<ListEntry>(row);
        json.Raw((byte)'[');
        for (var i = 0UL; i < length; i++)
        {
            if (i > 0) json.Raw((byte)',');
            item.Write(json, offset + i);
        }
        json.Raw((byte)']');
    }
}

internal sealed class JsonArrayCell(JsonCell item, ulong size) : JsonCell
{
    public override void Bind(nint vector)
    {
        base.Bind(vector);
        item.Bind(NativeMethods.duckdb_array_vector_get_child(vector));
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        json.Raw((byte)'[');
        for (var i = 0UL; i < size; i++)
        {
            if (i > 0) json.Raw((byte)',');
            item.Write(json, row * size + i);
        }
        json.Raw((byte)']');
    }
}

/// <summary>A struct as a JSON object; one without names, as <c>row(1, 2)</c> makes, as an array.</summary>
internal sealed class JsonStructCell(byte[][] names, JsonCell[] members) : JsonCell
{
    private readonly bool _named = names.Any(name => name.Length > 0);

    public override void Bind(nint vector)
    {
        base.Bind(vector);
        for (var i = 0; i < members.Length; i++) members[i].Bind(NativeMethods.duckdb_struct_vector_get_child(vector, (ulong)i));
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        json.Raw(_named ? (byte)'{' : (byte)'[');
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0) json.Raw((byte)',');
            if (_named)
            {
                json.Text(names[i]);
                json.Raw((byte)':');
            }
            members[i].Write(json, row);
        }
        json.Raw(_named ? (byte)'}' : (byte)']');
    }
}

/// <summary>A map as a JSON object; keys that are no texts are written as the text of their JSON.</summary>
internal sealed class JsonMapCell(JsonCell key, JsonCell value) : JsonCell
{
    private readonly JsonBuffer _key = new(64);

    public override void Bind(nint vector)
    {
        base.Bind(vector);
        var entries = NativeMethods.duckdb_list_vector_get_child(vector);
        key.Bind(NativeMethods.duckdb_struct_vector_get_child(entries, 0));
        value.Bind(NativeMethods.duckdb_struct_vector_get_child(entries, 1));
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        var (offset, length) = Read<ListEntry>(row);
        json.Raw((byte)'{');
        for (var i = offset; i < offset + length; i++)
        {
            if (i > offset) json.Raw((byte)',');
            _key.Clear();
            key.Write(_key, i);
            if (_key.Written[0] == (byte)'"') json.Raw(_key.Written);
            else json.Text(_key.Written);
            json.Raw((byte)':');
            value.Write(json, i);
        }
        json.Raw((byte)'}');
    }
}

/// <summary>The value of the member that is set.</summary>
internal sealed class JsonUnionCell(JsonCell[] members) : JsonCell
{
    private TagCell? _tag;

    public override void Bind(nint vector)
    {
        base.Bind(vector);
        _tag ??= new TagCell();
        _tag.Bind(NativeMethods.duckdb_struct_vector_get_child(vector, 0));
        for (var i = 0; i < members.Length; i++) members[i].Bind(NativeMethods.duckdb_struct_vector_get_child(vector, (ulong)i + 1));
    }

    protected override void WriteValue(JsonBuffer json, ulong row)
    {
        if (_tag!.IsNull(row)) json.Null();
        else members[_tag.Value(row)].Write(json, row);
    }

    private sealed class TagCell : JsonCell
    {
        public byte Value(ulong row) => Read<byte>(row);

        protected override void WriteValue(JsonBuffer json, ulong row) => json.Number((long)Value(row));
    }
}
