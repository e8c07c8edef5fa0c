using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Dapper;

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
    /// <summary>Choices of one user. Nobody needs more: nothing follows from them.</summary>
    public const int OfUserMax = 2_000;

    private const string AddSql =
        "INSERT INTO user_sync_settings (user_id, dataset, enabled, table_mode, updated_at) VALUES (@UserId, @Dataset, @Enabled, @TableMode, @UpdatedAt)";
    private const string ChangeSql =
        "UPDATE user_sync_settings SET enabled = @enabled, table_mode = @tableMode, updated_at = @Now WHERE user_id = @UserId";

    /// <summary>Names in one statement.</summary>
    private const int NamesAtOnce = 500;

    public static Task<IReadOnlyList<PreferenceRow>> OfAsync(StateDb state, string userId, CancellationToken stop) =>
        state.ReadAsync<PreferenceRow>("SELECT user_id, dataset, enabled, table_mode, tables, updated_at FROM user_sync_settings WHERE user_id = @userId ORDER BY dataset", new { userId }, stop);

    /// <param name="datasets">By whatever names; stored is what they stand for.</param>
    /// <exception cref="ProblemException">It would be more than <see cref="OfUserMax"/>.</exception>
    public static async Task SaveAsync(StateWrite write, Caller caller, IReadOnlyDictionary<string, bool> datasets, string tableMode)
    {
        var chosen = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (dataset, enabled) in datasets)
        {
            if (Choices.Of(write.Before, caller, dataset) is { } choice) chosen[choice.Key] = enabled;
        }

        var stored = await MakeRoomAsync(write, caller, chosen.Keys);
        foreach (var same in chosen.Where(choice => stored.Contains(choice.Key)).GroupBy(choice => choice.Value, choice => choice.Key))
        {
            foreach (var keys in same.Chunk(NamesAtOnce)) await ExecuteAsync(write, ChangeSql, keys, new { caller.UserId, write.Now, enabled = same.Key, tableMode });
        }

        await write.InsertAsync(
            AddSql,
            [
                .. chosen.Where(choice => !stored.Contains(choice.Key)).Select(choice => (object)new
                {
                    caller.UserId, Dataset = choice.Key, Enabled = choice.Value, TableMode = tableMode, UpdatedAt = write.Now,
                }),
            ]);
    }

    /// <summary>Other spellings of what is about to be stored go, and where there are too many, what is no table that the user may choose.</summary>
    /// <returns>What is stored.</returns>
    private static async Task<HashSet<string>> MakeRoomAsync(StateWrite write, Caller caller, IReadOnlyCollection<string> keys)
    {
        var rows = (await write.QueryAsync<string>("SELECT dataset FROM user_sync_settings WHERE user_id = @UserId", new { caller.UserId }))
            .Select(dataset => (Dataset: dataset, Choice: Choices.Of(write.Before, caller, dataset))).ToList();
        var wanted = keys.ToHashSet(StringComparer.Ordinal);
        await RemoveAsync(row => row.Choice is { } choice && choice.Key != row.Dataset && wanted.Contains(choice.Key));
        if (After() > OfUserMax) await RemoveAsync(row => row.Choice is not { IsTable: true } choice || choice.Key != row.Dataset);
        if (After() > OfUserMax)
        {
            throw new ProblemException(StatusCodes.Status409Conflict, $"You can choose among at most {OfUserMax} datasets, and have chosen {rows.Count}.");
        }

        return rows.Select(row => row.Dataset).ToHashSet(StringComparer.Ordinal);

        int After() => rows.Count + wanted.Count - rows.Count(row => wanted.Contains(row.Dataset));

        async Task RemoveAsync(Predicate<(string Dataset, Choice? Choice)> which)
        {
            var gone = rows.FindAll(row => !wanted.Contains(row.Dataset) && which(row));
            foreach (var datasets in gone.Select(row => row.Dataset).Chunk(NamesAtOnce))
            {
                await ExecuteAsync(write, "DELETE FROM user_sync_settings WHERE user_id = @UserId", datasets, new { caller.UserId });
            }

            rows = [.. rows.Except(gone)];
        }
    }

    /// <summary>For the rows of so many names at once, in the one way that both engines know.</summary>
    private static Task ExecuteAsync(StateWrite write, string sql, string[] names, object more)
    {
        var parameters = new DynamicParameters(more);
        for (var at = 0; at < names.Length; at++) parameters.Add($"n{at}", names[at]);
        return write.ExecuteAsync($"{sql} AND dataset IN ({string.Join(", ", Enumerable.Range(0, names.Length).Select(at => $"@n{at}"))})", parameters);
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

/// <summary>What a person chose ends with their account.</summary>
internal sealed class PreferenceBelonging : IBelonging
{
    public string Name => "what people chose to sync";

    public Task EndUserAsync(StateWrite write, string id) => PreferenceStore.DeleteOfAsync(write, id);
}
