using System.Text;

namespace Agnes.Sql.BigQuery;

/// <summary>What came of looking at a predicate in BigQuery's dialect: a fault, or the text that stands for it.</summary>
/// <param name="Sql">An expression over the table's columns, written from the tree, columns without the table's name; null with a
/// fault.</param>
public sealed record PredicateText(PredicateFault? Fault, string? Sql);

/// <summary>
/// Checks a predicate over one table in BigQuery's dialect, without WHERE: an expression that names this table's columns and harmless
/// functions only. What is not known here is refused. Kinds and their order are the contract's (WHERE validator), as for the dialect of
/// DuckDB.
/// </summary>
public sealed class Predicate : TreeMap
{
    private static readonly QueryExpression Nothing = new([], new Select(false, null, []), [], null, null);

    private readonly Dictionary<string, string> _columns = new(EngineNames.Comparer);
    private readonly HashSet<string> _aliases;

    /// <summary>The first fault of each rank: what the text is comes before whom it names, and that before what it calls.</summary>
    private readonly PredicateFault?[] _faults = new PredicateFault?[4];

    private Predicate(IEnumerable<string> columns, IEnumerable<string> aliases)
    {
        foreach (var column in columns) _columns.TryAdd(column, column);
        _aliases = new HashSet<string>(aliases, EngineNames.Comparer);
    }

    /// <param name="columns">The table's, as it spells them.</param>
    /// <param name="aliases">What the predicate may call the table.</param>
    public static PredicateText Check(string predicate, IEnumerable<string> columns, IEnumerable<string> aliases)
    {
        Expression tree;
        try
        {
            tree = Parser.ParseExpression(predicate);
        }
        catch (SyntaxFault fault)
        {
            return new PredicateText(new PredicateFault(Kind(fault, predicate)), null);
        }

        var check = new Predicate(columns, aliases);
        var canonical = check.Map(tree);
        var first = check._faults.FirstOrDefault(fault => fault is not null);
        return new PredicateText(first, first is null ? Renderer.Render(canonical) : null);
    }

    /// <summary>What a text is that is no expression.</summary>
    private static string Kind(SyntaxFault fault, string predicate)
    {
        if (fault.Kind == SyntaxFaultKind.SeveralStatements) return PredicateFault.SeveralStatements;
        if (fault.Kind == SyntaxFaultKind.NotAQuery) return PredicateFault.Writes;
        var isDeep = fault.Kind == SyntaxFaultKind.TooLarge && Encoding.UTF8.GetByteCount(predicate) <= Parser.PredicateBytesMax;
        return isDeep || fault.Kind == SyntaxFaultKind.SetOperation ? PredicateFault.Disallowed : PredicateFault.Unparseable;
    }

    public override Expression Map(Expression expression)
    {
        switch (expression)
        {
            case NamePath path: return Column(path);
            case Parameter:
                Add(0, new PredicateFault(PredicateFault.Disallowed));
                return expression;
            case Subquery or Exists or ArraySubquery:
                Add(0, new PredicateFault(PredicateFault.NestedSelect));
                return expression;
            case ArrayLiteral: AddFunction("ARRAY"); break;
            case StructLiteral or TupleLiteral: AddFunction("STRUCT"); break;
        }

        return base.Map(expression);
    }

    protected override QueryExpression Map(QueryExpression query)
    {
        Add(0, new PredicateFault(PredicateFault.NestedSelect));
        return Nothing;
    }

    protected override ManyValues Map(ManyValues values)
    {
        if (values is ArrayValues) AddFunction("UNNEST");
        return base.Map(values);
    }

    protected override Expression Map(Call call)
    {
        var isAllowed = AllowedInPredicates.Allows(call) && call.IsPlain && !call.Arguments.Any(argument => argument.Value is Star);
        if (!isAllowed) AddFunction(string.Join('.', call.Name));
        var arguments = call.Arguments
            .Select((argument, index) => argument with { Value = AllowedInPredicates.DatePart(call, index) ?? Map(argument.Value) })
            .ToList();
        if (call.IsPlain) return call with { Arguments = new NodeList<Argument>(arguments) };
        // Refused above; what else it says is looked at for the order of faults.
        return base.Map(call with { Arguments = [] });
    }

    /// <summary>A column, a column of the table by its name, or a field of a column that is a structure.</summary>
    private NamePath Column(NamePath path)
    {
        var names = path.Names;
        var isQualified = names.Count > 1 && _aliases.Contains(names[0]);
        var column = names[isQualified ? 1 : 0];
        if (_columns.TryGetValue(column, out var spelled)) return new NamePath([spelled, .. names.Skip(isQualified ? 2 : 1)]);
        if (names.Count == 1 || isQualified) Add(3, new PredicateFault(PredicateFault.Column, "column", column));
        else Add(1, new PredicateFault(PredicateFault.CrossTable));
        return path;
    }

    private void AddFunction(string name) => Add(2, new PredicateFault(PredicateFault.Function, "function", name));

    private void Add(int rank, PredicateFault fault) => _faults[rank] ??= fault;
}
