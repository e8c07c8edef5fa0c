using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Agnes.Engine.Query.Scans;
using Agnes.Protocol;
using Agnes.Sql.BigQuery;

namespace Agnes.Engine.Query.Remote;

/// <summary>Questions of our own making in the language of a system that has its own.</summary>
internal static class RemoteSql
{
    /// <summary>As jobs of BigQuery may be called.</summary>
    private const string NamePrefix = "agnes_";

    private const int NameDigits = 40;

    /// <param name="table">What the question calls it.</param>
    public static string Part(SqlDialect dialect, string table, TableNeed need)
    {
        Func<string, string> quoted = dialect == SqlDialect.BigQuery ? Quoted : SqlText.Identifier;
        var columns = need.Columns is { } some ? string.Join(", ", some.Select(column => quoted(column.Name))) : "*";
        return $"SELECT {columns} FROM {quoted(table)}{(need.Where is { } where ? $" WHERE {where}" : "")}";
    }

    public static string Sample(string relation, int rows) =>
        string.Create(CultureInfo.InvariantCulture, $"SELECT * FROM {Table(relation)} LIMIT {rows}");

    /// <summary>One row more than wanted tells that there are more.</summary>
    public static string Scan(ScanStatement scan, string relation)
    {
        var columns = scan.Columns.Count == 0 ? ["*"] : scan.Columns.Select(Quoted);
        var sql = new StringBuilder("SELECT ").AppendJoin(", ", columns).Append(" FROM ").Append(Table(relation));
        if (scan.Where is not null) sql.Append(" WHERE ").Append(scan.Where);
        if (scan.Order.Count > 0)
            sql.Append(" ORDER BY ").AppendJoin(", ", scan.Order.Select(by => $"{Quoted(by.Column)} {(by.IsDescending ? "DESC" : "ASC")}"));
        return sql.Append(CultureInfo.InvariantCulture, $" LIMIT {scan.Limit + 1L}").ToString();
    }

    public static RemoteQuestion Question(
        SqlDialect dialect, string sql, IReadOnlyList<RemoteTable> tables, long rowsMax, long bytesMax) =>
        new(sql, tables, rowsMax, bytesMax)
        {
            Dialect = dialect,
            OnceAs = dialect == SqlDialect.BigQuery ? $"{NamePrefix}{Guid.NewGuid():N}" : null,
        };

    /// <summary>The name of a question that is one and the same for every attempt at something.</summary>
    /// <param name="once">What it is an attempt at; with another text it is another question.</param>
    public static string NameOf(string once, string sql) =>
        $"{NamePrefix}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{once}\n{sql}")))[..NameDigits]}";

    /// <summary>As the contract shows it: data set and table.</summary>
    public static string Shown(SqlDialect dialect, string relation) =>
        dialect == SqlDialect.BigQuery && relation.Split('.') is { Length: > 2 } parts ? $"{parts[^2]}.{parts[^1]}" : relation;

    private static string Table(string relation) => Quoted(relation);

    private static string Quoted(string name) => BigQueryText.Quoted(name);
}
