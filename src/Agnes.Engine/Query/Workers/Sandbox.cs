using System.Text;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Workers;

/// <summary>
/// A private engine in memory that holds views over just the table versions of one footprint, can open their parts and no other file, and cannot be
/// reconfigured. What a statement may not see is not in here, whatever the guard thought of it.
/// </summary>
internal sealed class Sandbox : IDisposable
{
    private readonly DuckDBConnection _connection;
    private readonly string _tempFolder;
    private PreparedStatement? _prepared;
    private string? _preparedSql;

    private Sandbox(DuckDBConnection connection, string tempFolder)
    {
        _connection = connection;
        _tempFolder = tempFolder;
    }

    public DuckDBConnection Connection => _connection;

    /// <summary>An engine with its limits set, but empty and not locked yet: the slow half of making a sandbox.</summary>
    public static Sandbox Open(WorkerShare share, long memoryBytes, string tempFolder)
    {
        Directory.CreateDirectory(tempFolder);
        var connection = new DuckDBConnection(Options(share, memoryBytes, tempFolder));
        try
        {
            connection.Open();
            return new Sandbox(connection, tempFolder);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Gives it its tables and takes everything else away. Before that no statement of an analyst may meet it.</summary>
    /// <param name="file">The one file that it may write; empty for none.</param>
    public void Furnish(IReadOnlyList<WorkerTable> tables, string file) => _connection.ExecuteUnprepared(Preparation(tables, file));

    /// <summary>
    /// A statement ready to run. The last one is kept: the engine plans a statement over files when it is prepared and again whenever it runs, so that preparing anew
    /// doubles the cost of a small one. Belongs to the sandbox.
    /// </summary>
    public PreparedStatement Prepare(string sql)
    {
        if (_prepared is { } last && _preparedSql == sql) return last;
        Forget();
        using var text = new StatementText(_connection, sql);
        _prepared = text.Prepare(_connection, 0);
        _preparedSql = sql;
        return _prepared;
    }

    /// <summary>Gives up the statement that was kept, e.g. after it failed.</summary>
    public void Forget()
    {
        _prepared?.Dispose();
        _prepared = null;
        _preparedSql = null;
    }

    public void Dispose()
    {
        Forget();
        _connection.Dispose();
        if (Directory.Exists(_tempFolder)) Directory.Delete(_tempFolder, recursive: true);
    }

    /// <summary>What can only be set when an instance is made.</summary>
    private static string Options(WorkerShare share, long memoryBytes, string tempFolder) => string.Join(';',
    [
        "Data Source=:memory:",
        $"memory_limit={memoryBytes}B",
        $"threads={share.Threads}",
        $"temp_directory={tempFolder}",
        $"max_temp_directory_size={share.TempBytes}B",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "allow_community_extensions=false",
        "allow_unsigned_extensions=false",
        "allow_persistent_secrets=false",
    ]);

    private static string Preparation(IReadOnlyList<WorkerTable> tables, string file)
    {
        var sql = new StringBuilder("SET TimeZone='UTC';SET parquet_metadata_cache=true;");
        foreach (var table in tables)
            sql.Append("CREATE VIEW main.").Append(SqlText.Identifier(table.Name)).Append(" AS ").Append(table.Select).Append(';');
        sql.Append("SET allowed_paths=").Append(SqlText.List(tables.SelectMany(table => table.Files).Concat(file.Length > 0 ? [file] : []))).Append(';');
        sql.Append("SET enable_external_access=false;SET lock_configuration=true;");
        return sql.ToString();
    }
}
