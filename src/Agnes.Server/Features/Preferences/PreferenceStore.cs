using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <summary>A row of <c>user_sync_settings</c>.</summary>
internal sealed record PreferenceRow
{
    public required string UserId { get; init; }
    public required string Dataset { get; init; }
    public bool Enabled { get; init; }
    public string TableMode { get; init; } = "all";

    /// <summary>JSON as text. Nothing writes it; imported rows may have it.</summary>
    public string? Tables { get; init; }

    public DateTime UpdatedAt { get; init; }
}

/// <summary>The only writer of <c>user_sync_settings</c>.</summary>
internal static class PreferenceStore
{
    private const string SaveSql =
        """
        INSERT INTO user_sync_settings (user_id, dataset, enabled, table_mode, updated_at) VALUES (@UserId, @Dataset, @Enabled, @TableMode, @UpdatedAt)
        ON CONFLICT (user_id, dataset) DO UPDATE SET enabled = excluded.enabled, table_mode = excluded.table_mode, updated_at = excluded.updated_at
        """;

    public static Task<IReadOnlyList<PreferenceRow>> OfAsync(StateDb state, string userId, CancellationToken stop) =>
        state.ReadAsync<PreferenceRow>("SELECT user_id, dataset, enabled, table_mode, tables, updated_at FROM user_sync_settings WHERE user_id = @userId ORDER BY dataset", new { userId }, stop);

    public static async Task SaveAsync(StateWrite write, string userId, IReadOnlyDictionary<string, bool> datasets, string tableMode)
    {
        foreach (var (dataset, enabled) in datasets) await write.ExecuteAsync(SaveSql, new PreferenceRow { UserId = userId, Dataset = dataset, Enabled = enabled, TableMode = tableMode, UpdatedAt = write.Now });
    }

    /// <summary>From another installation; what is here already stays.</summary>
    /// <returns>Whether it was added.</returns>
    public static async Task<bool> ImportAsync(StateWrite write, PreferenceRow row) => await write.QueryFirstAsync<string>(
        """
        INSERT INTO user_sync_settings (user_id, dataset, enabled, table_mode, tables, updated_at) VALUES (@UserId, @Dataset, @Enabled, @TableMode, @Tables, @UpdatedAt)
        ON CONFLICT (user_id, dataset) DO NOTHING RETURNING dataset
        """,
        row) is not null;

    /// <summary>With their owner.</summary>
    public static Task DeleteOfAsync(StateWrite write, string userId) => write.ExecuteAsync("DELETE FROM user_sync_settings WHERE user_id = @userId", new { userId });
}
