using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Agnes.Engine.Outbound;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Agnes.Connectors.Keboola;

/// <summary>A body that is being read.</summary>
/// <param name="From">Byte of the whole at which it begins.</param>
/// <param name="Length">Of the whole; null where it is not said.</param>
internal sealed record SliceBody(Stream Content, long From, long? Length, IDisposable Answer);

/// <summary>
/// Fetches from wherever a stack keeps its files: by a signed address, or from one of three clouds with the credentials that came with
/// the file. When those have run out, the stack is asked for new ones.
/// </summary>
internal sealed class StoredFile(StorageClient storage, HttpClient client, KeboolaSettings settings, FileMessage first, string fileId)
    : IDisposable
{
    private const string GcsScheme = "gs";
    private const string S3Scheme = "s3";
    private const string AzureScheme = "azure";
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private readonly Lock _making = new();
    private FileMessage _file = first;
    private AmazonS3Client? _s3;
    private AwsCredentials? _s3For;

    /// <summary>Where it is now: an address is signed anew with the credentials.</summary>
    public FileMessage File => Volatile.Read(ref _file);

    /// <param name="url">As the file or its manifest has it. An address of the file itself is taken anew from <see cref="File"/>.</param>
    /// <param name="from">The first byte that is wanted.</param>
    /// <exception cref="StorageException"/>
    /// <exception cref="HttpRequestException"/>
    public async Task<SliceBody> OpenAsync(string url, long from, CancellationToken cancellation)
    {
        var file = File;
        if (ObjectAt(S3Scheme, url) is var (s3Bucket, s3Key)) return await OpenAtS3Async(file, s3Bucket, s3Key, from, cancellation);
        if (ObjectAt(GcsScheme, url) is var (bucket, key)) return await SendAsync(AtGcs(file, bucket, key), from, cancellation);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address)) throw Wrong("an address that is none");
        var request = address.Scheme == AzureScheme ? AtAzure(file, address) : new HttpRequestMessage(HttpMethod.Get, Public(address));
        return await SendAsync(request, from, cancellation);
    }

    /// <summary>Bucket and key, which stand there as they are and not as in an address of the web.</summary>
    private static (string Bucket, string Key)? ObjectAt(string scheme, string url)
    {
        var start = scheme.Length + 3;
        if (!url.StartsWith($"{scheme}://", StringComparison.Ordinal)) return null;
        var cut = url.IndexOf('/', start);
        return cut > start && cut + 1 < url.Length ? (url[start..cut], url[(cut + 1)..]) : throw Wrong("an address that is none");
    }

    /// <summary>Asks for new credentials, once for all who find that those of before have run out.</summary>
    public async Task RenewAsync(FileMessage old, CancellationToken cancellation)
    {
        await _renewing.WaitAsync(cancellation);
        try
        {
            if (ReferenceEquals(old, File)) Volatile.Write(ref _file, await storage.FileAsync(fileId, cancellation));
        }
        finally
        {
            _renewing.Release();
        }
    }

    public void Dispose()
    {
        _s3?.Dispose();
        _renewing.Dispose();
    }

    private async Task<SliceBody> SendAsync(HttpRequestMessage request, long from, CancellationToken cancellation)
    {
        using (request)
        {
            if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
            var answer = await AnswerAsync(request, cancellation);
            if (answer.IsSuccessStatusCode)
            {
                var range = answer.Content.Headers.ContentRange;
                var start = answer.StatusCode == HttpStatusCode.PartialContent ? range?.From ?? 0 : 0;
                var length = answer.StatusCode == HttpStatusCode.PartialContent ? range?.Length : answer.Content.Headers.ContentLength;
                return new SliceBody(await answer.Content.ReadAsStreamAsync(cancellation), start, length, answer);
            }

            using (answer) throw Failure(answer.StatusCode);
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException failure) when (RefusalIn(failure) is { } refused)
        {
            throw new StorageException($"Keboola says that the exported file lies at an address that {refused.Message}.", failure);
        }
    }

    private static OutboundRefusedException? RefusalIn(Exception failure) =>
        (failure as OutboundRefusedException ?? failure.InnerException as OutboundRefusedException) is { IsUnknown: false } refused
            ? refused
            : null; // a name without an address may have one in a moment

    private async Task<SliceBody> OpenAtS3Async(FileMessage file, string bucket, string key, long from, CancellationToken cancellation)
    {
        // Credentials of one bucket are for no other, whatever a manifest says.
        if (bucket != file.S3Path?.Bucket) throw Wrong("a part in another bucket than the file's");
        var asked = new GetObjectRequest { BucketName = bucket, Key = key };
        if (from > 0) asked.ByteRange = new ByteRange(string.Create(CultureInfo.InvariantCulture, $"bytes={from}-"));
        try
        {
            var answer = await S3Of(file).GetObjectAsync(asked, cancellation);
            return new SliceBody(answer.ResponseStream, from, from + answer.ContentLength, answer);
        }
        catch (AmazonServiceException failure)
        {
            throw Failure(failure.StatusCode == default ? HttpStatusCode.ServiceUnavailable : failure.StatusCode);
        }
    }

    private AmazonS3Client S3Of(FileMessage file)
    {
        lock (_making)
        {
            if (_s3 is not null && ReferenceEquals(_s3For, file.Credentials)) return _s3;
            if (file.Credentials is not { AccessKeyId: { } id, SecretAccessKey: { } secret, SessionToken: { } session })
                throw Wrong("a part at S3 and no credentials");
            var config = new AmazonS3Config
            {
                HttpClientFactory = new OneClient(client),
                MaxErrorRetry = 0, // whoever reads tries again
                Timeout = Timeout.InfiniteTimeSpan,
                ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED, // of a part of an object there is none
            };
            if (settings.S3Service is { } service)
                (config.ServiceURL, config.ForcePathStyle, config.AuthenticationRegion) = (service.AbsoluteUri, true, file.Region);
            else config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(file.Region ?? throw Wrong("a part at S3 and no region"));
            // The one before may be in use still; what it holds is the shared client alone.
            (_s3, _s3For) = (new AmazonS3Client(new SessionAWSCredentials(id, secret, session), config), file.Credentials);
            return _s3;
        }
    }

    private HttpRequestMessage AtGcs(FileMessage file, string bucket, string key)
    {
        if (file.GcsCredentials?.AccessToken is not { Length: > 0 } token) throw Wrong("a part at Google Cloud Storage and no token");
        if (file.GcsPath?.Bucket is { } own && own != bucket) throw Wrong("a part in another bucket than the file's");
        var path = $"storage/v1/b/{Uri.EscapeDataString(bucket)}/o/{Uri.EscapeDataString(key)}?alt=media";
        var url = new Uri($"{settings.GcsService.AbsoluteUri.TrimEnd('/')}/{path}");
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    private HttpRequestMessage AtAzure(FileMessage file, Uri address)
    {
        if (file.AbsCredentials?.ConnectionString is not { Length: > 0 } text) throw Wrong("a part at Azure and no credentials");
        var said = text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0].Trim(), pair => pair[1], StringComparer.OrdinalIgnoreCase);
        if (!said.TryGetValue("BlobEndpoint", out var end) || !Uri.TryCreate(end, UriKind.Absolute, out var endpoint)
            || !said.TryGetValue("SharedAccessSignature", out var signature))
        {
            throw Wrong("credentials of Azure in another form than was agreed");
        }

        if (endpoint.Authority != address.Authority) throw Wrong("a part in another account than the file's");
        var signed = new UriBuilder(endpoint.Scheme, endpoint.Host, endpoint.Port, address.AbsolutePath, $"?{signature.TrimStart('?')}");
        return new HttpRequestMessage(HttpMethod.Get, Public(signed.Uri));
    }

    /// <summary>What is signed is as good as a password, and is not sent in clear.</summary>
    private Uri Public(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps
            || (address.Scheme == Uri.UriSchemeHttp
                && settings.AllowedPrivateHosts.Contains(address.Host, StringComparer.OrdinalIgnoreCase))
            ? address
            : throw Wrong("an address that does not begin with https://");

    private static StorageException Failure(HttpStatusCode status) => new(
        status is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest
            ? $"The store of Keboola's files refused a download ({(int)status}): the address or the credentials that Keboola gave for it "
                + "have run out."
            : $"The store of Keboola's files answered {(int)status} to a download.")
    {
        Status = status,
        IsForNow = status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500,
    };

    private static StorageException Wrong(string what) => new($"Keboola described the exported file by {what}.");

    private sealed class OneClient(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
