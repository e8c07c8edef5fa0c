using Agnes.Sql;

namespace Agnes.Engine.Query.Scans;

/// <summary>
/// What came of looking at a predicate: a failure of the worker, a fault of the text, or the text as the engine understood it.
/// </summary>
/// <param name="Sql">
/// A SELECT of all columns with the predicate as its WHERE, written anew from the tree; of a table that is asked in a language of its
/// own, the predicate alone in that language.
/// </param>
public sealed record PredicateCheck(StatementOutcome? Failure, PredicateFault? Fault, string? Sql);
