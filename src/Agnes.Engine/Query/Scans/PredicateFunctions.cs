namespace Agnes.Engine.Query.Scans;

/// <summary>What a predicate may call. Everything else is refused, aggregates and window functions with it.</summary>
internal static class PredicateFunctions
{
    public static bool Allows(string name) => Named.Contains(name) || Written.Contains(name);

    /// <summary>Columns by their look, functions to the engine.</summary>
    public static bool IsBareFunction(string name) => Bare.Contains(name);

    private static readonly HashSet<string> Bare = new(StringComparer.OrdinalIgnoreCase) { "current_date", "current_timestamp", "current_time" };

    /// <summary>By the names that a user writes.</summary>
    private static readonly HashSet<string> Named = new(StringComparer.OrdinalIgnoreCase)
    {
        "current_date", "current_timestamp", "current_time", "date", "datetime", "timestamp", "time", "date_add", "date_sub", "date_diff", "date_trunc", "extract", "format_date", "format_timestamp",
        "parse_date", "parse_timestamp", "unix_seconds", "unix_millis", "timestamp_add", "timestamp_sub", "timestamp_diff", "timestamp_trunc", "datetime_add", "datetime_sub", "datetime_diff", "datetime_trunc",
        "last_day", "concat", "length", "lower", "upper", "substr", "substring", "trim", "ltrim", "rtrim", "replace", "starts_with", "ends_with", "contains_substr", "regexp_contains", "regexp_extract",
        "regexp_like", "safe_cast", "try_cast", "abs", "ceil", "ceiling", "floor", "round", "mod", "power", "pow", "sqrt", "log", "ln", "exp", "sign", "greatest", "least", "char_length", "cast", "if", "ifnull",
        "coalesce", "nullif", "case",
        // DuckDB's own names of the same functions.
        "date_part", "datediff", "datetrunc", "strftime", "strptime", "epoch", "epoch_ms", "contains", "prefix", "suffix", "regexp_matches", "regexp_full_match", "character_length", "len",
    };

    /// <summary>What the engine's parser makes of operators, intervals and the like.</summary>
    private static readonly HashSet<string> Written = new(StringComparer.Ordinal)
    {
        "+", "-", "*", "/", "//", "%", "^", "**", "||", "&", "|", "<<", ">>", "~", "xor", "~~", "!~~", "~~*", "!~~*", "~~~", "^@", "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape",
        "to_years", "to_quarters", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds", "to_decades", "to_centuries", "to_millennia", "trunc",
        "array_extract", "struct_extract",
    };
}
