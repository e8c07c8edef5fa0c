using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Doctor;

/// <summary>Address, connection, certificate, token, and how the server itself says it is.</summary>
internal sealed class ServerChecks(Host host)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ExpirySoon = TimeSpan.FromDays(7);

    public async Task<IReadOnlyList<Check>> RunAsync(bool includeSchema, CancellationToken cancellation)
    {
        var checks = new List<Check>();
        ApiClient api;
        try
        {
            api = host.Api;
        }
        catch (CliException unreadable)
        {
            return [new Check("server", Check.Error, unreadable.Message, unreadable.Hint ?? "agnes setup init --server https://agnes.example.com")];
        }

        var isReachable = await ReachAsync(api, checks, cancellation);
        checks.Add(Tls(api.Server, isReachable));
        checks.Add(Token(api));
        if (!isReachable || string.IsNullOrEmpty(api.Token)) return checks;
        checks.Add(await AccessAsync(api, cancellation));
        checks.AddRange(await ServicesAsync(api, includeSchema, cancellation));
        return checks;
    }

    private async Task<bool> ReachAsync(ApiClient api, List<Check> checks, CancellationToken cancellation)
    {
        var started = host.Clock.GetTimestamp();
        try
        {
            var answer = await api.SendAsync(HttpMethod.Get, "/api/health", null, AnswerMax, null, cancellation);
            var milliseconds = Math.Round(host.Clock.GetElapsedTime(started).TotalMilliseconds, 1);
            var more = new JsonObject { ["latency_ms"] = milliseconds };
            if (!answer.IsSuccess)
            {
                checks.Add(new Check("server", Check.Error, $"{api.Server} answers {ErrorText.Brief(answer.Status, answer.Body)}", answer.Status == 404 ? "This does not look like an Agnes server; check the address: agnes setup init --server URL" : "Tell the operator; pulled tables can be queried meanwhile.") { More = more });
                return false;
            }

            checks.Add(Check.Ok("server", $"{api.Server} answers in {milliseconds:0} ms") with { More = more });
            return true;
        }
        catch (CliException failure) when (failure.ExitCode != ExitCode.Usage)
        {
            checks.Add(new Check("server", Check.Error, failure.Message, failure.Hint));
            return false;
        }
        catch (CliException tooOld)
        {
            checks.Add(new Check("version", Check.Error, tooOld.Message, "agnes self-upgrade"));
            return false;
        }
    }

    private static Check Tls(ServerAddress server, bool isReachable)
    {
        var uri = new Uri(server.Url);
        if (uri.Scheme == Uri.UriSchemeHttps)
        {
            return isReachable ? Check.Ok("tls", "the certificate is trusted")
                : new Check("tls", Check.Unknown, "not looked at: no connection", "A certificate of your company's own authority goes into ~/.agnes/ca.pem, or is named in SSL_CERT_FILE. Verification is never switched off.");
        }

        var isLocal = uri.IsLoopback || (IPAddress.TryParse(uri.Host, out var address) && IPAddress.IsLoopback(address));
        return isLocal ? new Check("tls", Check.Info, "not used: the server is on this machine")
            : new Check("tls", Check.Warning, $"{server} is not encrypted: the token can be read on the way", "Ask the operator for an https address.");
    }

    private Check Token(ApiClient api)
    {
        const string Renew = "Make a new token in the browser (the server's page /tokens), then: agnes auth import-token --token -";
        if (string.IsNullOrEmpty(api.Token)) return new Check("token", Check.Error, "none", Renew);
        var now = host.Clock.GetUtcNow();
        var expires = Jwt.Decode(api.Token)?.Expires;
        if (expires < now) return new Check("token", Check.Error, $"expired {expires:yyyy-MM-dd}", Renew);
        if (expires - now < ExpirySoon) return new Check("token", Check.Warning, $"expires {expires:yyyy-MM-dd}", Renew);
        if (StoredToken.Warning(host.Settings.Folder) is { } exposed) return new Check("token", Check.Warning, exposed, exposed[(exposed.IndexOf("run: ", StringComparison.Ordinal) + 5)..]);
        return Check.Ok("token", expires is null ? $"from {host.Settings.TokenAndSource().Source}" : $"from {host.Settings.TokenAndSource().Source}, valid until {expires:yyyy-MM-dd}");
    }

    private static async Task<Check> AccessAsync(ApiClient api, CancellationToken cancellation)
    {
        try
        {
            var answer = await api.SendAsync(HttpMethod.Get, "/api/catalog/tables", null, AnswerMax, null, cancellation);
            if (answer.Status == 401) return new Check("access", Check.Error, "the server does not accept the token", "agnes auth import-token --token - (a new one is made on the server's page /tokens)");
            if (!answer.IsSuccess) return new Check("access", Check.Error, ErrorText.Brief(answer.Status, answer.Body), "Your account may be deactivated; ask an admin.");
            using var json = answer.Json();
            var count = json.RootElement.TryGetProperty("tables", out var tables) && tables.ValueKind == JsonValueKind.Array ? tables.GetArrayLength() : 0;
            return count > 0 ? Check.Ok("access", $"{count} tables granted") : new Check("access", Check.Warning, "no table is granted to you", "Ask an admin; they run: agnes admin grant create <your group> table <table>");
        }
        catch (CliException failure)
        {
            return new Check("access", Check.Error, failure.Message, failure.Hint);
        }
    }

    /// <summary>The server's own view of its parts. Servers that do not tell are not held against them.</summary>
    private static async Task<IReadOnlyList<Check>> ServicesAsync(ApiClient api, bool includeSchema, CancellationToken cancellation)
    {
        try
        {
            var answer = await api.SendAsync(HttpMethod.Get, $"/api/health/detailed{(includeSchema ? "?include=schema" : "")}", null, AnswerMax, null, cancellation);
            if (!answer.IsSuccess || JsonNode.Parse(answer.Body) is not JsonObject body || body["services"] is not JsonObject services) return [];
            return [.. services.Where(service => service.Value is JsonObject).Select(service => Service(service.Key, service.Value!.AsObject()))];
        }
        catch (Exception problem) when (problem is CliException or JsonException)
        {
            return [new Check("services", Check.Unknown, problem.Message)];
        }
    }

    private static Check Service(string name, JsonObject service)
    {
        var status = service["status"] is JsonValue word && word.TryGetValue<string>(out var text) ? text : Check.Unknown;
        var more = new JsonObject(service.Where(field => field.Key != "status").Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        var stale = service["stale_tables"] is JsonArray { Count: > 0 } names ? string.Join(", ", names) : null;
        var missing = service["missing"] is JsonArray { Count: > 0 } walls ? string.Join(", ", walls) : null;
        var remedy = (status, stale) switch
        {
            (Check.Good, _) => null,
            (_, not null) => $"An admin brings these tables up to date: agnes setup first-sync ({stale})",
            (Check.Warning or Check.Error, _) => "This is the server's own; tell its operator.",
            _ => null,
        };
        var detail = service["detail"] is JsonValue told && told.TryGetValue<string>(out var why) ? why : null;
        var what = stale is not null ? $"stale tables {stale}" : missing is not null ? $"without {missing}" : detail;
        return new Check($"server.{name}", status, what is null ? status : $"{status}: {what}", remedy) { More = more };
    }
}
