using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Agnes.Emulators.Keboola;

/// <summary>
/// Where exported files lie: a signed address for each file, and the stores of three clouds, which look at what is signed with the
/// credentials that the API gave. What those are changes whenever it is asked for a file.
/// </summary>
public sealed class Stores(KeboolaServer server)
{
    public const string S3Bucket = "kbc-sliced-emulator";
    public const string GcsBucket = "kbc-gcs-emulator";
    private static readonly TimeSpan PauseBeforeAbort = TimeSpan.FromMilliseconds(100);
    private const string AzureContainer = "exp-azure-emulator";
    private const string AccessKey = "AKIAEMULATOR";
    private const string SecretKey = "a-secret-key-of-the-emulator";
    private const string SessionToken = "a-session-token-of-the-emulator";
    private const string Region = "eu-central-1";
    private readonly ConcurrentDictionary<long, ExportedFile> _files = new();
    private long _last = 7000;
    private int _grants;
    private volatile int _expiredUpTo;

    /// <summary>What was fetched from where, by whom it was allowed: for looking at afterwards.</summary>
    public ConcurrentQueue<(Cloud Cloud, string Name, string? Range)> Fetched { get; } = new();

    /// <summary>What the list of slices says instead of the first one's address.</summary>
    public string? Lie { get; set; }

    /// <summary>Whether the API says how large files are.</summary>
    public bool SaysSize { get; set; } = true;

    /// <summary>All credentials and signed addresses that were given out so far are good no more.</summary>
    public void Expire() => _expiredUpTo = Volatile.Read(ref _grants);

    /// <summary>Credentials run out with the first download that uses them, once.</summary>
    public bool ExpiresWhenUsed { get; set; }

    /// <summary>Files that were exported are there no more.</summary>
    public void Clear() => _files.Clear();

    internal long Put(ExportRequest asked, IReadOnlyList<string?[]> rows, FileForm form)
    {
        var file = ExportedFile.Write(Interlocked.Increment(ref _last), asked, rows, form);
        _files[file.Id] = file;
        return file.Id;
    }

    internal IResult Show(long id)
    {
        if (!_files.TryGetValue(id, out var file)) return KeboolaServer.Error(StatusCodes.Status404NotFound, $"File {id} not found",
            "storage.files.notFound");
        var grant = Interlocked.Increment(ref _grants);
        var json = new JsonObject
        {
            ["id"] = file.Id,
            ["name"] = file.Name,
            ["isSliced"] = file.IsSliced,
            ["fileType"] = "csv",
            ["sizeBytes"] = SaysSize ? file.Size : null,
            ["url"] = Signed(file, file.IsSliced ? "manifest" : file.Name, grant),
            ["region"] = Region,
        };
        // The key of the file itself, or what the keys of its slices and of their list begin with.
        var key = $"{(file.Form.Cloud == Cloud.Azure ? "" : "exp/")}{file.Id}/{(file.IsSliced ? "" : file.Name)}";
        json["provider"] = file.Form.Cloud switch { Cloud.Gcs => "gcp", Cloud.Azure => "azure", _ => "aws" };
        switch (file.Form.Cloud)
        {
            case Cloud.Gcs:
                json["gcsPath"] = new JsonObject { ["bucket"] = GcsBucket, ["key"] = key };
                json["gcsCredentials"] = new JsonObject
                {
                    ["access_token"] = $"gcs-token-{grant}",
                    ["expires_in"] = 3599,
                    ["token_type"] = "Bearer",
                    ["projectId"] = "emulator"
                };
                break;
            case Cloud.Azure:
                json["absPath"] = new JsonObject { ["container"] = AzureContainer, ["name"] = key };
                json["absCredentials"] = new JsonObject
                {
                    ["SASConnectionString"] =
                    $"BlobEndpoint={server.Address};SharedAccessSignature=sv=2023-11-03&sp=rl&sig=azure-{grant}",
                    ["expiration"] = "2026-12-31T00:00:00Z"
                };
                break;
            default:
                json["s3Path"] = new JsonObject { ["bucket"] = S3Bucket, ["key"] = key };
                json["credentials"] = new JsonObject
                {
                    ["AccessKeyId"] = $"{AccessKey}{grant}",
                    ["SecretAccessKey"] = SecretKey,
                    ["SessionToken"] = SessionToken,
                    ["Expiration"] = "2026-12-31T00:00:00+0000"
                };
                break;
        }

        return Results.Json(json);
    }

    internal void Map(WebApplication app)
    {
        app.MapGet("/signed/{id:long}/{name}", (HttpContext context, long id, string name) => SignedAsync(context, id, name));
        app.MapGet("/storage/v1/b/{bucket}/o/{key}", (HttpContext context, string bucket, string key) => GcsAsync(context, bucket, key));
        app.MapGet($"/{AzureContainer}/{{id:long}}/{{name}}", (HttpContext context, long id, string name) => AzureAsync(context, id, name));
        app.MapGet($"/{S3Bucket}/{{**key}}", (HttpContext context, string key) => S3Async(context, key));
    }

    private string Signed(ExportedFile file, string name, int grant) =>
        $"{server.Address}/signed/{file.Id}/{name}?Expires=1790000000&Signature=signed-{grant}";

    private JsonObject ManifestOf(ExportedFile file, int grant)
    {
        // In no order that anybody could rely on.
        var entries = file.Pieces.Reverse().Select(piece => (JsonNode)new JsonObject
        {
            ["url"] = file.Form.Cloud switch
            {
                Cloud.S3 => $"s3://{S3Bucket}/exp/{file.Id}/{piece.Name}",
                Cloud.Gcs => $"gs://{GcsBucket}/exp/{file.Id}/{piece.Name}",
                Cloud.Azure => $"azure://{new Uri(server.Address).Authority}/{AzureContainer}/{file.Id}/{piece.Name}",
                _ => Signed(file, piece.Name, grant),
            },
            ["mandatory"] = true,
        });
        var list = new JsonArray([.. entries]);
        if (Lie is { } lie) list[0]!["url"] = lie;
        return new JsonObject { ["entries"] = list };
    }

