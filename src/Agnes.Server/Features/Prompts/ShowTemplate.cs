using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>GET /api/admin/workspace-prompt-template</c> and <c>/api/admin/welcome-template</c></summary>
internal static class ShowTemplate
{
    public static async Task<IResult> HandleAsync(HttpContext context, Prompt prompt, ServerOptions options)
    {
        var row = await prompt.FindAsync(context.RequestAborted);
        context.Response.Headers.ETag = row.ETag;
        var url = ServerAddresses.Accept(context, options, null);
        var shipped = await prompt.ShippedAsync(context.Snapshot(), context.Caller(), url, context.RequestAborted);
        var template = new TemplateView(
            row.Content, shipped, prompt.ShippedSource, Timestamps.Naive(row.UpdatedAt), row.UpdatedBy, row.PreviousContent is not null,
            [.. prompt.LegacyIn(row.Content)]);
        return JsonBody.Of(template, PromptsJson.Default.TemplateView);
    }
}

/// <param name="Content">An admin's; null: the shipped one counts.</param>
/// <param name="Default">What the shipped one says to the asker.</param>
internal sealed record TemplateView(
    string? Content, string? Default, string DefaultTemplate, string? UpdatedAt, string? UpdatedBy, bool HasPrevious,
    IReadOnlyList<string> LegacyStringsDetected);

internal sealed record PromptText(string Content);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TemplateView))]
[JsonSerializable(typeof(PromptText))]
internal sealed partial class PromptsJson : JsonSerializerContext;
