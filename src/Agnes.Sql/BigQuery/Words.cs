using System.Collections.Frozen;

namespace Agnes.Sql.BigQuery;

/// <summary>Words with a meaning of their own.</summary>
internal static class Words
{
    /// <summary>Keywords that are never a name unless in backticks or behind a dot. The documentation's list.</summary>
    public static readonly FrozenSet<string> Reserved = Set(
        """
        ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE
        DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH
        HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON
        OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE
        THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN
        """);

    /// <summary>Called without brackets. In backticks the same word is a column.</summary>
    public static readonly FrozenSet<string> BareFunctions = Set("CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP");

    /// <summary>Names that a reader could take for something else than a name; they are written in backticks.</summary>
    public static readonly FrozenSet<string> Soft = Set(
        """
        CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP SESSION_USER DATE DATETIME TIME TIMESTAMP NUMERIC DECIMAL BIGNUMERIC
        BIGDECIMAL JSON SAFE_CAST OFFSET ORDINAL SAFE_OFFSET SAFE_ORDINAL PIVOT UNPIVOT MATCH_RECOGNIZE VALUE SETS SAFE NET MODEL TABLE
        CONNECTION DESCRIPTOR REPLACE RANGE FORMAT ROW SYSTEM_TIME FIRST LAST UNKNOWN PERCENT SYSTEM
        """);

    /// <summary>What a text begins with that is no query.</summary>
    public static readonly FrozenSet<string> Statements = Set(
        """
        INSERT UPDATE DELETE MERGE TRUNCATE CREATE DROP ALTER UNDROP GRANT REVOKE EXPORT LOAD COPY CALL EXECUTE DECLARE SET BEGIN COMMIT
        ROLLBACK IF LOOP WHILE REPEAT FOR CASE RAISE RETURN BREAK LEAVE CONTINUE ITERATE ASSERT CLONE EXPLAIN ANALYZE DEFINE RENAME IMPORT
        SHOW DESCRIBE USE
        """);

    /// <summary>Those of <see cref="Statements"/> that write data or definitions.</summary>
    public static readonly FrozenSet<string> Writes =
        Set("INSERT UPDATE DELETE MERGE TRUNCATE CREATE DROP ALTER UNDROP GRANT REVOKE EXPORT LOAD COPY CALL EXECUTE");

    /// <summary>Types by the names that the documentation gives.</summary>
    public static readonly FrozenSet<string> Types = Set(
        """
        INT64 INT INTEGER BIGINT SMALLINT TINYINT BYTEINT FLOAT64 NUMERIC DECIMAL BIGNUMERIC BIGDECIMAL BOOL BOOLEAN STRING BYTES DATE
        DATETIME TIME TIMESTAMP INTERVAL GEOGRAPHY JSON UUID
        """);

    /// <summary>Types whose name before a text makes a literal.</summary>
    public static readonly FrozenSet<string> Literals = Set("DATE DATETIME TIME TIMESTAMP NUMERIC DECIMAL BIGNUMERIC BIGDECIMAL JSON");

    public static readonly FrozenSet<string> DateParts = Set(
        """
        MICROSECOND MILLISECOND SECOND MINUTE HOUR DAYOFWEEK DAY DAYOFYEAR WEEK ISOWEEK MONTH QUARTER YEAR ISOYEAR DATE TIME DATETIME
        """);

    public static readonly FrozenSet<string> WeekDays = Set("SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY");

    private static FrozenSet<string> Set(string words) =>
        words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(EngineNames.Comparer);
}
