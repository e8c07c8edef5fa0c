using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Guessing;

/// <summary>A row of <c>sign_in_guesses</c>.</summary>
internal sealed record GuessRow
{
    /// <summary>A keyed hash of the address that was tried; for addresses of no account one of a fixed number of shared ones.</summary>
    public required string Account { get; init; }

    /// <summary>A network that the account was used from lately; empty for everywhere else.</summary>
    public required string Network { get; init; }

    /// <summary>Wrong passwords since the last right one.</summary>
    public int Wrong { get; init; }

    public DateTime LastAt { get; init; }
}

/// <summary>The only reader and writer of <c>sign_in_guesses</c>.</summary>
internal static class GuessStore
{
    public const string AnyOldSql = "SELECT count(*) FROM sign_in_guesses WHERE last_at < @old";
    private const string FindSql = "SELECT * FROM sign_in_guesses WHERE account = @account AND network = @network";

    private const string CountSql =
        """
        INSERT INTO sign_in_guesses (account, network, wrong, last_at) VALUES (@account, @network, 1, @now)
        ON CONFLICT (account, network) DO UPDATE SET
            wrong = CASE WHEN sign_in_guesses.last_at < @old THEN 1 ELSE sign_in_guesses.wrong + 1 END, last_at = excluded.last_at
        RETURNING wrong
        """;

    public static async Task<GuessRow?> FindAsync(StateDb state, string account, string network, CancellationToken stop) =>
        (await state.ReadAsync<GuessRow>(FindSql, new { account, network }, stop)).FirstOrDefault();

    /// <param name="old">Those of before do not count any more.</param>
    /// <returns>How many it is now.</returns>
    public static Task<int> CountAsync(StateWrite write, string account, string network, DateTime old) => write.QueryFirstAsync<int>(CountSql, new { account, network, old, now = write.Now });

    /// <summary>All of the account, wherever they came from.</summary>
    public static Task ForgetAsync(StateWrite write, string account) => write.ExecuteAsync("DELETE FROM sign_in_guesses WHERE account = @account", new { account });

    public static Task ForgetAsync(StateWrite write, string account, string network) =>
        write.ExecuteAsync("DELETE FROM sign_in_guesses WHERE account = @account AND network = @network", new { account, network });

    public static Task ForgetAsync(StateWrite write, DateTime old) => write.ExecuteAsync("DELETE FROM sign_in_guesses WHERE last_at < @old", new { old });
}
