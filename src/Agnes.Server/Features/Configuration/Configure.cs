using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Configuration;

/// <summary><c>POST /api/admin/configure</c>: what the first set-up asks for. Writes the overlay, and the source's secrets to the stored ones once the source has taken them.</summary>
internal static partial class Configure
{
    private const int NameCharsMax = 128;

    /// <summary>Whose key is at hand, in the order in which it is taken.</summary>
    private static readonly string[] LanguageModelKeys = ["ANTHROPIC_API_KEY", "LLM_API_KEY"];

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, SourceKinds kinds, TimeProvider time, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var asked = Asked.Of(body);
        var kind = kinds.Named(asked.Source) is { MainAs: not null } known ? known : null;
        var setUp = kind?.SetUp(name => Text(body, name), context.RequestServices);
        body.ThrowIfInvalid();
        if (kind is null || setUp is null) return Refused($"data_source must be {Choices(kinds)}.");
        if ((setUp.Fault ?? asked.Fault()) is { } wrong) return Refused(wrong);
        if (setUp.Verify is { } verify && await verify(stop) is { } refused) return Refused(refused);

        await using (await Overlay.AloneAsync(options, stop))
        {
            var before = Overlay.Read(options);
            var after = Changed(before, asked, kind, setUp, name => options.Variables(name) is { Length: > 0 } || secrets.Find(name) is not null);
            var diff = new JsonArray([.. ConfigDiff.Of(options.Settings, before, after)]);
            WriteRight.Settle();
            foreach (var (name, value) in setUp.Secrets) await secrets.SetAsync(name, value, stop);
            await Overlay.WriteAsync(options, time, after, stop);
            var actor = context.Caller().UserId;
            await state.WriteAsync(
                async write =>
                {
                    write.Audit(actor, "instance_config.configure", InstanceConfig.FileName, new JsonObject { ["data_source"] = kind.MainAs, ["diff"] = diff.DeepClone(), ["diff_count"] = diff.Count });
                    await write.RetryNowAsync(_ => true);
                },
                stop);
        }

        return JsonBody.Of(new SetUpDone("ok", kind.MainAs!, setUp.Connection, RestartRequired: true), ConfigurationJson.Default.SetUpDone);
    }

    private static JsonObject Changed(JsonObject before, Asked asked, SourceKind kind, SourceSetUp setUp, Func<string, bool> isSet)
    {
        var after = before.DeepClone().AsObject();
        if (asked.InstanceName is { } name) Put(after, "instance", "name", name);
        if (asked.AllowedDomain is { } domain) Put(after, "auth", "allowed_domain", domain);
        var source = new JsonObject { ["type"] = kind.MainAs };
        if (setUp.Section is { } section) source[kind.Name] = section;
        after["data_source"] = source;
        if (!after.ContainsKey("ai") && LanguageModelKeys.FirstOrDefault(isSet) is { } key) after["ai"] = new JsonObject { ["api_key"] = $"${{{key}}}" };
        return after;
    }

    /// <summary>In words: what it is called, and what that means where the name does not say it.</summary>
    private static string Choices(SourceKinds kinds)
    {
        List<string> names = [.. kinds.Main.Select(kind => kind.MainAs == kind.Name ? kind.Name : $"{kind.MainAs} ({kind.Title})")];
        return $"{string.Join(", ", names[..^1])} or {names[^1]}";
    }

    private static string? Text(RequestBody body, string name) => body.OptionalString(name)?.Trim() is { Length: > 0 } value ? value : null;

    private static void Put(JsonObject root, string section, string key, string value)
    {
        if (root[section] is not JsonObject inner) root[section] = inner = [];
        inner[key] = value;
    }

    private static IResult Refused(string text) => Problem.Detail(StatusCodes.Status400BadRequest, text);

    private sealed partial record Asked(string Source, string? InstanceName, string? AllowedDomain)
    {
        public static Asked Of(RequestBody body) => new(body.String("data_source"), Text(body, "instance_name"), Text(body, "allowed_domain"));

        public string? Fault() => this switch
        {
            { InstanceName: { } name } when name.Length > NameCharsMax || name.Any(char.IsControl) || References.Has(name) => $"instance_name must be at most {NameCharsMax} characters of plain text.",
            { AllowedDomain: { } domains } when !domains.Split(',').All(domain => DomainShape().IsMatch(domain.Trim())) => "allowed_domain must be a domain such as example.com, or several with commas between.",
            _ => null,
        };

        [GeneratedRegex(@"\A@?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,63}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
        private static partial Regex DomainShape();
    }
}

internal sealed record SetUpDone(string Status, string DataSource, string Connection, bool RestartRequired);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SetUpDone))]
[JsonSerializable(typeof(SecretList))]
internal sealed partial class ConfigurationJson : JsonSerializerContext;
