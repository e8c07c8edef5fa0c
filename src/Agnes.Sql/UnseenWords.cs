using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace Agnes.Sql;

/// <summary>
/// Finds what a text says and its tree does not: the engine's parser leaves out what it has no use for, such as the definition of a window that is never asked for.
/// Nothing was looked at that is not in the tree, so a text with such a word is not what was checked.
/// </summary>
internal static class UnseenWords
{
    /// <summary>Names of types, which the tree has under the names that the engine prefers.</summary>
    private static readonly HashSet<string> Types = new(
        """
        array bigint bignum binary bit bitstring blob bool boolean bpchar bytea char date datetime dec decimal double enum float float4 float8 geometry guid hugeint
        int int1 int128 int16 int2 int32 int4 int64 int8 integer integral interval json list logical long map null numeric nvarchar oid real row short signed smallint
        string struct text time time_ns timestamp timestamp_ms timestamp_ns timestamp_s timestamp_us timestamptz timetz tinyint type ubigint uhugeint uint128 uint16
        uint32 uint64 uint8 uinteger union usmallint utinyint uuid varbinary varchar variant varint
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
        EngineNames.Comparer);

    /// <summary>What the parser itself writes otherwise.</summary>
    private static readonly HashSet<string> Rewritten = new(EngineNames.Comparer) { "ifnull", "try" };

    /// <summary>The one clause that is read without becoming part of the tree, as far as is known. SQL keeps the word for itself, so outside of quotes it is nothing else.</summary>
    private const string Clause = "window";

    /// <returns>A word that the tree does not have; or that clause, whatever its words: they may all be in the tree for another reason.</returns>
    public static string? First(string sql, string tree)
    {
        var words = SqlWords.Of(sql, Clause, out var hasClause);
        words.RemoveWhere(IsNoName);
        if (words.Count == 0) return null;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(tree), new JsonReaderOptions { MaxDepth = StatementTree.DepthMax });
        while (words.Count > 0 && reader.Read())
            if (reader.TokenType == JsonTokenType.String) words.Remove(reader.GetString()!);
        return words.FirstOrDefault() ?? (hasClause ? Clause : null);
    }

    private static bool IsNoName(string word) =>
        (SqlName.Keywords.Contains(word) && !EngineNames.Same(word, Clause)) || Types.Contains(word) || Rewritten.Contains(word)
        || FunctionList.Values.Contains(EngineNames.Lower(word)) || FunctionList.Tables.Contains(EngineNames.Lower(word));
}
