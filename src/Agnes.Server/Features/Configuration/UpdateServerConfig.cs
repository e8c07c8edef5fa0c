using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Configuration;

/// <summary>Merges what an admin submits into the overlay, never what the configuration resolves to: references stay references, masks stay what they mask.</summary>
internal static class UpdateServerConfig
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, SourceKinds kinds, OutboundGuard guard, TimeProvider time,
        CancellationToken stop)
    {
        var editable = Sections.Editable(options.Settings, kinds);
        var body = await RequestBody.ReadAsync(context);
        var danger = body.Boolean("confirm_danger", absent: false);
        var dryRun = body.Boolean("dry_run", absent: false);
        var unset = body.Strings("$unset");
        var sections = SectionsOf(body, unset.Count > 0);
        body.ThrowIfInvalid();

        var touched = sections.Select(pair => pair.Key).Union(unset.Select(path => path.Split('.')[0])).ToList();
        if (touched.FirstOrDefault(name => !editable.Contains(name)) is { } unknown) return Refused(400, $"Unknown section '{unknown}'. Editable: {string.Join(", ", editable)}.");
        var dangerous = touched.Where(Sections.Dangerous.Contains).ToList();
        if (dangerous.Count > 0 && !danger) return Refused(400, $"Changing {string.Join(" and ", dangerous)} can lock everybody out: send confirm_danger: true if you mean it.");
        if (await DestinationFaultAsync(sections, kinds, guard, stop) is { } fault) return Refused(400, fault);
        KnownFields.Check(options.Settings, sections, kinds, body);
        body.ThrowIfInvalid();

        await using var alone = await Overlay.AloneAsync(options, stop);
        if (context.Request.Headers.IfMatch.Count > 0 && context.Request.Headers.IfMatch.ToString() != Overlay.Tag(options))
        {
            return Refused(409, "The configuration was changed meanwhile: load it again and repeat your change.");
        }

        return await ChangeAsync(context, state, options, secrets, time, sections, unset, touched, dangerous, dryRun, stop);
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, TimeProvider time,
        JsonObject sections, IReadOnlyList<string> unset, List<string> touched, List<string> dangerous, bool dryRun, CancellationToken stop)
    {
        var before = Overlay.Read(options);
        var instance = SettingLayers.Open(options, secrets).Instance;
        var changes = Meant(options.Settings, sections, InstanceConfig.Merge(instance.Static, before), "");
        var settings = options.Settings;
        if (Fault(settings, changes, "", name => SettingLayers.Stored(settings, secrets, name)) is { } fault) return Refused(400, fault);
        var after = InstanceConfig.Merge(before, changes);
        foreach (var path in unset) Remove(after, path);
        var diff = ConfigDiff.Of(options.Settings, before, after);
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
            ["without_effect"] = new JsonArray([.. options.Settings.Unread(changes).Select(key => (JsonNode)key)]),
            ["sections_updated"] = new JsonArray([.. touched.Select(name => (JsonNode)name)]),
            ["diff_count"] = diff.Count,
        });
    }

    private static async Task AuditAsync(StateDb state, string actor, List<string> touched, List<string> dangerous, JsonArray rows, CancellationToken stop)
    {
        WriteRight.Current = null; // what is done is told of, whatever became of the right
        var what = new JsonObject
        {
            ["sections"] = new JsonArray([.. touched.Select(name => (JsonNode)name)]),
            ["danger_sections"] = new JsonArray([.. dangerous.Select(name => (JsonNode)name)]),
            ["diff"] = rows.DeepClone(),
            ["diff_count"] = rows.Count,
        };
        await state.WriteAsync(
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

    /// <summary>Why an address that secrets are sent to cannot be used, or null. A mask stands for what is there; references are judged by themselves.</summary>
    private static async Task<string?> DestinationFaultAsync(JsonObject sections, SourceKinds kinds, OutboundGuard guard, CancellationToken stop)
    {
        const string Host = "email.smtp_host";
        string? Given(string path) => InstanceConfig.At(sections, path) is JsonValue value && !Sections.IsMask(value) && !References.Has(value.ToString())
            ? value.ToString()
            : null;
        foreach (var path in kinds.All.SelectMany(kind => kind.Settings.Where(setting => setting.IsDestination), (kind, setting) => $"data_source.{kind.Name}.{setting.Name}"))
        {
            if (Given(path) is { } url && await guard.FaultAsync(path, url, stop) is { } fault) return fault;
        }

        return Given(Host) is { } host ? guard.FaultOfHost(Host, host) : null;
    }

    /// <summary>What was submitted, without what came back as it was shown.</summary>
    private static JsonObject Meant(SettingSet settings, JsonObject sent, JsonNode? raw, string path)
    {
        var meant = new JsonObject();
        foreach (var (key, value) in sent)
        {
            var at = Sections.Below(path, key);
            if (settings.IsSecretKey(at) && Sections.IsMask(value)) continue;
            var before = (raw as JsonObject)?[key];
            if (value is JsonObject inner)
            {
                var below = Meant(settings, inner, before, at);
                if (below.Count > 0 || before is not (null or JsonObject)) meant[key] = below;
            }
            else if (!JsonNode.DeepEquals(value, Sections.Shown(settings, before, at)) || raw is not JsonObject known || !known.ContainsKey(key))
            {
                meant[key] = value?.DeepClone();
            }
        }

        return meant;
    }

    /// <summary>Why a change cannot be kept: it is the operator's to make, writes a mask over what it masks, or refers to what is none of an admin's.</summary>
    private static string? Fault(SettingSet settings, JsonNode? node, string path, Func<string, string?> stored) => node switch
    {
        _ when settings.IsOperatorsKey(path) => RefusalOf(settings.Find(path)!),
        JsonObject item => item
            .Select(pair => Fault(settings, pair.Value, Sections.Below(path, pair.Key), stored))
            .FirstOrDefault(fault => fault is not null),
        JsonArray list => list.Select(value => Fault(settings, value, path, stored)).FirstOrDefault(fault => fault is not null),
        _ when IsMask(node) => $"{path} holds a mask, in a list that was changed or where nothing was masked: give the value itself, or leave it as it is.",
        _ => OverlayReferences.Fault(settings, path, node, stored),
    };

    private static string RefusalOf(Setting own) =>
        $"{own.Key} {own.OperatorsBecause}: only whoever runs the server can set it, " +
        $"{(own.Variables.Length > 0 ? $"as {own.Name} or " : "")}in their own instance.yaml.";

    /// <summary>An empty one stands for nothing, and only under a secret's key, where it was taken out before.</summary>
    private static bool IsMask(JsonNode? node) => node is JsonValue text && text.TryGetValue<string>(out var mask) && mask == Sections.Masked;

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

/// <summary>For the description: written by <see cref="UpdateServerConfig"/>.</summary>
/// <param name="Status"><c>ok</c> or <c>dry_run</c>.</param>
/// <param name="Diff">Of a dry run alone; what follows the count, of a change.</param>
internal sealed record ConfigChangeAnswer(
    string Status, int DiffCount, IReadOnlyList<ConfigDiffAnswer>? Diff = null, bool? RestartRequired = null,
    IReadOnlyList<string>? WithoutEffect = null, IReadOnlyList<string>? SectionsUpdated = null);

/// <inheritdoc cref="ConfigChangeAnswer"/>
internal sealed record ConfigDiffAnswer(string Path, JsonNode? Before, JsonNode? After);
