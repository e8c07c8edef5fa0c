using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Configuration;

/// <summary>Merges what an admin submits into the overlay, never what the configuration resolves to: references stay references, masks stay what they mask.</summary>
internal static class UpdateServerConfig
{
    private static readonly SemaphoreSlim Alone = new(1, 1);
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(50);

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, OutboundGuard guard, TimeProvider time, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var danger = body.Boolean("confirm_danger", absent: false);
        var dryRun = body.Boolean("dry_run", absent: false);
        var unset = body.Strings("$unset");
        var sections = SectionsOf(body, unset.Count > 0);
        body.ThrowIfInvalid();

        var touched = sections.Select(pair => pair.Key).Union(unset.Select(path => path.Split('.')[0])).ToList();
        if (touched.FirstOrDefault(name => !Sections.Editable.Contains(name)) is { } unknown) return Refused(400, $"Unknown section '{unknown}'. Editable: {string.Join(", ", Sections.Editable)}.");
        var dangerous = touched.Where(Sections.Dangerous.Contains).ToList();
        if (dangerous.Count > 0 && !danger) return Refused(400, $"Changing {string.Join(" and ", dangerous)} can lock everybody out: send confirm_danger: true if you mean it.");
        if (InstanceConfig.At(sections, "data_source.keboola.stack_url") is JsonValue url && await guard.FaultAsync("data_source.keboola.stack_url", url.ToString(), stop) is { } fault) return Refused(400, fault);
        KnownFields.Check(sections, body);
        body.ThrowIfInvalid();

        await Alone.WaitAsync(stop);
        try
        {
            await using var others = await FileLock.TakeAsync($"{Overlay.PathOf(options)}.lock", LockWait, LockPoll, stop);
            if (context.Request.Headers.IfMatch.Count > 0 && context.Request.Headers.IfMatch.ToString() != Overlay.Tag(options))
            {
                return Refused(409, "The configuration was changed meanwhile: load it again and repeat your change.");
            }

            return await ChangeAsync(context, state, options, secrets, time, sections, unset, touched, dangerous, dryRun, stop);
        }
        finally
        {
            Alone.Release();
        }
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, TimeProvider time,
        JsonObject sections, IReadOnlyList<string> unset, List<string> touched, List<string> dangerous, bool dryRun, CancellationToken stop)
    {
        JsonObject before;
        try
        {
            before = InstanceConfig.ReadFile(Overlay.PathOf(options)) ?? [];
        }
        catch (FormatException fault)
        {
            return Refused(500, $"The overlay cannot be read and is left as it is: {fault.Message}. Mend or remove {InstanceConfig.FileName} in the state directory.");
        }

        var config = ShowServerConfig.Load(options, secrets);
        var changes = (JsonObject)Meant(sections, config.Merged, InstanceConfig.Merge(config.Static, before), isSecret: false)!;
        var after = InstanceConfig.Merge(before, changes);
        foreach (var path in unset) Remove(after, path);
        var diff = ConfigDiff.Of(before, after);
        var rows = new JsonArray([.. diff]);
        if (dryRun) return JsonBody.Of(new JsonObject { ["status"] = "dry_run", ["diff"] = rows, ["diff_count"] = diff.Count });

        if (diff.Count > 0) await Overlay.WriteAsync(options, time, after, stop);
        await AuditAsync(state, context.Caller().UserId, touched, dangerous, rows, stop);
        context.Response.Headers.ETag = Overlay.Tag(options);

        // Everything is read once, at the start.
        return JsonBody.Of(new JsonObject
        {
            ["status"] = "ok",
            ["restart_required"] = diff.Count > 0,
            ["sections_updated"] = new JsonArray([.. touched.Select(name => (JsonNode)name)]),
            ["diff_count"] = diff.Count,
        });
    }

    private static Task AuditAsync(StateDb state, string actor, List<string> touched, List<string> dangerous, JsonArray rows, CancellationToken stop)
    {
        var what = new JsonObject
        {
            ["sections"] = new JsonArray([.. touched.Select(name => (JsonNode)name)]),
            ["danger_sections"] = new JsonArray([.. dangerous.Select(name => (JsonNode)name)]),
            ["diff"] = rows.DeepClone(),
            ["diff_count"] = rows.Count,
        };
        return state.WriteAsync(
            write =>
            {
                write.Audit(actor, "instance_config.update", InstanceConfig.FileName, what);
                return Task.CompletedTask;
            },
            stop);
    }

    private static JsonObject SectionsOf(RequestBody body, bool mayBeEmpty)
    {
        var element = body.Element("sections");
        if (element.ValueKind != JsonValueKind.Object)
        {
            if (!mayBeEmpty || element.ValueKind != JsonValueKind.Undefined) body.Refuse("sections", "Input should be an object of sections");
            return [];
        }

        var sections = JsonObject.Create(element)!;
        if (sections.Count == 0 && !mayBeEmpty) body.Refuse("sections", "at least one section is needed");
        foreach (var (name, value) in sections)
        {
            if (value is not JsonObject) body.Refuse("sections", $"the section '{name}' must be an object");
        }

        return sections;
    }

    /// <summary>What was submitted, without masks that came back as they went out, and without values that a reference already gives.</summary>
    private static JsonNode? Meant(JsonNode? sent, JsonNode? resolved, JsonNode? raw, bool isSecret)
    {
        if (sent is not JsonObject item) return sent?.DeepClone();
        var meant = new JsonObject();
        foreach (var (key, value) in item)
        {
            var secret = isSecret || Sections.IsSecret(key);
            if (secret && Sections.IsMask(value)) continue;
            var (was, written) = ((resolved as JsonObject)?[key], (raw as JsonObject)?[key]);
            if (written is JsonValue text && text.TryGetValue<string>(out var reference) && References.Has(reference) && JsonNode.DeepEquals(value, was)) continue;
            meant[key] = Meant(value, was, written, secret);
        }

        return meant;
    }

    private static void Remove(JsonObject root, string path)
    {
        var keys = path.Split('.');
        var parent = root;
        foreach (var key in keys[..^1])
        {
            if (parent[key] is not JsonObject inner) return;
            parent = inner;
        }

        parent.Remove(keys[^1]);
    }

    private static IResult Refused(int status, string text) => Problem.Detail(status, text);
}
