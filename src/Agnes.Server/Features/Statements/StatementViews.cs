using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Statements;

/// <param name="SqlSha256">As the audit has it.</param>
/// <param name="Sql">For whoever asked: its beginning. Others see which tables it is about, and not what is looked for in them.</param>
/// <param name="User">The e-mail address, or the server's own work as <c>system:profile</c>.</param>
/// <param name="System">The connection that it was sent to; null where it runs here.</param>
internal sealed record StatementView(
    string Id, string StartedAt, long RunningMs, IReadOnlyList<string> Tables, string? System, string? SqlSha256, string? Sql, string User)
{
    private const int TextCharsMax = 2000;

    public static StatementView Of(RunningStatement statement, Snapshot snapshot, DateTimeOffset now, bool isOwn) => new(
        statement.Id,
        Timestamps.Spaced(statement.StartedAt.UtcDateTime),
        (long)(now - statement.StartedAt).TotalMilliseconds,
        statement.Tables,
        statement.System,
        statement.Text.Length == 0 ? null : HashOf(statement.Text),
        isOwn ? Shorten(statement.Text) : null,
        snapshot.User(statement.Caller)?.Email ?? statement.Caller);

    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Shorten(string text) => text.Length <= TextCharsMax ? text : $"{text[..TextCharsMax]}…";
}

internal sealed record StatementList(IReadOnlyList<StatementView> Statements);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatementList))]
internal sealed partial class StatementsJson : JsonSerializerContext;
