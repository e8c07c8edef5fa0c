using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>The only writer of <c>verified_queries</c>.</summary>
internal static class VerifiedQueryStore
{
    public const string AllSql = "SELECT * FROM verified_queries ORDER BY id";
    private const string OneSql = "SELECT * FROM verified_queries WHERE id = @id";

    private const string InsertSql =
        """
        INSERT INTO verified_queries (id, question, description, sql, parameters, sql_tables, canonical_by, canonical_at, created_at, updated_at)
        VALUES (@Id, @Question, @Description, @Sql, @Parameters, @SqlTables, @CanonicalBy, @CanonicalAt, @CreatedAt, @UpdatedAt)
        """;

    private const string UpdateSql =
        """
        UPDATE verified_queries SET question = @Question, description = @Description, sql = @Sql, parameters = @Parameters, sql_tables = @SqlTables,
            canonical_by = @CanonicalBy, canonical_at = @CanonicalAt, updated_at = @UpdatedAt
        WHERE id = @Id
        """;

    public static async Task<VerifiedQueryRow?> FindAsync(StateDb state, string id, CancellationToken stop) =>
        (await state.ReadAsync<VerifiedQueryRow>(OneSql, new { id }, stop)).FirstOrDefault();

    /// <summary>Adds it or replaces the one of that id. Other SQL, other parameters: what an admin vouched for was something else, so the mark goes.</summary>
    public static async Task SaveAsync(StateWrite write, VerifiedQueryRow query, string? by)
    {
        var before = await write.QueryFirstAsync<VerifiedQueryRow>(OneSql, new { id = query.Id });
        var isSame = before is not null && before.Sql == query.Sql && before.Parameters == query.Parameters && before.Question == query.Question;
        var row = query with
        {
            CreatedAt = before?.CreatedAt ?? write.Now,
            UpdatedAt = write.Now,
            CanonicalBy = isSame ? before!.CanonicalBy : query.CanonicalBy,
            CanonicalAt = isSame ? before!.CanonicalAt : query.CanonicalAt,
        };
        await write.ExecuteAsync(before is null ? InsertSql : UpdateSql, row);
        write.Audit(by, before is null ? "verified_query.created" : "verified_query.updated", $"verified_query:{row.Id}", new JsonObject { ["canonical"] = row.IsCanonical });
    }

    /// <returns>The query as it is now; null when there is none.</returns>
    public static async Task<VerifiedQueryRow?> MarkAsync(StateWrite write, string id, bool canonical, string by)
    {
        if (await write.QueryFirstAsync<VerifiedQueryRow>(OneSql, new { id }) is not { } before) return null;
        var row = before with { CanonicalBy = canonical ? by : null, CanonicalAt = canonical ? write.Now : null, UpdatedAt = write.Now };
        await write.ExecuteAsync(UpdateSql, row);
        write.Audit(by, canonical ? "verified_query.marked" : "verified_query.unmarked", $"verified_query:{id}");
        return row;
    }

    /// <returns>Whether there was one.</returns>
    public static async Task<bool> DeleteAsync(StateWrite write, string id, string? by)
    {
        if (await write.ExecuteAsync("DELETE FROM verified_queries WHERE id = @id", new { id }) == 0) return false;
        write.Audit(by, "verified_query.deleted", $"verified_query:{id}");
        return true;
    }
}
