namespace Agnes.Server.Platform.State;

/// <summary>
/// The one row of <c>state_version</c>. <c>version</c> counts control writes: a snapshot is known by it. <c>commits</c> counts all write transactions of an embedded
/// engine: compared with a file beside it, it tells whether commits were lost.
/// </summary>
internal static class StateVersion
{
    // Without a key: DuckDB replaces a row of a keyed table for UPDATE … RETURNING, and aborts the process when the commit of such a transaction meets a full disk.
    public const string CreateSql = "CREATE TABLE IF NOT EXISTS state_version (version BIGINT NOT NULL, commits BIGINT NOT NULL)";
    public const string InsertSql = "INSERT INTO state_version (version, commits) SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM state_version)";
    public const string SelectSql = "SELECT version FROM state_version";
    public const string SelectCommitsSql = "SELECT commits FROM state_version";
    public const string RaiseSql = "UPDATE state_version SET version = version + 1, commits = commits + 1 RETURNING version";
    public const string CountSql = "UPDATE state_version SET commits = commits + 1";
}
