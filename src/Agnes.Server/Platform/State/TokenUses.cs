using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>When and from where a token was last used.</summary>
public sealed record TokenUse(DateTime At, string? Ip);

/// <summary>The last use of each token, in memory, written at most once a minute for each. As many entries as there are tokens.</summary>
internal sealed class TokenUses
{
    public static readonly TimeSpan WriteInterval = TimeSpan.FromMinutes(1);

    public const string UpdateSql =
        """
        UPDATE personal_access_tokens SET last_used_at = @At, last_used_ip = @Ip
        WHERE id = @Id AND (last_used_at IS NULL OR last_used_at < @At)
        """;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public static async Task<TokenUses> LoadAsync(DbConnection connection, CancellationToken cancellation)
    {
        var uses = new TokenUses();
        const string Sql = "SELECT id, last_used_at AS at, last_used_ip AS ip FROM personal_access_tokens WHERE last_used_at IS NOT NULL";
        foreach (var row in await connection.QueryAsync<UseRow>(new(Sql, cancellationToken: cancellation)))
        {
            var use = new TokenUse(row.At, row.Ip);
            uses._entries[row.Id] = new(use, use);
        }
        return uses;
    }

    public TokenUse? Last(string tokenId) => _entries.GetValueOrDefault(tokenId)?.Newest;

    public TokenUse? Note(string tokenId, DateTime at, string? ip)
    {
        var use = new TokenUse(at, ip);
        while (true)
        {
            if (!_entries.TryGetValue(tokenId, out var entry))
            {
                if (_entries.TryAdd(tokenId, new(use, Written: null))) return null;
            }
            else if (_entries.TryUpdate(tokenId, entry with { Newest = use }, entry))
            {
                return entry.Newest;
            }
        }
    }

    /// <summary>The uses that are due to be written, and marked as such.</summary>
    /// <param name="all">At the end: also those that were written less than a minute ago.</param>
    public IReadOnlyList<UseRow> TakeDue(DateTime now, bool all)
    {
        var due = new List<UseRow>();
        foreach (var (id, entry) in _entries)
        {
            if (ReferenceEquals(entry.Newest, entry.Written)) continue;
            if (!all && entry.Written is { } written && now - written.At < WriteInterval) continue;
            if (_entries.TryUpdate(id, entry with { Written = entry.Newest }, entry)) due.Add(new() { Id = id, At = entry.Newest.At, Ip = entry.Newest.Ip });
        }
        return due;
    }

    internal sealed record UseRow
    {
        public required string Id { get; init; }
        public DateTime At { get; init; }
        public string? Ip { get; init; }
    }

    private sealed record Entry(TokenUse Newest, TokenUse? Written);
}
