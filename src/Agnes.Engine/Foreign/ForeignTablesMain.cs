using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Foreign;

/// <summary>The child's side: <c>agnes-server table-worker</c>. One request, one process.</summary>
public static class ForeignTablesMain
{
    private const string Alias = "foreign_file";
    private const int RequestBytesMax = 1 << 20;

    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(Stream input, Stream output, CancellationToken cancellation)
    {
        var request = await ReadRequestAsync(input, cancellation);
        ChildProcess.EndWithParent(input);
        await using var lines = new BufferedStream(output, 1 << 16);
        try
        {
            var folder = Path.GetDirectoryName(request.File)!;
            var temp = Directory.CreateDirectory(Path.Combine(Directory.GetCurrentDirectory(), "temp")).FullName;
            await using var connection = WorkerDatabase.Open(request.Share, temp, request.Data is { } data ? [folder, data] : [folder]);
            if (request.Data is not null)
            {
                foreach (var left in await ForeignExtracts.RelocateAsync(connection, request.File, request.Data, cancellation)) Write(lines, new ForeignLine(Table: left));
            }
            else
            {
                await connection.ExecuteAsync($"ATTACH {SqlText.Literal(request.File)} AS {Alias}", cancellation);
                await SendAsync(connection, request, lines, cancellation);
            }

            Write(lines, new ForeignLine(Done: true));
            return 0;
        }
        catch (Exception e) when (e is DuckDBException or IOException or InvalidDataException)
        {
            Write(lines, new ForeignLine(Error: $"The file cannot be read: {e.Message}"));
            return 1;
        }
    }

    private static async Task SendAsync(DuckDBConnection connection, ForeignRequest request, Stream lines, CancellationToken cancellation)
    {
        var names = await connection.QueryAsync($"SELECT table_name FROM duckdb_tables() WHERE database_name = '{Alias}' AND schema_name = 'main' AND NOT internal ORDER BY 1", row => row.GetString(0), cancellation);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var name in names) counts[name] = await connection.ScalarAsync<long>($"SELECT count(*) FROM {Table(name)}", cancellation);
        Write(lines, new ForeignLine(Counts: counts));
        foreach (var table in request.Tables.Where(table => counts.ContainsKey(table.Name))) await SendTableAsync(connection, table, lines, cancellation);
    }

    private static async Task SendTableAsync(DuckDBConnection connection, ForeignTable table, Stream lines, CancellationToken cancellation)
    {
        var columns = (await connection.ColumnsAsync(Table(table.Name), cancellation)).Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var order = string.Join(", ", table.OrderBy.Where(columns.Contains).Select(SqlText.Identifier));
        var sql = $"SELECT CAST(to_json(t) AS VARCHAR) FROM {Table(table.Name)} AS t{(order.Length > 0 ? $" ORDER BY {order}" : "")}";
        await using var command = new DuckDBCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var start = $"{{\"table\":{JsonSerializer.Serialize(table.Name, ForeignText.Default.String)},\"row\":";
        while (await reader.ReadAsync(cancellation))
        {
            lines.Write(System.Text.Encoding.UTF8.GetBytes($"{start}{reader.GetString(0)}}}\n"));
        }
    }

    private static string Table(string name) => $"{Alias}.main.{SqlText.Identifier(name)}";

    private static void Write(Stream lines, ForeignLine line)
    {
        lines.Write(JsonSerializer.SerializeToUtf8Bytes(line, ForeignJson.Default.ForeignLine));
        lines.Write("\n"u8);
        lines.Flush();
    }

    private static async Task<ForeignRequest> ReadRequestAsync(Stream input, CancellationToken cancellation)
    {
        var text = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (true)
        {
            var read = await input.ReadAsync(buffer, cancellation);
            var end = buffer.AsSpan(0, read).IndexOf((byte)'\n');
            text.Write(buffer, 0, end >= 0 ? end : read);
            if (end >= 0) break;
            if (read == 0 || text.Length > RequestBytesMax) throw new InvalidDataException("The request is incomplete or too long.");
        }

        return JsonSerializer.Deserialize(text.ToArray(), ForeignJson.Default.ForeignRequest) ?? throw new InvalidDataException("The request is empty.");
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ForeignText : System.Text.Json.Serialization.JsonSerializerContext;
