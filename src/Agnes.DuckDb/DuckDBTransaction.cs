using System.Data;
using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>A transaction; disposed without a commit it is rolled back.</summary>
public sealed class DuckDBTransaction : DbTransaction
{
    private DuckDBConnection? _connection;

    internal DuckDBTransaction(DuckDBConnection connection) => _connection = connection;

    public override IsolationLevel IsolationLevel => IsolationLevel.Snapshot;

    protected override DbConnection? DbConnection => _connection;

    /// <summary>Set when a statement failed: the engine may have aborted the transaction.</summary>
    internal bool SawError { get; set; }

    public override void Commit()
    {
        var connection = Current();
        // COMMIT of an aborted transaction succeeds while it rolls back. A statement tells the two apart.
        if (SawError)
        {
            try
            {
                connection.ExecuteUnprepared("SELECT 1");
            }
            catch (DuckDBException)
            {
                Rollback();
                throw;
            }
        }

        try
        {
            connection.ExecuteUnprepared("COMMIT");
        }
        finally
        {
            Abandon(); // a COMMIT that failed has rolled back
        }
    }

    public override void Rollback()
    {
        var connection = Current();
        Abandon();
        connection.ExecuteUnprepared("ROLLBACK");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _connection is { } connection)
        {
            connection.StreamingReader?.Dispose();
            Abandon();
            try
            {
                if (connection.State == ConnectionState.Open) connection.ExecuteUnprepared("ROLLBACK");
            }
            catch (DuckDBException error) when (error.IsFatal || error.ErrorType == DuckDBErrorType.Transaction)
            {
                // The engine ended the transaction itself; an exception here would hide the one that brought us here.
                base.Dispose(disposing);
                return;
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>Forgets the connection without a word to the engine.</summary>
    internal void Abandon()
    {
        if (_connection is { } connection) connection.Transaction = null;
        _connection = null;
    }

    private DuckDBConnection Current()
    {
        var connection = _connection ?? throw new InvalidOperationException("The transaction has ended.");
        connection.EnsureIdle();
        return connection;
    }
}
