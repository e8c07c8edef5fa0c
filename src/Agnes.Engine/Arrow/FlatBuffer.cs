using System.Buffers.Binary;
using System.Text;

namespace Agnes.Engine.Arrow;

/// <summary>
/// Builds one FlatBuffer from its end to its beginning, as its format has it: what is referred to is written before what refers to it. Positions are counted from
/// the end, so that they stay while the buffer grows.
/// </summary>
internal sealed class FlatBuffer
{
    private const int CapacityFirst = 1024;

    private byte[] _bytes = new byte[CapacityFirst];
    private int _head = CapacityFirst;
    private int _alignment = 1;
    private int[] _slots = [];
    private int _tableStart;

    private int Position => _bytes.Length - _head;

    public int Text(string text)
    {
        var content = Encoding.UTF8.GetBytes(text);
        Align(1, content.Length + 1);
        Align(sizeof(int), content.Length + 1);
        Put((byte)0);
        Reserve(content.Length);
        _head -= content.Length;
        content.CopyTo(_bytes, _head);
        Put(content.Length);
        return Position;
    }

    /// <summary>A list of tables or texts, by their positions.</summary>
    public int References(IReadOnlyList<int> positions)
    {
        Align(sizeof(int), positions.Count * sizeof(int));
        for (var i = positions.Count - 1; i >= 0; i--) Refer(positions[i]);
        Put(positions.Count);
        return Position;
    }

    /// <summary>A list of pairs of 64-bit numbers, which is what Arrow's nodes and buffers are.</summary>
    public int Pairs(IReadOnlyList<(long First, long Second)> pairs)
    {
        const int pairBytes = 2 * sizeof(long);
        Align(sizeof(int), pairs.Count * pairBytes);
        Align(sizeof(long), pairs.Count * pairBytes);
        for (var i = pairs.Count - 1; i >= 0; i--)
        {
            Put(pairs[i].Second);
            Put(pairs[i].First);
        }

        Put(pairs.Count);
        return Position;
    }

    public void StartTable(int fields)
    {
        _slots = new int[fields];
        _tableStart = Position;
    }

    public void Byte(int field, byte value)
    {
        Align(sizeof(byte), 0);
        Put(value);
        _slots[field] = Position;
    }

    public void Bool(int field, bool value) => Byte(field, value ? (byte)1 : (byte)0);

    public void Short(int field, short value)
    {
        Align(sizeof(short), 0);
        Put(value);
        _slots[field] = Position;
    }

    public void Int(int field, int value)
    {
        Align(sizeof(int), 0);
        Put(value);
        _slots[field] = Position;
    }

    public void Long(int field, long value)
    {
        Align(sizeof(long), 0);
        Put(value);
        _slots[field] = Position;
    }

    public void Reference(int field, int position)
    {
        Align(sizeof(int), 0);
        Refer(position);
        _slots[field] = Position;
    }

    public int EndTable()
    {
        const int fixedSlots = 2;
        Align(sizeof(int), 0);
        Put(0); // becomes the way to the slots
        var table = Position;
        for (var i = _slots.Length - 1; i >= 0; i--) Put((short)(_slots[i] == 0 ? 0 : table - _slots[i]));
        Put((short)(table - _tableStart));
        Put((short)((_slots.Length + fixedSlots) * sizeof(short)));
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_bytes.Length - table), Position - table);
        return table;
    }

    /// <summary>The whole buffer, its root first.</summary>
    public ReadOnlyMemory<byte> Finish(int root)
    {
        Align(_alignment, sizeof(int));
        Align(sizeof(int), 0);
        Refer(root);
        return _bytes.AsMemory(_head);
    }

    private void Refer(int position) => Put(Position - position + sizeof(int));

    /// <summary>Pads so that, after so many further bytes, the next value of that size lies where it must.</summary>
    private void Align(int size, int before)
    {
        _alignment = Math.Max(_alignment, size);
        var padding = -(Position + before) & (size - 1);
        Reserve(padding + size + before);
        _head -= padding;
        _bytes.AsSpan(_head, padding).Clear();
    }

    private void Reserve(int bytes)
    {
        if (_head >= bytes + sizeof(long)) return;
        var grown = new byte[Math.Max(_bytes.Length * 2, _bytes.Length + bytes + sizeof(long))];
        var used = Position;
        _bytes.AsSpan(_head).CopyTo(grown.AsSpan(grown.Length - used));
        _head = grown.Length - used;
        _bytes = grown;
    }

    private void Put(byte value)
    {
        Reserve(sizeof(byte));
        _bytes[--_head] = value;
    }

    private void Put(short value)
    {
        Reserve(sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(_bytes.AsSpan(_head -= sizeof(short)), value);
    }

    private void Put(int value)
    {
        Reserve(sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_head -= sizeof(int)), value);
    }

    private void Put(long value)
    {
        Reserve(sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_head -= sizeof(long)), value);
    }
}
