using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Configuration;

/// <summary><c>POST /api/admin/configure</c>: what the first set-up asks for. Writes the overlay, and Keboola's token to the stored secrets once Keboola has taken it.</summary>
internal static partial class Configure
{
    private const string TokenName = "KEBOOLA_STORAGE_TOKEN";
    private const string UrlName = "KEBOOLA_STACK_URL";
    private const string LocationDefault = "us";
    private const int NameCharsMax = 128;

    /// <summary>As tables of files are called everywhere; other names for it are taken at the entrance.</summary>
    private const string Files = "local";

    /// <summary>Whose key is at hand, in the order in which it is taken.</summary>
    private static readonly string[] LanguageModelKeys = ["ANTHROPIC_API_KEY", "LLM_API_KEY"];

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, OutboundGuard guard, IHttpClientFactory clients, TimeProvider time, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var asked = Asked.Of(body);
        body.ThrowIfInvalid();
        if (asked.Fault() is { } wrong) return Refused(wrong);
        if (asked.Source == "keboola")
        {
            if (SecretStore.Fault(TokenName, asked.Token!) is not null) return Refused("keboola_token is no Storage token: it holds a line end or is too long.");
            if (await guard.FaultAsync("keboola_url", asked.Url!, stop) is { } unsafeUrl) return Refused(unsafeUrl);
            if (await KeboolaCheck.FaultAsync(clients, new Uri(asked.Url!), asked.Token!, stop) is { } refused) return Refused(refused);
        }

        await using (await Overlay.AloneAsync(options, stop))
        {
            var before = Overlay.Read(options);
            var after = Changed(before, asked, name => options.Variables(name) is { Length: > 0 } || secrets.Find(name) is not null);
            var diff = new JsonArray([.. ConfigDiff.Of(before, after)]);
            WriteRight.Settle();
            if (asked.Source == "keboola")
            {
                await secrets.SetAsync(TokenName, asked.Token!, stop);
                await secrets.SetAsync(UrlName, asked.Url!, stop);
            }

            await Overlay.WriteAsync(options, time, after, stop);
            var actor = context.Caller().UserId;
            await state.WriteAsync(
                write =>
                {
                    write.Audit(actor, "instance_config.configure", InstanceConfig.FileName, new JsonObject { ["data_source"] = asked.Source, ["diff"] = diff.DeepClone(), ["diff_count"] = diff.Count });
                    return Task.CompletedTask;
                },
                stop);
        }

        return JsonBody.Of(new JsonObject
        {
            ["status"] = "ok",
            ["data_source"] = asked.Source,
            ["connection"] = asked.Source switch { "keboola" => "verified", "local" => "local", _ => "unverified" },
            ["restart_required"] = true,
        });
    }

    private static JsonObject Changed(JsonObject before, Asked asked, Func<string, bool> isSet)
    {
        var after = before.DeepClone().AsObject();
        if (asked.InstanceName is { } name) Put(after, "instance", "name", name);
        if (asked.AllowedDomain is { } domain) Put(after, "auth", "allowed_domain", domain);
        after["data_source"] = asked.Source switch
        {
            "keboola" => new JsonObject { ["type"] = asked.Source, ["keboola"] = Keboola(asked) },
            "bigquery" => new JsonObject { ["type"] = asked.Source, ["bigquery"] = new JsonObject { ["project"] = asked.Project, ["location"] = asked.Location ?? LocationDefault } },
            _ => new JsonObject { ["type"] = asked.Source },
        };
        if (!after.ContainsKey("ai") && LanguageModelKeys.FirstOrDefault(isSet) is { } key) after["ai"] = new JsonObject { ["api_key"] = $"${{{key}}}" };
        return after;
    }

    private static JsonObject Keboola(Asked asked)
    {
        var keboola = new JsonObject { ["stack_url"] = asked.Url, ["token_env"] = TokenName };
        if (asked.ProjectId is { } project) keboola["project_id"] = project;
        return keboola;
    }

    private static void Put(JsonObject root, string section, string key, string value)
    {
        if (root[section] is not JsonObject inner) root[section] = inner = [];
        inner[key] = value;
    }

    private static IResult Refused(string text) => Problem.Detail(StatusCodes.Status400BadRequest, text);

    private sealed partial record Asked(string Source, string? Token, string? Url, string? ProjectId, string? Project, string? Location, string? InstanceName, string? AllowedDomain)
    {
        public static Asked Of(RequestBody body)
        {
            string? Text(string name) => body.OptionalString(name)?.Trim() is { Length: > 0 } value ? value : null;
            return new Asked(
                body.String("data_source") is "csv" or "files" ? Files : body.String("data_source"), Text("keboola_token"), Text("keboola_url")?.TrimEnd('/'), Text("keboola_project_id"), Text("bigquery_project"), Text("bigquery_location"),
                Text("instance_name"), Text("allowed_domain"));
        }

        public string? Fault() => this switch
        {
            { Source: not ("keboola" or "bigquery" or Files) } => "data_source must be keboola, bigquery or local (tables from files; csv and files are the same).",
            { Source: "keboola", Token: null } or { Source: "keboola", Url: null } => "keboola needs keboola_token and keboola_url.",
            { Source: "bigquery", Project: null } => "bigquery needs bigquery_project.",
            { Source: "bigquery", Project: { } project } when !ProjectShape().IsMatch(project) => "bigquery_project is no project id: lower-case letters, digits and hyphens, 6 to 30.",
            { Location: { } location } when !LocationShape().IsMatch(location) => "bigquery_location is no location, such as us or europe-west1.",
            { ProjectId: { } id } when !id.All(char.IsAsciiLetterOrDigit) => "keboola_project_id must be letters and digits.",
            { InstanceName: { } name } when name.Length > NameCharsMax || name.Any(char.IsControl) || References.Has(name) => $"instance_name must be at most {NameCharsMax} characters of plain text.",
            { AllowedDomain: { } domains } when !domains.Split(',').All(domain => DomainShape().IsMatch(domain.Trim())) => "allowed_domain must be a domain such as example.com, or several with commas between.",
            _ => null,
        };

        /// <summary>Without the token.</summary>
        public override string ToString() => Source;

        [GeneratedRegex(@"\A[a-z][a-z0-9-]{4,28}[a-z0-9]\z", RegexOptions.CultureInvariant)]
        private static partial Regex ProjectShape();

        [GeneratedRegex(@"\A[A-Za-z0-9-]{1,40}\z", RegexOptions.CultureInvariant)]
        private static partial Regex LocationShape();

        [GeneratedRegex(@"\A@?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,63}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
        private static partial Regex DomainShape();
    }
}
