using System.Text.Json.Nodes;
using Agnes.Connectors.Jira;
using Agnes.Engine.Limits;
using Agnes.Engine.Outbound;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// The files of issues, where they are wanted: each is fetched once, in full or not at all. The site sends to another host, which
/// signed its address and must not see the site's credentials.
/// </summary>
internal sealed partial class JiraFiles(
    IHttpClientFactory clients, DataFolder folder, DiskReserve disk, ServerOptions options, SecretStore secrets, TimeProvider time,
        ILogger<JiraFiles> log)
{
    private const int RedirectsMax = 5;
    private const int CopyBytes = 64 << 10;
    private const int EachIssueMax = 200;
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(5);
    private Wanted? _wanted; // exchanged whole

    private string Folder => Path.Combine(folder.Source(JiraKind.KindName), "raw", "attachments");

    /// <summary>
    /// Fetches the files of an issue that are not here. One that cannot be had is told in the log, and tried when the issue
    /// is fetched again.
    /// </summary>
    public async Task BringAsync(JiraAccount account, JiraIssue issue, CancellationToken stop)
    {
        if (Now() is not { IsOn: true } wanted || issue.Json["fields"] is not JsonObject fields
            || fields["attachment"] is not JsonArray list) return;
        foreach (var file in list.OfType<JsonObject>().Take(EachIssueMax))
        {
            if (disk.IsLow) return;
            if (PathOf(issue.Key, file["id"]?.ToString(), file["filename"]?.ToString()) is not { } path || File.Exists(path)) continue;
            if (file["size"] is JsonValue size && size.TryGetValue<long>(out var bytes) && bytes > wanted.BytesMax) continue;
            if (!Uri.TryCreate(file["content"]?.ToString(), UriKind.Absolute, out var address)) continue;
            try
            {
                await FetchAsync(account, address, path, wanted.BytesMax, stop);
            }
            catch (Exception fault) when (
                fault is HttpRequestException or IOException or UnauthorizedAccessException
                    || (fault is OperationCanceledException && !stop.IsCancellationRequested))
            {
                LogFailed(log, issue.Key, Path.GetFileName(path)[..Math.Min(20, Path.GetFileName(path).Length)], fault.Message);
            }
        }
    }

    /// <summary>The file of an attachment that the issue has now, open; null: it is not here.</summary>
    public FileStream? Open(string key, string id)
    {
        if (new IssueFiles(folder.Source(JiraKind.KindName)).Find(key) is not { } issue || issue["_deleted_at"] is not null) return null;
        var list = (issue["fields"] as JsonObject)?["attachment"] as JsonArray ?? [];
        if (list.OfType<JsonObject>().FirstOrDefault(one => one["id"]?.ToString() == id) is not { } file) return null;
        try
        {
            return PathOf(key, id, file["filename"]?.ToString()) is { } path
                ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete) : null;
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string? PathOf(string key, string? id, string? name)
    {
        try
        {
            return JiraAttachment.FileName(id, name) is { } file ? SafePath.Resolve(Folder, $"{key}/{file}") : null;
        }
        catch (UnsafePathException)
        {
            return null; // a link lies there, which nobody of ours made
        }
    }

    private async Task FetchAsync(JiraAccount account, Uri address, string path, long bytesMax, CancellationToken stop)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bound.CancelAfter(CallTime);
        using var client = clients.CreateClient(OutboundGuard.ClientName);
        client.Timeout = Timeout.InfiniteTimeSpan; // the token above is the bound
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (IsOfSite(account, address)) request.Headers.TryAddWithoutValidation("Authorization", account.Authorization);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bound.Token);
            var next = (int)answer.StatusCode is 301 or 302 or 303 or 307 or 308 ? answer.Headers.Location : null;
            if (next is not null && redirects < RedirectsMax)
            {
                address = new Uri(address, next);
                if (account.Address.Scheme == Uri.UriSchemeHttps
                    && address.Scheme != Uri.UriSchemeHttps) throw new HttpRequestException("it leads to an address without TLS");
                continue;
            }

            if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"{address.Host} answered {(int)answer.StatusCode}");
            await using var content = await answer.Content.ReadAsStreamAsync(bound.Token);
            await SaveAsync(content, path, bytesMax, bound.Token);
            return;
        }
    }

    /// <summary>What is said of a file's size is not believed: what comes is counted.</summary>
    private static async Task SaveAsync(Stream content, string path, long bytesMax, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Guid.NewGuid():N}.tmp");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                var buffer = new byte[CopyBytes];
                var left = bytesMax;
                for (int read; (read = await content.ReadAsync(buffer, stop)) > 0; left -= read)
                {
                    if (read > left) throw new IOException($"it has more than {bytesMax} bytes");
                    await file.WriteAsync(buffer.AsMemory(0, read), stop);
                }
            }

            FileSystem.Replace(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static bool IsOfSite(JiraAccount account, Uri address) =>
        account.Address.Scheme == address.Scheme && account.Address.Host.Equals(address.Host, StringComparison.OrdinalIgnoreCase)
            && account.Address.Port == address.Port;

    private Wanted Now()
    {
        if (_wanted is { } known && time.GetElapsedTime(known.At) < KnownFor) return known;
        var layers = SettingLayers.Open(options, secrets);
        var isOn = layers.Find(JiraOptions.FilesName)?.Trim().ToLowerInvariant() is "1" or "true" or "yes" or "on";
        return _wanted = new Wanted(isOn, JiraOptions.FileBytes.NumberOrDefault<long>(layers.Find), time.GetTimestamp());
    }

    private sealed record Wanted(bool IsOn, long BytesMax, long At);

    [LoggerMessage(EventId = 6304, Level = LogLevel.Warning, Message = "An attachment of {Key} ({Name}) could not be fetched: {Why}")]
    private static partial void LogFailed(ILogger log, string key, string name, string why);
}
