using Npgsql;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>What the owner of a PostgreSQL does and sees that a server asks.</summary>
internal static class AskedDatabase
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static async Task ExecuteAsync(this NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits until so many questions sleep in it, such as those over a view that never answers.</summary>
    public static async Task UntilRunningAsync(this NpgsqlDataSource database, long count)
    {
        for (var left = 400; ; left--)
        {
            await using var command = database.CreateCommand(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep' AND datname = current_database()");
            if ((long)(await command.ExecuteScalarAsync())! == count) return;
            if (left == 0) throw new TimeoutException($"There never were {count} questions in the PostgreSQL.");
            await Task.Delay(LookEvery);
        }
    }
}
