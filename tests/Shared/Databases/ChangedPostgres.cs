using Npgsql;

namespace Agnes.Testing;

/// <summary>A PostgreSQL whose tables change, with a role that may read them.</summary>
public static class ChangedPostgres
{
    /// <param name="source">For its owner.</param>
    /// <param name="address">The same, as text.</param>
    /// <param name="host">Where the role reaches it.</param>
    public static async Task<ChangedDatabase> OpenAsync(NpgsqlDataSource source, string address, string host)
    {
        var role = $"reader_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {role} LOGIN");
        await ExecuteAsync($"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role}");
        await ExecuteAsync("GRANT USAGE ON SCHEMA public TO PUBLIC");
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = host,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database!,
            ["user"] = role,
            ["ssl_mode"] = "disable",
            ["allowed_private_hosts"] = host,
        };
        return new ChangedDatabase("postgres", options, "varchar(200)", "timestamp(0)", ExecuteAsync, LinesAsync, () =>
            LinesAsync($"SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = '{role}'"));

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        async Task<List<string>> LinesAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync();
            var lines = new List<string>();
            while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
            return lines;
        }
    }
}
