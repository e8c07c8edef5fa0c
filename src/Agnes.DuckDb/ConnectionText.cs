using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>Takes a connection string apart.</summary>
internal static class ConnectionText
{
    internal static (string Source, IReadOnlyDictionary<string, string> Options) Parse(string text)
    {
        var builder = new DbConnectionStringBuilder { ConnectionString = text };
        var source = ":memory:";
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string key in builder.Keys)
        {
            var value = Convert.ToString(builder[key]) ?? "";
            if (key.ToLowerInvariant() is "data source" or "datasource" or "filename") source = value;
            else options[key.ToLowerInvariant()] = value;
        }

        return (source, options);
    }
}
