using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>Writes <c>extract.duckdb</c> and the files beside it.</summary>
internal static class ExtractFile
{
    private const string Alias = "building";

    public static async Task ReplaceAsync(DataFolder folder, PartStore store, string source, DuckDBConnection connection, IReadOnlyList<ExtractTable> tables, CancellationToken cancellation)
    {
        var target = folder.ExtractFile(source);
        var data = Path.Combine(folder.Source(source), "data");
        var building = $"{target}.tmp";
        DeleteIfThere(building, $"{building}.wal");
        // Links come first, since making a view opens the files behind it.
        var viewed = tables.Where(table => DataLinks.TryPut(store, data, table)).ToList();
        await BuildAsync(connection, building, data, tables, viewed, cancellation);
        FileSystem.Flush(building);
        ExtractLedger.Write(folder, source, [FileStamp.Of(building), .. FileStamp.TryOf(target) is { } old ? [old] : (FileStamp[])[]]);
        DeleteIfThere($"{target}.wal");
        FileSystem.Replace(building, target);
        DeleteIfThere($"{building}.wal");
        ExtractLedger.Write(folder, source, FileStamp.Of(target));
        DataLinks.RemoveOthers(data, tables);
        SetAside.RemoveOthers(folder, source, tables.Select(table => table.Name));
    }

    private static async Task BuildAsync(DuckDBConnection connection, string file, string data, IReadOnlyList<ExtractTable> tables, IReadOnlyList<ExtractTable> viewed, CancellationToken cancellation)
    {
        await connection.ExecuteAsync($"ATTACH {SqlText.Literal(file)} AS {Alias} (STORAGE_VERSION 'latest')", cancellation);
        try
        {
            await connection.ExecuteAsync(
                $"""
                CREATE TABLE {Alias}._meta(table_name VARCHAR PRIMARY KEY, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local');
                CREATE TABLE {Alias}._parts(table_name VARCHAR NOT NULL, ordinal INTEGER NOT NULL, name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, rows BIGINT NOT NULL, size_bytes BIGINT NOT NULL, md5 VARCHAR, modified_ns BIGINT NOT NULL, key VARCHAR);
                CREATE TABLE {Alias}._columns(table_name VARCHAR NOT NULL, columns VARCHAR NOT NULL, cursor VARCHAR);
                CREATE TABLE {Alias}._files(table_name VARCHAR NOT NULL, path VARCHAR NOT NULL, size_bytes BIGINT NOT NULL, modified_ns BIGINT NOT NULL, inode BIGINT NOT NULL, sha256 VARCHAR NOT NULL, columns VARCHAR NOT NULL, read_as VARCHAR);
                """, cancellation);
            FillTables(connection, tables);
            foreach (var table in viewed)
            {
                var path = DataLinks.ViewPath(data, table);
                await connection.ExecuteAsync($"CREATE VIEW {Alias}.{SqlText.Identifier(table.Name)} AS SELECT * FROM read_parquet({SqlText.Literal(path)})", cancellation);
            }
            await connection.ExecuteAsync($"CHECKPOINT {Alias}", cancellation);
        }
        finally
        {
            await connection.ExecuteAsync($"DETACH {Alias}", CancellationToken.None);
        }
    }

    private static void FillTables(DuckDBConnection connection, IReadOnlyList<ExtractTable> tables)
    {
        Fill(connection, "_meta", tables, (row, table) =>
            row.Append(table.Name).Append(table.Description).Append(table.Rows).Append(table.Bytes).Append(table.ExtractedAt).Append(table.QueryMode).EndRow());
        Fill(connection, "_columns", tables, (row, table) => row.Append(table.Name).Append(ColumnsJson.Write(table.Columns)).Append(table.Cursor).EndRow());
        Fill(connection, "_parts", tables, (row, table) =>
        {
            foreach (var (ordinal, part) in table.Parts.Index())
            {
                row.Append(table.Name).Append(ordinal).Append(part.Part.Name).Append(part.Part.Sha256).Append(part.Part.Rows).Append(part.Part.SizeBytes)
                    .Append(part.Md5).Append(part.ModifiedNs).Append(part.Key).EndRow();
            }
        });
        Fill(connection, "_files", tables, (row, table) =>
        {
            foreach (var file in table.Files)
            {
                row.Append(table.Name).Append(file.Path).Append(file.Stamp.Size).Append(file.Stamp.ModifiedNs).Append(file.Stamp.Inode).Append(file.Sha256)
                    .Append(ColumnsJson.Write(file.Columns)).Append(file.ReadAs).EndRow();
            }
        });
    }

    private static void Fill(DuckDBConnection connection, string into, IReadOnlyList<ExtractTable> tables, Action<DuckDBAppender, ExtractTable> append)
    {
        using var appender = connection.CreateAppender(into, "main", Alias);
        foreach (var table in tables) append(appender, table);
        appender.Close();
    }

    private static void DeleteIfThere(params string[] files)
    {
        foreach (var file in files) File.Delete(file);
    }
}
