using System.Globalization;
using Agnes.Server.Commands.Import;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.Import;

/// <summary>An installation of another program, put together from the documented schemas: its database from SQL text, an extract, keys, secrets, configuration and a few traps.</summary>
internal sealed class ForeignInstall : IDisposable
{
    public const string Key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// <summary>Ana's token as its program issued it, signed with <see cref="Key"/>.</summary>
    public const string Token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1LWFuYSIsImVtYWlsIjoiYW5hQGV4YW1wbGUuY29tIiwidHlwIjoicGF0IiwiaWF0IjoxNzY3MjI1NjAwLCJqdGkiOiIwZjhjMmY2ZS0xMTExLTQyMjItODMzMy00NDQ0NTU1NTY2NjYiLCJzY29wZSI6ImdlbmVyYWwifQ.3rV5Er6tAsljR6qxTFwCaOUhvF_h73PhFPiK9QEqcYk";

    private readonly TemporaryFolder _folder = new();

    public ForeignInstall(string fixture)
    {
        Directory.CreateDirectory(State);
        using (var connection = new DuckDBConnection($"Data Source={Path.Combine(State, "system.duckdb")}"))
        {
            connection.Open();
            connection.ExecuteUnprepared(Sql(fixture));
        }

        ForeignExtract.Write(From, "erp", ("Orders", "SELECT i AS id FROM range(10) t(i)"), ("salaries", "SELECT 'secret' AS who"));
        File.WriteAllText(Path.Combine(State, ".jwt_secret"), Key + "\n");
        File.WriteAllText(Path.Combine(State, ".env_overlay"), "# by hand\nKEBOOLA_STORAGE_TOKEN=abc\nlower=1\nno equals sign\n");
        File.WriteAllText(Path.Combine(State, "instance.yaml"), "instance:\n  name: Acme\nemail:\n  smtp_password: ${SMTP_PASSWORD}\n");

        // What must not be followed.
        File.WriteAllText(_folder["outside"], "not yours");
        File.CreateSymbolicLink(Path.Combine(From, "extracts", "erp", "data", "stolen.parquet"), _folder["outside"]);
        Directory.CreateSymbolicLink(Path.Combine(From, "extracts", "linked"), Path.Combine(From, "extracts", "erp"));
    }

    /// <summary>Its data folder.</summary>
    public string From => _folder["foreign"];

    public string State => Path.Combine(From, "state");

    /// <summary>A new data folder of ours.</summary>
    public string Target(string name = "target") => _folder[name];

    public Task<(int Code, string Output)> ImportAsync(string target, params string[] more) => ImportAsync(target, null, more);

    /// <param name="stateUrl">Of the PostgreSQL that the state is to go to; null: the embedded one.</param>
    public async Task<(int Code, string Output)> ImportAsync(string target, string? stateUrl, string[] more)
    {
        var output = new StringWriter(CultureInfo.InvariantCulture);
        var code = await ImportCommand.RunAsync(["--from", From, "--data-dir", target, .. more], name => name == "AGNES_STATE_URL" ? stateUrl : null, output, CancellationToken.None);
        return (code, output.ToString());
    }

    public void Dispose() => _folder.Dispose();

    public static string Sql(string fixture)
    {
        using var reader = new StreamReader(typeof(ForeignInstall).Assembly.GetManifestResourceStream($"Agnes.Server.Tests.Import.Fixtures.{fixture}.sql")!);
        return reader.ReadToEnd();
    }
}

/// <summary>What an import made, in lines that can be compared.</summary>
internal static class Imported
{
    private static readonly string[] Everything = ["orders", "customers", "calendar", "salaries"];

    /// <summary>Who may read which tables, by e-mail; <c>*</c> for admins, in brackets who is deactivated.</summary>
    public static async Task<IReadOnlyList<string>> ReadersAsync(string target, string? stateUrl = null)
    {
        await using var state = await OpenAsync(target, stateUrl);
        var snapshot = state.Snapshot;
        return
        [
            .. snapshot.UsersById.Values.OrderBy(user => user.Email, StringComparer.Ordinal).Select(user =>
            {
                var caller = Caller.Of(snapshot, user, CallerKind.Session);
                var tables = caller.IsAdmin ? "*" : string.Join(' ', Everything.Where(table => Platform.Access.Access.CanRead(snapshot, caller, table)));
                return user.Active ? $"{user.Email}: {tables}" : $"({user.Email}): {tables}";
            }),
        ];
    }

    /// <summary>Every row that an import writes, without what says when it ran.</summary>
    public static async Task<IReadOnlyList<string>> RowsAsync(string target, string? stateUrl = null)
    {
        await using var state = await OpenAsync(target, stateUrl);
        var rows = new List<string>();
        foreach (var sql in (string[])
        [
            "SELECT 'user ' || id || ' ' || email || ' ' || coalesce(password_hash, '-') || ' ' || active || ' ' || onboarded FROM users",
            "SELECT 'group ' || name || ' ' || is_system || ' ' || coalesce(created_by, '-') FROM user_groups",
            "SELECT 'member ' || m.user_id || ' ' || g.name || ' ' || m.source FROM user_group_members m JOIN user_groups g ON g.id = m.group_id",
            "SELECT 'grant ' || g.name || ' ' || r.resource_type || ' ' || r.resource_id FROM resource_grants r JOIN user_groups g ON g.id = r.group_id",
            "SELECT 'token ' || id || ' ' || user_id || ' ' || token_hash || ' ' || coalesce(CAST(revoked_at AS VARCHAR), '-') FROM personal_access_tokens",
            "SELECT 'table ' || id || ' ' || name || ' ' || coalesce(query_mode, '-') || ' ' || coalesce(bucket, '-') || ' ' || coalesce(primary_key, '-') || ' ' || coalesce(source_query, '-') FROM table_registry",
            "SELECT 'preference ' || user_id || ' ' || dataset || ' ' || enabled FROM user_sync_settings",
            "SELECT 'metric ' || id || ' ' || display_name || ' ' || coalesce(tables, '-') || ' ' || coalesce(dimensions, '-') || ' ' || sql || ' ' || coalesce(sql_variants, '-') FROM metric_definitions",
            "SELECT 'column ' || table_id || ' ' || column_name || ' ' || coalesce(basetype, '-') || ' ' || coalesce(description, '-') || ' ' || confidence || ' ' || source FROM column_metadata",
            "SELECT 'template ' || key || ' ' || content || ' ' || coalesce(previous_content, '-') || ' ' || coalesce(updated_by, '-') FROM instance_templates WHERE content IS NOT NULL",
            "SELECT 'audit ' || id || ' ' || action FROM audit_log WHERE action <> 'import.completed'",
        ])
        {
            rows.AddRange(await state.ReadAsync<string>(sql));
        }

        rows.Sort(StringComparer.Ordinal);
        return [.. rows, .. Directory.GetFiles(Path.Combine(target, "extracts"), "*", SearchOption.AllDirectories).Select(file => $"{Path.GetRelativePath(target, file)} {new FileInfo(file).Length}").Order(StringComparer.Ordinal)];
    }

    public static Task<StateDb> OpenAsync(string target, string? stateUrl = null) =>
        StateDb.OpenAsync(new StateOptions { DataDir = target, StateDir = Path.Combine(target, "state"), ConnectionString = stateUrl, EveryoneByHand = true, CheckSnapshot = true });
}
