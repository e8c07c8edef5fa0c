using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>An error of the engine, with its own message and class.</summary>
public sealed class DuckDBException : DbException
{
    public DuckDBException(string message) : this(message, ErrorTypeOf(message))
    {
    }

    public DuckDBException(string message, DuckDBErrorType errorType, Exception? innerException = null) : base(message, innerException) =>
        ErrorType = errorType;

    public DuckDBErrorType ErrorType { get; }

    /// <summary>
    /// The database instance is dead: every further statement fails until all its connections are closed and it is opened again.
    /// If it comes from a COMMIT, the outcome of that transaction is unknown.
    /// </summary>
    public bool IsFatal => ErrorType == DuckDBErrorType.Fatal;

    /// <summary>Some calls of the API report a text alone; its prefix names the class.</summary>
    internal static DuckDBErrorType ErrorTypeOf(string message)
    {
        var end = message.IndexOf(" Error:", StringComparison.Ordinal);
        if (end < 0) return DuckDBErrorType.Invalid;
        return message[..end] switch
        {
            "Out of Range" => DuckDBErrorType.OutOfRange,
            "Conversion" => DuckDBErrorType.Conversion,
            "Mismatch Type" => DuckDBErrorType.MismatchType,
            "Divide by Zero" => DuckDBErrorType.DivideByZero,
            "Object Size" => DuckDBErrorType.ObjectSize,
            "Invalid type" or "Invalid Type" => DuckDBErrorType.InvalidType,
            "Serialization" => DuckDBErrorType.Serialization,
            "TransactionContext" => DuckDBErrorType.Transaction,
            "Not implemented" => DuckDBErrorType.NotImplemented,
            "Expression" => DuckDBErrorType.Expression,
            "Catalog" => DuckDBErrorType.Catalog,
            "Parser" => DuckDBErrorType.Parser,
            "Planner" => DuckDBErrorType.Planner,
            "Executor" => DuckDBErrorType.Executor,
            "Constraint" => DuckDBErrorType.Constraint,
            "Connection" => DuckDBErrorType.Connection,
            "Syntax" => DuckDBErrorType.Syntax,
            "Settings" => DuckDBErrorType.Settings,
            "Binder" => DuckDBErrorType.Binder,
            "Network" => DuckDBErrorType.Network,
            "IO" => DuckDBErrorType.IO,
            "INTERRUPT" => DuckDBErrorType.Interrupt,
            "FATAL" => DuckDBErrorType.Fatal,
            "INTERNAL" => DuckDBErrorType.Internal,
            "Invalid Input" => DuckDBErrorType.InvalidInput,
            "Out of Memory" => DuckDBErrorType.OutOfMemory,
            "Permission" => DuckDBErrorType.Permission,
            "Parameter Not Resolved" => DuckDBErrorType.ParameterNotResolved,
            "Parameter Not Allowed" => DuckDBErrorType.ParameterNotAllowed,
            "Dependency" => DuckDBErrorType.Dependency,
            "HTTP" => DuckDBErrorType.Http,
            "Missing Extension" => DuckDBErrorType.MissingExtension,
            "Extension Autoloading" => DuckDBErrorType.Autoload,
            "Sequence" => DuckDBErrorType.Sequence,
            "Invalid Configuration" => DuckDBErrorType.InvalidConfiguration,
            _ => DuckDBErrorType.Invalid,
        };
    }
}
