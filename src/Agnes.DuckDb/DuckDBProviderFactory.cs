using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>Makes the provider's objects.</summary>
public sealed class DuckDBProviderFactory : DbProviderFactory
{
    public static readonly DuckDBProviderFactory Instance = new();

    private DuckDBProviderFactory()
    {
    }

    public override DbConnection CreateConnection() => new DuckDBConnection();

    public override DbCommand CreateCommand() => new DuckDBCommand();

    public override DbParameter CreateParameter() => new DuckDBParameter();
}
