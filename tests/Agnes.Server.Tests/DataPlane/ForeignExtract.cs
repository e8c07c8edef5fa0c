using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Writes extracts the way programs that are not ours do: Parquet files, a view on each, and the list of tables.</summary>
internal static class ForeignExtract
{
    /// <param name="tables">Names, and the SELECT that makes the rows of each.</param>
    public static void Write(string dataDir, string source, params (string Name, string Select)[] tables)
    {
        var folder = Path.Combine(dataDir, "extracts", source);
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        var draft = Path.Combine(folder, "extract.duckdb.tmp");
        File.Delete(draft);
        using (var connection = new DuckDBConnection($"Data Source={draft}"))
        {
            connection.Open();
            connection.ExecuteUnprepared("CREATE TABLE _meta (table_name VARCHAR, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR)");
            foreach (var (name, select) in tables)
            {
                var file = Path.Combine(data, $"{name}.parquet");
                connection.ExecuteUnprepared($"COPY ({select}) TO {SqlText.Literal($"{file}.tmp")} (FORMAT parquet)");
                File.Move($"{file}.tmp", file, overwrite: true);
                connection.ExecuteUnprepared(
                    $"""
                    CREATE VIEW {SqlText.Identifier(name)} AS SELECT * FROM read_parquet({SqlText.Literal(file)});
                    INSERT INTO _meta SELECT {SqlText.Literal(name)}, {SqlText.Literal($"about {name}")}, (SELECT count(*) FROM {SqlText.Identifier(name)}), {new FileInfo(file).Length}, now()::TIMESTAMP, 'local';
                    """);
            }
        }
        File.Move(draft, Path.Combine(folder, "extract.duckdb"), overwrite: true);
    }
}
