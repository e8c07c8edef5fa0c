namespace DuckDB.NET.Data.Vectors;

/// <summary>LIST and ARRAY: <c>object?[]</c>, or as an array or a List of a scalar type.</summary>
internal sealed class ListVector(DuckDBColumn column) : ColumnVector(column)
{
    private readonly ColumnVector _element = Create(column.Children[0]);

    internal override Type ClrType => typeof(object?[]);

    internal override object GetValue(int row)
    {
        var (offset, length) = Column.Range(row);
        var values = new object?[length];
        for (var i = 0; i < length; i++) values[i] = _element.GetValueOrNull(offset + i);
        return values;
    }

    internal override string GetString(int row)
    {
        var (offset, length) = Column.Range(row);
        return "[" + string.Join(", ", Enumerable.Range(offset, length).Select(i => NestedText.Of(_element, Column.Children[0], i))) + "]";
    }

    protected override bool TryGet<T>(int row, out T value)
    {
        var made = Array<T, string>(row) ?? Array<T, long>(row) ?? Array<T, int>(row) ?? Array<T, double>(row) ?? Array<T, bool>(row) ?? Array<T, decimal>(row)
            ?? Array<T, float>(row) ?? Array<T, short>(row) ?? Array<T, Guid>(row) ?? Array<T, DateTime>(row) ?? Array<T, DateOnly>(row) ?? Array<T, byte[]>(row)
            ?? Nullables<T, long>(row) ?? Nullables<T, int>(row) ?? Nullables<T, double>(row) ?? Nullables<T, decimal>(row) ?? Nullables<T, DateTime>(row);
        value = made is null ? default! : (T)made;
        return made is not null;
    }

    private object? Array<T, TElement>(int row)
    {
        if (typeof(T) != typeof(TElement[]) && typeof(T) != typeof(List<TElement>)) return null;
        var (offset, length) = Column.Range(row);
        var values = new TElement[length];
        for (var i = 0; i < length; i++)
        {
            // A list of references can hold a null, one of values cannot.
            if (!Column.Children[0].IsNull(offset + i)) values[i] = _element.Get<TElement>(offset + i);
            else if (typeof(TElement).IsValueType) throw new InvalidCastException($"Column '{Column.Name}' holds a list with a null: read it as {typeof(TElement).Name}?[].");
        }

        return typeof(T) == typeof(TElement[]) ? values : new List<TElement>(values);
    }

    private object? Nullables<T, TElement>(int row) where TElement : struct
    {
        if (typeof(T) != typeof(TElement?[]) && typeof(T) != typeof(List<TElement?>)) return null;
        var (offset, length) = Column.Range(row);
        var values = new TElement?[length];
        for (var i = 0; i < length; i++) values[i] = Column.Children[0].IsNull(offset + i) ? null : _element.Get<TElement>(offset + i);
        return typeof(T) == typeof(TElement?[]) ? values : new List<TElement?>(values);
    }
}
