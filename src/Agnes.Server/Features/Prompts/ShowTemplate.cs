using System.Text.Json.Nodes;
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
        return JsonBody.Of(new JsonObject
        {
            ["content"] = row.Content,
            ["default"] = await prompt.ShippedAsync(context.Snapshot(), context.Caller(), ServerAddresses.Accept(context, options, null), context.RequestAborted),
            ["default_template"] = prompt.ShippedSource,
            ["updated_at"] = Timestamps.Naive(row.UpdatedAt),
            ["updated_by"] = row.UpdatedBy,
            ["has_previous"] = row.PreviousContent is not null,
            ["legacy_strings_detected"] = new JsonArray([.. prompt.LegacyIn(row.Content).Select(text => (JsonNode)text)]),
        });
    }
}
