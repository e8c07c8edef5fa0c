using System.Text.Json.Nodes;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>The only writer of <c>verified_queries</c>.</summary>
internal static class VerifiedQueryStore
{
    private const string AllSql = "SELECT * FROM verified_queries ORDER BY id";
    private const string OneSql = "SELECT * FROM verified_queries WHERE id = @id";

    private const string InsertSql =
        """
        INSERT INTO verified_queries (id, question, description, sql, parameters, sql_tables, bound, canonical_by, canonical_at, created_at, updated_at)
        VALUES (@Id, @Question, @Description, @Sql, @Parameters, @SqlTables, @Bound, @CanonicalBy, @CanonicalAt, @CreatedAt, @UpdatedAt)
        """;

    private const string UpdateSql =
        """
        UPDATE verified_queries SET question = @Question, description = @Description, sql = @Sql, parameters = @Parameters, sql_tables = @SqlTables, bound = @Bound,
            canonical_by = @CanonicalBy, canonical_at = @CanonicalAt, updated_at = @UpdatedAt
        WHERE id = @Id
        """;

    /// <summary>For <see cref="Definitions"/> alone, which says who may know of them.</summary>
    public static Task<IReadOnlyList<VerifiedQueryRow>> AllAsync(StateDb state, CancellationToken stop) => state.ReadAsync<VerifiedQueryRow>(AllSql, null, stop);

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
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
    }

    /// <summary>Notes what the engine bound it to, unless it was written since.</summary>
    public static async Task BindAsync(StateWrite write, VerifiedQueryRow query)
    {
        var isDone = await write.ExecuteAsync("UPDATE verified_queries SET sql_tables = @SqlTables, bound = @Bound WHERE id = @Id AND updated_at = @UpdatedAt", query);
        if (isDone == 0) return;
        write.Audit(null, "verified_query.bound", $"verified_query:{query.Id}", new JsonObject { ["reads"] = query.SqlTables });
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
    }

    /// <returns>The query as it is now; null when there is none.</returns>
    public static async Task<VerifiedQueryRow?> MarkAsync(StateWrite write, string id, bool canonical, string by)
    {
        if (await write.QueryFirstAsync<VerifiedQueryRow>(OneSql, new { id }) is not { } before) return null;
        var row = before with { CanonicalBy = canonical ? by : null, CanonicalAt = canonical ? write.Now : null, UpdatedAt = write.Now };
        await write.ExecuteAsync(UpdateSql, row);
        write.Audit(by, canonical ? "verified_query.marked" : "verified_query.unmarked", $"verified_query:{id}");
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
        return row;
    }

    /// <returns>Whether there was one.</returns>
    public static async Task<bool> DeleteAsync(StateWrite write, string id, string? by)
    {
        if (await write.ExecuteAsync("DELETE FROM verified_queries WHERE id = @id", new { id }) == 0) return false;
        write.Audit(by, "verified_query.deleted", $"verified_query:{id}");
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
        return true;
    }
}
