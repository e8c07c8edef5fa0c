using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin discover-and-register</c>: asks a Keboola project for its tables, from this machine, and registers each.</summary>
internal static class DiscoverCommand
{
    private const string TokenVariable = "KEBOOLA_STORAGE_TOKEN";
    private const string UrlVariable = "KEBOOLA_STACK_URL";

    public static Command Build(Host host)
    {
        var source = new Option<string>("--source-type") { Description = "Where to look.", DefaultValueFactory = _ => "keboola" };
        source.AcceptOnlyFromAmong("keboola");
        var token = new Option<string?>("--token") { Description = $"Storage token; '-' reads it from the standard input. Better left out: {TokenVariable} says it without showing it to others." };
        var url = new Option<string?>("--url") { Description = $"Address of the stack; default: {UrlVariable}." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only list what would be registered." };
        var json = Shared.Json();
        json.Description = "With --dry-run: print the list as JSON.";
        var command = new AgnesCommand(
            "discover-and-register",
            "Registers every table of a Keboola project. What is registered already is left as it is; nothing is granted.",
            "agnes admin discover-and-register --url https://connection.keboola.example.com --dry-run",
            "agnes admin discover-and-register") { source, token, url, dryRun, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && !result.GetValue(dryRun)) result.AddError("--json goes with --dry-run.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var stack = parsed.GetValue(url) ?? Environment.GetEnvironmentVariable(UrlVariable);
            var key = parsed.GetValue(token) is { } given ? await TokenInput.ReadAsync(given, null, cancellation) : Environment.GetEnvironmentVariable(TokenVariable);
            if (string.IsNullOrWhiteSpace(stack)) throw new CliException($"Which stack? Give --url or set {UrlVariable}.");
            if (string.IsNullOrWhiteSpace(key)) throw new CliException($"A Storage token is needed: set {TokenVariable}, or give --token -.");
            var tables = await KeboolaTables.ListAsync(host, ServerAddress.Parse(stack), key.Trim(), cancellation);
            if (!parsed.GetValue(dryRun)) return await RegisterAsync(host, tables, cancellation);
            Print(host, tables, parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(Host host, IReadOnlyList<KeboolaTable> tables, bool json)
    {
        using var list = JsonDocument.Parse(new JsonArray([.. tables.Select(table => (JsonNode)new JsonObject { ["id"] = table.Id, ["name"] = table.Name, ["bucket"] = table.Bucket, ["rows"] = table.Rows })]).ToJsonString());
        AdminApi.Print(host, list.RootElement, json, AdminApi.Column("ID", "id"), AdminApi.Column("NAME", "name"), AdminApi.Column("BUCKET", "bucket"), AdminApi.Column("ROWS", "rows"));
    }

    private static async Task<int> RegisterAsync(Host host, IReadOnlyList<KeboolaTable> tables, CancellationToken cancellation)
    {
        var (registered, skipped, errors) = (0, 0, 0);
        foreach (var table in tables)
        {
            var body = new JsonObject
            {
                ["name"] = table.Name,
                ["source_type"] = "keboola",
                ["bucket"] = table.Bucket,
                ["source_table"] = table.Name,
                ["query_mode"] = "materialized",
                ["sync_strategy"] = "full_refresh",
            };
            var answer = await host.Api.PostAsync("/api/admin/register-table", body, cancellation);
            if (answer.Status is 401 or 403) throw answer.Failure();
            if (answer.IsSuccess)
            {
                registered++;
                continue;
            }

            if (answer.Status == 409) skipped++;
            else errors++;
            host.Error.WriteLine(DisplayText.Message($"{(answer.Status == 409 ? "skipped" : "Error")}: {table.Id}: {ErrorText.Brief(answer.Status, answer.Body)}"));
        }

        host.Out.WriteLine($"{registered} registered, {skipped} skipped, {errors} failed.");
        if (registered > 0) host.Out.WriteLine("Nobody but admins sees them yet: agnes admin grant create <group> table <id>");
        return errors == 0 ? ExitCode.Ok : ExitCode.Failed;
    }
}

/// <param name="Id">With its bucket: <c>in.c-crm.orders</c>.</param>
/// <param name="Rows">Null where the project does not say.</param>
internal sealed record KeboolaTable(string Id, string Name, string Bucket, long? Rows);

/// <summary>A Keboola project's tables, by its Storage API.</summary>
internal static class KeboolaTables
{
    private const int AnswerBytesMax = 64 << 20;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    /// <exception cref="CliException">Not reached, refused, or no list. Never names the token.</exception>
    public static async Task<IReadOnlyList<KeboolaTable>> ListAsync(Host host, ServerAddress stack, string token, CancellationToken cancellation)
    {
        var address = stack.At("/v2/storage/tables");
        if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback) throw new CliException("The stack's address must begin with https://: the token would be readable on the way.", ExitCode.Usage);
        using var client = HttpTransport.Create(decompress: true);
        using var request = HttpTransport.Request(HttpMethod.Get, address, token: null);
        if (!request.Headers.TryAddWithoutValidation("X-StorageApi-Token", token)) throw new CliException("The Storage token has characters that no token has.", ExitCode.Usage);
        try
        {
            using var answer = await ApiClient.SendHeadersAsync(client, request, Idle, host.Clock, cancellation);
            if ((int)answer.StatusCode is 401 or 403) throw new CliException($"Keboola does not take the token at {address.Host} (HTTP {(int)answer.StatusCode}).") { Hint = "Look whether it is of this stack's project, and still good." };
            if (!answer.IsSuccessStatusCode) throw new CliException($"Keboola answered HTTP {(int)answer.StatusCode} at {address.Host}.") { Hint = "Look whether --url is the stack's address." };
            await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
            using var document = JsonDocument.Parse(await ReadAsync(body, host, cancellation));
            return [.. document.RootElement.EnumerateArray().Select(Table)];
        }
        catch (Exception problem) when (problem is HttpRequestException or TimeoutException or IOException)
        {
            throw new CliException($"Keboola could not be reached at {address.Host}: {Redactor.Redact(problem.Message)}");
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CliException($"What {address.Host} answered is no list of tables.") { Hint = "Look whether --url is the stack's address." };
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream body, Host host, CancellationToken cancellation)
    {
        using var reader = new IdleReader(body, Idle, host.Clock, cancellation);
        using var whole = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (await reader.ReadAsync(buffer) is > 0 and var count)
        {
            whole.Write(buffer, 0, count);
            if (whole.Length > AnswerBytesMax) throw new CliException($"The list of tables is larger than {AnswerBytesMax >> 20} MiB.");
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }

    private static KeboolaTable Table(JsonElement table)
    {
        var id = table.GetProperty("id").GetString() ?? throw new JsonException();
        var cut = id.LastIndexOf('.');
        var name = table.TryGetProperty("name", out var said) && said.GetString() is { Length: > 0 } text ? text : id[(cut + 1)..];
        var bucket = table.TryGetProperty("bucket", out var of) && of.ValueKind == JsonValueKind.Object && of.TryGetProperty("id", out var known) ? known.GetString() : null;
        return new KeboolaTable(id, name, bucket ?? (cut > 0 ? id[..cut] : ""), table.TryGetProperty("rowsCount", out var rows) && rows.ValueKind == JsonValueKind.Number ? rows.GetInt64() : null);
    }
}
