using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>A row of <c>instance_templates</c>.</summary>
internal sealed record TemplateRow
{
    public required string Key { get; init; }
    public string? Content { get; init; }
    public string? PreviousContent { get; init; }
    public DateTime? UpdatedAt { get; init; }
    public string? UpdatedBy { get; init; }

    /// <summary>Changes with the content; for <c>If-Match</c>.</summary>
    public string ETag => $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content ?? "")))[..16]}\"";
}

/// <summary>The only writer of <c>instance_templates</c>.</summary>
internal static class TemplateStore
{
    private const string OneSql = "SELECT * FROM instance_templates WHERE key = @key";

    private const string InsertSql =
        "INSERT INTO instance_templates (key, content, previous_content, updated_at, updated_by) VALUES (@Key, @Content, @PreviousContent, @UpdatedAt, @UpdatedBy)";

    private const string UpdateSql =
        "UPDATE instance_templates SET content = @Content, previous_content = @PreviousContent, updated_at = @UpdatedAt, updated_by = @UpdatedBy WHERE key = @Key";

    public static async Task<TemplateRow> FindAsync(StateDb state, string key, CancellationToken stop) =>
        (await state.ReadAsync<TemplateRow>(OneSql, new { key }, stop)).FirstOrDefault() ?? new TemplateRow { Key = key };

    /// <param name="change">The new content, from the row as it is.</param>
    /// <param name="ifMatch">What the caller thinks it replaces; anything when null.</param>
    /// <exception cref="ProblemException">412: somebody else was faster.</exception>
    public static async Task<TemplateRow> ChangeAsync(StateWrite write, string key, Func<TemplateRow, string?> change, string action, string? ifMatch, string userId, string email)
    {
        var stored = await write.QueryFirstAsync<TemplateRow>(OneSql, new { key });
        var before = stored ?? new TemplateRow { Key = key };
        if (ifMatch is not null && ifMatch != "*" && ifMatch != before.ETag)
            throw new ProblemException(StatusCodes.Status412PreconditionFailed, "Somebody changed this text meanwhile. Load it again, and apply your change to what is there now.");
        var row = before with { Content = change(before), PreviousContent = before.Content ?? before.PreviousContent, UpdatedAt = write.Now, UpdatedBy = email };
        await write.ExecuteAsync(stored is null ? InsertSql : UpdateSql, row);
        write.Audit(userId, action, $"template:{key}", new JsonObject { ["characters"] = row.Content?.Length });
        return row;
    }

    /// <summary>With its own time and writer.</summary>
    /// <returns>Whether it was added; false where it is there already, null where another text of that key is.</returns>
    public static async Task<bool?> ImportAsync(StateWrite write, TemplateRow row)
    {
        var stored = await write.QueryFirstAsync<TemplateRow>(OneSql, new { key = row.Key });
        if (stored?.Content is not null) return stored.Content == row.Content ? false : null;
        if (stored?.UpdatedAt is not null) return false; // somebody here went back to the shipped text
        await write.ExecuteAsync(stored is null ? InsertSql : UpdateSql, row);
        return true;
    }
}
