using System.Collections;
using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>The parameters of a command; names are compared without case.</summary>
public sealed class DuckDBParameterCollection : DbParameterCollection
{
    private readonly List<DuckDBParameter> _items = [];

    public override int Count => _items.Count;

    public override object SyncRoot => ((ICollection)_items).SyncRoot;

    public new DuckDBParameter this[int index]
    {
        get => _items[index];
        set => _items[index] = value;
    }

    public DuckDBParameter Add(DuckDBParameter parameter)
    {
        _items.Add(parameter);
        return parameter;
    }

    public DuckDBParameter AddWithValue(string name, object? value) => Add(new DuckDBParameter(name, value));

    public override int Add(object value)
    {
        _items.Add(value as DuckDBParameter ?? new DuckDBParameter(value));
        return _items.Count - 1;
    }

    public override void AddRange(Array values)
    {
        foreach (var value in values) Add(value!);
    }

    public override void Clear() => _items.Clear();

    public override bool Contains(object value) => IndexOf(value) >= 0;

    public override bool Contains(string value) => IndexOf(value) >= 0;

    public override void CopyTo(Array array, int index) => ((ICollection)_items).CopyTo(array, index);

    public override IEnumerator GetEnumerator() => _items.GetEnumerator();

    public override int IndexOf(object value) => value is DuckDBParameter parameter ? _items.IndexOf(parameter) : -1;

    public override int IndexOf(string parameterName)
    {
        var name = DuckDBParameter.Normalise(parameterName);
        return _items.FindIndex(item => string.Equals(item.ParameterName, name, StringComparison.OrdinalIgnoreCase));
    }

    public override void Insert(int index, object value) => _items.Insert(index, (DuckDBParameter)value);

    public override void Remove(object value) => _items.Remove((DuckDBParameter)value);

    public override void RemoveAt(int index) => _items.RemoveAt(index);

    public override void RemoveAt(string parameterName) => _items.RemoveAt(Required(parameterName));

    protected override DbParameter GetParameter(int index) => _items[index];

    protected override DbParameter GetParameter(string parameterName) => _items[Required(parameterName)];

    protected override void SetParameter(int index, DbParameter value) => _items[index] = (DuckDBParameter)value;

    protected override void SetParameter(string parameterName, DbParameter value) => _items[Required(parameterName)] = (DuckDBParameter)value;

    /// <summary>The parameter for a placeholder of the engine: by name, or for a number by position among those without one.</summary>
    internal DuckDBParameter? Find(string placeholder)
    {
        var named = IndexOf(placeholder);
        if (named >= 0) return _items[named];
        if (!int.TryParse(placeholder, out var position)) return null;
        foreach (var item in _items)
        {
            if (item.ParameterName.Length == 0 && --position == 0) return item;
        }

        return null;
    }

    private int Required(string name)
    {
        var index = IndexOf(name);
        return index >= 0 ? index : throw new ArgumentException($"There is no parameter '{name}'.", nameof(name));
    }
}
