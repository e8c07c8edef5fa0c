using System.Data.Common;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State.Engines;
using Dapper;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Maintenance;

/// <summary>
/// A backup knows nothing of what was revoked after it was made. So all sessions and mailed links end with a restore, and tokens that the replaced state no longer held good stay revoked; where there was no
/// such state to ask, every good token of the backup is named, for the operator to judge.
/// </summary>
/// <param name="AreRevoked">The replaced state knew better, so they were revoked again.</param>
/// <param name="Tokens">Name, owner and id of each.</param>
public sealed record RevivedTokens(bool AreRevoked, IReadOnlyList<(string Id, string Name, string? Owner)> Tokens)
{
    private const string GoodSql =
        """
        SELECT t.id FROM personal_access_tokens t JOIN users u ON u.id = t.user_id
        WHERE u.active AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > @now)
        """;

    /// <summary>The ids of the tokens that are good in the state that is about to be replaced; nothing when it cannot be read.</summary>
    internal static async Task<IReadOnlySet<string>?> GoodBeforeAsync(StateOptions options, CancellationToken cancellation)
    {
        if (options.Engine == StateEngine.Postgres)
        {
            await using var state = await StateDb.OpenAsync(options, cancellation: cancellation);
            return (await state.ReadAsync<string>(GoodSql, new { now = options.Time.Micros() }, cancellation)).ToHashSet(StringComparer.Ordinal);
        }

        // A copy, since opening may finish what was begun, and the state that is kept aside is to stay as it was.
        var main = Path.Combine(options.StateDir, StateFiles.MainName);
        if (!File.Exists(main)) return null;
        var folder = Directory.CreateDirectory(Path.Combine(options.StateDir, $".restore-before-{Environment.ProcessId}")).FullName;
        try
        {
            foreach (var file in Directory.GetFiles(options.StateDir, $"{StateFiles.MainName}*")) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            await using var connection = new DuckDBConnection(new DbConnectionStringBuilder { ["Data Source"] = Path.Combine(folder, StateFiles.MainName) }.ConnectionString);
            await connection.OpenAsync(cancellation);
            return (await connection.QueryAsync<string>(new(GoodSql, new { now = options.Time.Micros() }, cancellationToken: cancellation))).ToHashSet(StringComparer.Ordinal);
        }
        catch (DbException)
        {
            return null; // it is damaged, which may be why a backup is restored
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Ends every session in the restored state, and the tokens that are known to have ended.</summary>
    internal static Task<RevivedTokens> EndAsync(StateDb state, IReadOnlySet<string>? goodBefore, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var revived = (await write.QueryAsync<string>(GoodSql, new { now = write.Now })).Where(id => goodBefore?.Contains(id) is not true)
                .Select(id => write.Before.Token(id)).OfType<TokenRow>()
                .Select(token => (token.Id, token.Name, write.Before.User(token.UserId)?.Email))
                .OrderBy(token => token.Email, StringComparer.Ordinal).ThenBy(token => token.Name, StringComparer.Ordinal).ToList();
            await write.ExecuteAsync("UPDATE users SET sessions_valid_after = @Now", new { write.Now });
            foreach (var user in write.Before.UsersById.Values) write.Apply(snapshot => snapshot.WithUser(user with { SessionsValidAfter = write.Now }));
            await write.ExecuteAsync("DELETE FROM auth_tokens");
            if (goodBefore is not null)
            {
                foreach (var (id, _, _) in revived) await RevokeAsync(write, write.Before.Token(id)! with { RevokedAt = write.Now });
            }

            write.Audit(null, "state.restore", null, new JsonObject { ["sessions_ended"] = true, ["tokens_revoked"] = goodBefore is null ? 0 : revived.Count, ["tokens_to_judge"] = goodBefore is null ? revived.Count : 0 });
            return new RevivedTokens(goodBefore is not null, revived);
        },
        cancellation);

    private static async Task RevokeAsync(StateWrite write, TokenRow token)
    {
        await write.ExecuteAsync("UPDATE personal_access_tokens SET revoked_at = @RevokedAt WHERE id = @Id", token);
        write.Apply(snapshot => snapshot.WithToken(token));
    }
}