    private async Task SignedAsync(HttpContext context, long id, string name)
    {
        if (Grant(context.Request.Query["Signature"].ToString(), "signed-") is not { } grant || !_files.TryGetValue(id, out var file))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden,
                "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
            return;
        }

        if (name == "manifest") await SendAsync(context, Step.Manifest,
            System.Text.Encoding.UTF8.GetBytes(ManifestOf(file, grant).ToJsonString()), file.Form.Cloud, name);
        else await PieceAsync(context, file, name, Cloud.Signed);
    }

    private async Task GcsAsync(HttpContext context, string bucket, string key)
    {
        var bearer = context.Request.Headers.Authorization.ToString();
        if (bucket != GcsBucket || context.Request.Query["alt"] != "media" || Grant(bearer, "Bearer gcs-token-") is null)
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "{\"error\":{\"code\":401,\"message\":\"Invalid Credentials\"}}");
        else await ByKeyAsync(context, Uri.UnescapeDataString(key), Cloud.Gcs);
    }

    private async Task AzureAsync(HttpContext context, long id, string name)
    {
        if (Grant(context.Request.Query["sig"].ToString(), "azure-") is null || !_files.TryGetValue(id, out var file))
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "<Error><Code>AuthenticationFailed</Code></Error>");
        else await PieceAsync(context, file, name, Cloud.Azure);
    }

    private async Task S3Async(HttpContext context, string key)
    {
        if (AwsSignature.AccessKeyOf(context.Request, SecretKey, Region) is not { } used
            || context.Request.Headers["X-Amz-Security-Token"] != SessionToken || Grant(used, AccessKey) is null)
            await RefuseAsync(context, StatusCodes.Status400BadRequest,
                "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>");
        else await ByKeyAsync(context, key, Cloud.S3);
    }

    /// <summary>The number of the grant that a secret is of, while it is good.</summary>
    private int? Grant(string secret, string prefix)
    {
        if (!secret.StartsWith(prefix, StringComparison.Ordinal) || !int.TryParse(secret[prefix.Length..], out var grant)
            || grant <= _expiredUpTo) return null;
        if (!ExpiresWhenUsed) return grant;
        ExpiresWhenUsed = false;
        Expire();
        return null;
    }

    private async Task ByKeyAsync(HttpContext context, string key, Cloud cloud)
    {
        var steps = key.Split('/');
        if (steps.Length == 3 && long.TryParse(steps[1], out var id)
            && _files.TryGetValue(id, out var file)) await PieceAsync(context, file, steps[2], cloud);
        else await RefuseAsync(context, StatusCodes.Status404NotFound, "<Error><Code>NoSuchKey</Code></Error>");
    }

    private async Task PieceAsync(HttpContext context, ExportedFile file, string name, Cloud cloud)
    {
        if (name == "manifest" && file.IsSliced)
        {
            await SendAsync(context, Step.Manifest, System.Text.Encoding.UTF8.GetBytes(ManifestOf(file, 0).ToJsonString()), cloud, name);
            return;
        }

        var piece = file.Pieces.FirstOrDefault(one => one.Name == name);
        if (piece.Bytes is null) await RefuseAsync(context, StatusCodes.Status404NotFound, "<Error><Code>NoSuchKey</Code></Error>");
        else await SendAsync(context, Step.Slice, piece.Bytes, cloud, name);
    }

    private async Task SendAsync(HttpContext context, Step step, byte[] bytes, Cloud cloud, string name)
    {
        Fetched.Enqueue((cloud, name, context.Request.Headers.Range.ToString() is { Length: > 0 } range ? range : null));
        var trouble = server.TakeTrouble(step);
        if (trouble is { Status: > 0 })
        {
            if (trouble.RetryAfterSeconds is { } wait) context.Response.Headers.RetryAfter = $"{wait}";
            await RefuseAsync(context, trouble.Status, "<Error><Code>SlowDown</Code></Error>");
            return;
        }

        if (trouble is { IsCutOff: true }) bytes = bytes[..(bytes.Length / 2)];
        if (trouble is { IsEmpty: true }) bytes = System.Text.Encoding.UTF8.GetBytes("{\"entries\":[]}");
        if (trouble is { IsNoJson: true }) bytes = System.Text.Encoding.UTF8.GetBytes("<html>no list</html>");
        if (trouble is not { Stalls: true } and not { BreaksOff: true })
        {
            await Results.Bytes(bytes, "application/octet-stream", enableRangeProcessing: true).ExecuteAsync(context);
            return;
        }

        var from = RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var asked)
            ? (int)(asked.Ranges.First().From ?? 0) : 0;
        context.Response.StatusCode = from > 0 ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        if (from > 0) context.Response.Headers.ContentRange = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
        context.Response.ContentLength = bytes.Length - from;
        await context.Response.Body.WriteAsync(bytes.AsMemory(from, (bytes.Length - from) / 2));
        await context.Response.Body.FlushAsync();
        if (trouble.Stalls) await server.StallAsync(context);
        else await Task.Delay(PauseBeforeAbort); // what was sent arrives; an end by force takes it along
        context.Abort();
    }

    private static Task RefuseAsync(HttpContext context, int status, string body) =>
        Results.Text(body, "application/xml", statusCode: status).ExecuteAsync(context);
}
