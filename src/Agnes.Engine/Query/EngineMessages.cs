using System.Text.RegularExpressions;
using Agnes.Engine.Query.Workers;
using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query;

/// <summary>Turns the engine's failures into what an asker may read: no path of this machine, nothing about how the sandbox is made.</summary>
internal static partial class EngineMessages
{
    private const int CharactersMax = 2000;

    public static StatementStatus StatusOf(Exception error) => error switch
    {
        DuckDBException { ErrorType: DuckDBErrorType.Interrupt } or OperationCanceledException => StatementStatus.TimedOut,
        DuckDBException { ErrorType: DuckDBErrorType.OutOfMemory } or OutOfMemoryException => StatementStatus.OutOfMemory,
        ResultTooLargeException => StatementStatus.TooLarge,
        _ => StatementStatus.EngineError,
    };

    /// <summary>Keeps the useful part. Lines after the first that show the statement with a caret stay; paths go.</summary>
    public static string Clean(string message)
    {
        var text = QuotedPath().Replace(EngineAdvice.Without(message), "'…'");
        text = BarePath().Replace(text, "…");
        return text.Length <= CharactersMax ? text : string.Concat(text.AsSpan(0, CharactersMax), "…");
    }

    [GeneratedRegex("""("([a-zA-Z]:)?[/\\][^"\n]*")|('([a-zA-Z]:)?[/\\][^'\n]*')""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex QuotedPath();

    [GeneratedRegex("""/[^\s"':;,()]+/[^\s"':;,()]*""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex BarePath();
}
