using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>A text whose names are known, and how much of a processor it took when it last ran.</summary>
internal sealed class KnownStatement(ParsedStatement parsed, int sqlCharacters)
{
    private const long ShortMicrosecondsMax = 20_000;
    private const int PlainCharactersMax = 512;

    // Nothing but constants: bound to be short, whoever wrote it, except by being long itself.
    private long _microseconds = parsed.Tables.Count == 0 && parsed.Functions.Count == 0 && parsed.TableFunctions.Count == 0 && sqlCharacters <= PlainCharactersMax ? 0 : long.MaxValue;

    public ParsedStatement Parsed { get; } = parsed;

    /// <summary>Whether it may run beside the queue of long statements.</summary>
    public bool IsShort => Volatile.Read(ref _microseconds) <= ShortMicrosecondsMax;

    public void Took(long microseconds) => Volatile.Write(ref _microseconds, microseconds);

    public void TookLong() => Took(long.MaxValue);
}

/// <summary>Parsed statements by their text: what a text names depends on nothing else. Bounded, least recently used first to go.</summary>
internal sealed class ParseCache
{
    private const int EntriesMax = 2000;
    private const int SqlCharactersMax = 16 << 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Sql, KnownStatement Statement)>> _entries = new(StringComparer.Ordinal); // under _gate
    private readonly LinkedList<(string Sql, KnownStatement Statement)> _recent = new(); // under _gate

    public KnownStatement? Find(string sql)
    {
        if (sql.Length > SqlCharactersMax) return null;
        lock (_gate)
        {
            if (!_entries.TryGetValue(sql, out var node)) return null;
            _recent.Remove(node);
            _recent.AddFirst(node);
            return node.Value.Statement;
        }
    }

    public KnownStatement Add(string sql, ParsedStatement parsed)
    {
        var statement = new KnownStatement(parsed, sql.Length);
        if (sql.Length > SqlCharactersMax) return statement;
        lock (_gate)
        {
            if (_entries.TryGetValue(sql, out var known)) return known.Value.Statement;
            _entries.Add(sql, _recent.AddFirst((sql, statement)));
            if (_entries.Count <= EntriesMax) return statement;
            _entries.Remove(_recent.Last!.Value.Sql);
            _recent.RemoveLast();
            return statement;
        }
    }
}
