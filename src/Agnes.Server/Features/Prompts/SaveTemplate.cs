using System.Text.Json.Nodes;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary><c>PUT</c> of a template, <c>{"content"}</c>, with <c>If-Match</c> where the caller wants to lose nobody's change.</summary>
internal static class SaveTemplate
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, Prompt prompt)
    {
        var content = await ReadAsync(context);
        prompt.Check(content);
        return await ChangeAsync(context, state, prompt, _ => content, "updated");
    }

    public static async Task<string> ReadAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        var content = body.String("content");
        if (content.Length is 0 or > Template.SourceCharsMax) body.Refuse("content", $"must have 1 to {Template.SourceCharsMax} characters");
        body.ThrowIfInvalid();
        return content;
    }

    public static async Task<IResult> ChangeAsync(HttpContext context, StateDb state, Prompt prompt, Func<TemplateRow, string?> change, string what)
    {
        var caller = context.Caller();
        var ifMatch = context.Request.Headers.IfMatch is { Count: > 0 } given ? given.ToString() : null;
        var row = await state.WriteAsync(write => TemplateStore.ChangeAsync(write, prompt.Key, change, $"{prompt.AuditName}.{what}", ifMatch, caller.UserId, caller.Email), context.RequestAborted);
        context.Response.Headers.ETag = row.ETag;
        return JsonBody.Of(new JsonObject { ["status"] = "ok" });
    }
}
