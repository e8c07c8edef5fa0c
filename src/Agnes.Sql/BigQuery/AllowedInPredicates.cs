using System.Collections.Frozen;

namespace Agnes.Sql.BigQuery;

/// <summary>
/// What a predicate in BigQuery's dialect may call: the contract's list by the names that a user writes. Aggregates and windows are not
/// among them.
/// </summary>
internal static class AllowedInPredicates
{
    /// <summary>CAST, SAFE_CAST, EXTRACT and CASE are of the grammar.</summary>
    private static readonly FrozenSet<string> Allowed = Set(
        """
        CURRENT_DATE CURRENT_DATETIME CURRENT_TIMESTAMP CURRENT_TIME DATE DATETIME TIMESTAMP TIME DATE_ADD DATE_SUB DATE_DIFF DATE_TRUNC
        FORMAT_DATE FORMAT_TIMESTAMP PARSE_DATE PARSE_TIMESTAMP UNIX_SECONDS UNIX_MILLIS TIMESTAMP_ADD TIMESTAMP_SUB TIMESTAMP_DIFF
        TIMESTAMP_TRUNC DATETIME_ADD DATETIME_SUB DATETIME_DIFF DATETIME_TRUNC LAST_DAY CONCAT LENGTH LOWER UPPER SUBSTR SUBSTRING TRIM
        LTRIM RTRIM REPLACE STARTS_WITH ENDS_WITH CONTAINS_SUBSTR REGEXP_CONTAINS REGEXP_EXTRACT REGEXP_LIKE ABS CEIL CEILING FLOOR ROUND
        MOD POWER POW SQRT LOG LN EXP SIGN GREATEST LEAST CHAR_LENGTH CHARACTER_LENGTH IF IFNULL COALESCE NULLIF
        """);

    /// <summary>Which argument, from zero, is a part of a date and no column.</summary>
    private static readonly FrozenDictionary<string, int> DatePartAt = new Dictionary<string, int>(EngineNames.Comparer)
    {
        ["DATE_DIFF"] = 2,
        ["DATETIME_DIFF"] = 2,
        ["TIMESTAMP_DIFF"] = 2,
        ["DATE_TRUNC"] = 1,
        ["DATETIME_TRUNC"] = 1,
        ["TIMESTAMP_TRUNC"] = 1,
        ["LAST_DAY"] = 1,
    }.ToFrozenDictionary(EngineNames.Comparer);

    public static bool Allows(Call call) => call.Name.Count == 1 && Allowed.Contains(call.Name[0]);

    /// <returns>The part as it is written, or null where the argument is an expression like others.</returns>
    public static Expression? DatePart(Call call, int argument)
    {
        if (call.Name is not [var name] || !DatePartAt.TryGetValue(name, out var at) || at != argument) return null;
        return call.Arguments[argument] switch
        {
            { Name: null, Value: NamePath { Names: [var part] } } when Words.DateParts.Contains(part) =>
                new NamePath([part.ToUpperInvariant()]),
            {
                Name: null,
                Value: Call { Name: [var week], Arguments: [{ Name: null, Value: NamePath { Names: [var day] } }], IsPlain: true }
            }
                when EngineNames.Same(week, "WEEK") && Words.WeekDays.Contains(day)
                => new Call(["WEEK"], [new Argument(null, new NamePath([day.ToUpperInvariant()]))]),
            _ => null,
        };
    }

    private static FrozenSet<string> Set(string words) =>
        words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(EngineNames.Comparer);
}
