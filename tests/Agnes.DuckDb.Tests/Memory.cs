using DuckDB.NET.Data;

namespace Agnes.DuckDb.Tests;

/// <summary>An open database in memory, and short forms to ask it.</summary>
internal sealed class Memory : IDisposable
{
    internal Memory(string options = "")
    {
        Connection = new DuckDBConnection("Data Source=:memory:;threads=2;" + options);
        Connection.Open();
    }

    internal DuckDBConnection Connection { get; }

    public void Dispose() => Connection.Dispose();

    internal object? Scalar(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteScalar();
    }

    internal int Run(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    internal DuckDBDataReader Read(string sql, params (string Name, object? Value)[] parameters) => Command(sql, parameters).ExecuteReader();

    internal T Value<T>(string expression)
    {
        using var reader = Read("select " + expression);
        reader.Read();
        return reader.GetFieldValue<T>(0);
    }

    private DuckDBCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
