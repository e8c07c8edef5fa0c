using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>The only writer of <c>metric_definitions</c>.</summary>
internal static class MetricStore
{
    private const string AllSql = "SELECT * FROM metric_definitions ORDER BY name, id";
    private const string OneSql = "SELECT * FROM metric_definitions WHERE id = @id";

    private const string InsertSql =
        """
        INSERT INTO metric_definitions (id, name, display_name, category, description, type, unit, grain, table_name, tables, expression, time_column, dimensions, filters,
            synonyms, notes, sql, sql_variants, validation, source, sql_tables, bound, created_at, updated_at)
        VALUES (@Id, @Name, @DisplayName, @Category, @Description, @Type, @Unit, @Grain, @TableName, @Tables, @Expression, @TimeColumn, @Dimensions, @Filters,
            @Synonyms, @Notes, @Sql, @SqlVariants, @Validation, @Source, @SqlTables, @Bound, @CreatedAt, @UpdatedAt)
        """;

    private const string UpdateSql =
        """
        UPDATE metric_definitions SET name = @Name, display_name = @DisplayName, category = @Category, description = @Description, type = @Type, unit = @Unit, grain = @Grain,
            table_name = @TableName, tables = @Tables, expression = @Expression, time_column = @TimeColumn, dimensions = @Dimensions, filters = @Filters, synonyms = @Synonyms,
            notes = @Notes, sql = @Sql, sql_variants = @SqlVariants, validation = @Validation, source = @Source, sql_tables = @SqlTables, bound = @Bound, updated_at = @UpdatedAt
        WHERE id = @Id
        """;

    /// <summary>For <see cref="Definitions"/> alone, which says who may know of them.</summary>
    public static Task<IReadOnlyList<MetricRow>> AllAsync(StateDb state, CancellationToken stop) => state.ReadAsync<MetricRow>(AllSql, null, stop);

    /// <summary>Adds it, or puts it in the place of the one of that id.</summary>
    public static async Task<MetricRow> SaveAsync(StateWrite write, MetricRow metric, string? by)
    {
        var before = await write.QueryFirstAsync<MetricRow>(OneSql, new { id = metric.Id });
        var row = metric with { CreatedAt = before?.CreatedAt ?? write.Now, UpdatedAt = write.Now };
        await write.ExecuteAsync(before is null ? InsertSql : UpdateSql, row);
        write.Audit(by, before is null ? "metric.created" : "metric.updated", $"metric:{row.Id}", new JsonObject { ["source"] = row.Source });
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
        return row;
    }

    /// <summary>With its own times, and unbound; what is there under the id stays.</summary>
    /// <returns>Whether it was added.</returns>
    public static async Task<bool> ImportAsync(StateWrite write, MetricRow metric)
    {
        if (await write.QueryFirstAsync<MetricRow>(OneSql, new { id = metric.Id }) is not null) return false;
        await write.ExecuteAsync(InsertSql, metric);
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
        return true;
    }

    /// <summary>Notes what the engine bound it to, unless it was written since.</summary>
    public static async Task BindAsync(StateWrite write, MetricRow metric)
    {
        var isDone = await write.ExecuteAsync("UPDATE metric_definitions SET sql_tables = @SqlTables, bound = @Bound WHERE id = @Id AND updated_at = @UpdatedAt", metric);
        if (isDone == 0) return;
        write.Audit(null, "metric.bound", $"metric:{metric.Id}", new JsonObject { ["reads"] = metric.SqlTables });
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
    }

    /// <returns>Whether there was one.</returns>
    public static async Task<bool> DeleteAsync(StateWrite write, string id, string? by)
    {
        if (await write.ExecuteAsync("DELETE FROM metric_definitions WHERE id = @id", new { id }) == 0) return false;
        write.Audit(by, "metric.deleted", $"metric:{id}");
        write.Apply(snapshot => snapshot.WithChangedDefinitions());
        return true;
    }
}
