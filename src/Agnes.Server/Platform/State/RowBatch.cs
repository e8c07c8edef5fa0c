using System.Collections.Concurrent;
using System.Data.Common;
using System.Reflection;
using System.Text.RegularExpressions;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>Runs one INSERT for many rows, many at a time: parsing and planning cost more than a row does.</summary>
internal static partial class RowBatch
{
    /// <summary>Rows of one statement; few sizes, so that few texts are made.</summary>
    private static readonly int[] Sizes = [64, 8, 1];

    private static readonly ConcurrentDictionary<(string Sql, int Rows), string> Texts = new();
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> Properties = new();

    /// <param name="sql">With a single <c>VALUES (…)</c> at its end, each value a parameter or constant; another statement is run for each row.</param>
    public static async Task ExecuteAsync(DbConnection connection, DbTransaction transaction, string sql, IReadOnlyList<object> rows, CancellationToken cancellation)
    {
        var form = Form().Match(sql);
        if (!form.Success)
        {
            await connection.ExecuteAsync(new(sql, rows, transaction, cancellationToken: cancellation));
            return;
        }
        for (var at = 0; at < rows.Count;)
        {
            var size = Sizes.First(size => size <= rows.Count - at);
            var text = Texts.GetOrAdd((sql, size), _ => Repeat(form.Groups["head"].Value, form.Groups["values"].Value, size));
            await connection.ExecuteAsync(new(text, ParametersOf(rows, at, size), transaction, cancellationToken: cancellation));
            at += size;
        }
    }

    private static string Repeat(string head, string values, int rows) =>
        head + string.Join(", ", Enumerable.Range(0, rows).Select(row => Parameter().Replace(values, $"@${{name}}_{row}")));

    private static DynamicParameters ParametersOf(IReadOnlyList<object> rows, int at, int size)
    {
        var parameters = new DynamicParameters();
        for (var row = 0; row < size; row++)
        {
            var source = rows[at + row];
            foreach (var property in Properties.GetOrAdd(source.GetType(), type => type.GetProperties())) parameters.Add($"{property.Name}_{row}", property.GetValue(source));
        }
        return parameters;
    }

    [GeneratedRegex(@"\A(?<head>\s*INSERT\s+INTO\s[^;']*?\sVALUES\s*)(?<values>\([^()';]*\))\s*\z", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex("@(?<name>[A-Za-z_][A-Za-z0-9_]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();
}
