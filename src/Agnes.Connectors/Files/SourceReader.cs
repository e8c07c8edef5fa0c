using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>One file that was looked into, and can be read as rows.</summary>
internal abstract class SourceReader(InputFile file)
{
    public InputFile File { get; } = file;

    /// <param name="like">What was found of the table's delimited files before; null for none.</param>
    public static async Task<SourceReader> OfAsync(InputFile file, FileSettings settings, ReadLike? like, DuckDBConnection connection, string scratch, CancellationToken cancellation) => file.Format.Kind switch
    {
        FileKind.Parquet => await ParquetReader.OpenAsync(file, settings, connection, cancellation),
        FileKind.Json or FileKind.NewlineJson => await JsonReader.OpenAsync(file, connection, cancellation),
        _ => await CsvReader.OpenAsync(file, settings, like, connection, scratch, cancellation),
    };

    /// <summary>The file's own columns; <see cref="SchemaUnion.Unknown"/> as type where a column has no value.</summary>
    public abstract IReadOnlyList<TableColumn> Columns { get; protected set; }

    /// <summary>What a person should know about how the file is read; empty mostly.</summary>
    public virtual IReadOnlyList<string> Remarks => [];

    /// <summary>The bad rows that were left out, where a person wanted it so.</summary>
    public virtual Divided? Divided => null;

    /// <summary>Whether <see cref="Columns"/> came from a sample, so that reading may find a value that does not fit.</summary>
    public virtual bool IsSampled => false;

    /// <summary>Whether an error says that a value does not fit what the sample showed.</summary>
    public virtual bool IsMisfit(DuckDBException error) => error.ErrorType == DuckDBErrorType.Conversion;

    /// <summary>Looks at the whole file; afterwards every value fits.</summary>
    public virtual Task LookAtAllAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>A SELECT of the file's rows with exactly the table's columns, in their order.</summary>
    public abstract string Select(IReadOnlyList<TableColumn> table);

    /// <summary>The table's columns that this file has, by its own spelling; null for one it has not.</summary>
    protected string? Own(TableColumn column) => Columns.FirstOrDefault(own => string.Equals(own.Name, column.Name, StringComparison.OrdinalIgnoreCase))?.Name;

    /// <summary>For files whose reader is told the types: names only, NULL for what is not there.</summary>
    protected string SelectList(IReadOnlyList<TableColumn> table, bool cast) => string.Join(", ", table.Select(column => Own(column) is { } own
        ? cast ? $"CAST({SqlText.Identifier(own)} AS {column.Type}) AS {SqlText.Identifier(column.Name)}" : $"{SqlText.Identifier(own)} AS {SqlText.Identifier(column.Name)}"
        : $"CAST(NULL AS {column.Type}) AS {SqlText.Identifier(column.Name)}"));

    /// <summary><c>{'a': 'BIGINT', …}</c> of the file's columns, with the types that the table has for them.</summary>
    protected string Types(IReadOnlyList<TableColumn> table)
    {
        var types = table.ToDictionary(column => column.Name, column => column.Type, StringComparer.OrdinalIgnoreCase);
        return $"{{{string.Join(", ", Columns.Select(column => $"{SqlText.Literal(column.Name)}: {SqlText.Literal(types[column.Name])}"))}}}";
    }
}
