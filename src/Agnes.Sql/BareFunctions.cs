using System.Collections.Frozen;

namespace Agnes.Sql;

/// <summary>Functions that are called without brackets. In the tree they are columns, and the engine's binder takes them for functions where there is no column of that name.</summary>
internal static class BareFunctions
{
    /// <summary>As they are written, and what is called.</summary>
    private static readonly FrozenDictionary<string, string> Called = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["current_catalog"] = "current_catalog",
        ["current_date"] = "current_date",
        ["current_role"] = "current_role",
        ["current_schema"] = "current_schema",
        ["current_time"] = "get_current_time",
        ["current_timestamp"] = "get_current_timestamp",
        ["current_user"] = "current_user",
        ["localtime"] = "current_localtime",
        ["localtimestamp"] = "current_localtimestamp",
        ["session_user"] = "session_user",
        ["user"] = "user",
    }.ToFrozenDictionary(EngineNames.Comparer);

    public static string? CalledBy(string column) => Called.GetValueOrDefault(column);
}
