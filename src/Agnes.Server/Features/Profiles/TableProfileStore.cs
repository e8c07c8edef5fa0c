using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Profiles;

/// <summary>A row of <c>table_profiles</c>.</summary>
/// <param name="TableId">The registry's id; of a table that nobody registered its name.</param>
/// <param name="PartsDigest">Of the published version whose rows were looked at, and after it the primary key where there was one.</param>
/// <param name="Profile">JSON. It holds values of the table: only for whoever may read that.</param>
public sealed record TableProfileRow(string TableId, string PartsDigest, string Profile, DateTime ProfiledAt);

/// <summary>A profile ends with its table.</summary>
internal sealed class TableProfileBelonging : IBelonging
{
    public string Name => "profiles of tables";

    public Task EndTableAsync(StateWrite write, string id) => TableProfileStore.DropAsync(write, id);
}

/// <summary>The only reader and writer of <c>table_profiles</c>.</summary>
internal static class TableProfileStore
{
    public static async Task<TableProfileRow?> FindAsync(StateDb state, string tableId, CancellationToken stop) =>
        (await state.ReadAsync<TableProfileRow>(
            "SELECT table_id AS TableId, parts_digest AS PartsDigest, profile AS Profile, profiled_at AS ProfiledAt FROM table_profiles WHERE table_id = @tableId", new { tableId }, stop)).FirstOrDefault();

    /// <summary>Takes the place of the table's last one.</summary>
    public static async Task SaveAsync(StateWrite write, TableProfileRow row)
    {
        var changed = await write.ExecuteAsync("UPDATE table_profiles SET parts_digest = @PartsDigest, profile = @Profile, profiled_at = @ProfiledAt WHERE table_id = @TableId", row);
        if (changed == 0) await write.ExecuteAsync("INSERT INTO table_profiles (table_id, parts_digest, profile, profiled_at) VALUES (@TableId, @PartsDigest, @Profile, @ProfiledAt)", row);
    }

    public static Task DropAsync(StateWrite write, string tableId) => write.ExecuteAsync("DELETE FROM table_profiles WHERE table_id = @tableId", new { tableId });
}
