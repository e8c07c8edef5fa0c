using System.Text;
using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query;

/// <summary>SHOW TABLES, answered from the asker's scope; the one statement that looks at all of its tables.</summary>
internal static class ShowTables
{
    public static (byte[] Body, long Rows, bool Truncated) Write(Scope scope, int limit)
    {
        var json = new JsonBuffer();
        json.Raw("{\"columns\":[\"name\"],\"rows\":["u8);
        var rows = 0L;
        var truncated = false;
        foreach (var name in scope.All().Where(table => !table.IsEmpty).Select(table => table.Name).Order(StringComparer.Ordinal))
        {
            truncated = rows == limit;
            if (truncated) break;
            json.Raw(rows++ == 0 ? "["u8 : ",["u8);
            json.Text(Encoding.UTF8.GetBytes(name));
            json.Raw((byte)']');
        }
        json.Raw("],\"row_count\":"u8);
        json.Number(rows);
        json.Raw(",\"truncated\":"u8);
        json.Bool(truncated);
        json.Raw((byte)'}');
        return (json.Written.ToArray(), rows, truncated);
    }
}
