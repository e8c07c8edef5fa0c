using System.Security.Cryptography;
using System.Text.Json;
using Agnes.Engine.Outbound;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Flows;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// Access tokens for BigQuery: of a key that the connection has; else of the machine's metadata server; else of the application default
/// credentials. A token is kept until
/// a minute before its end.
/// </summary>
internal sealed class BigQueryCredentials : IDisposable
{
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";
    private const int KeyFileBytesMax = 64 << 10;
    private static readonly TimeSpan MetadataTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(60);
    private readonly BigQueryConnection _connection;
    private readonly BigQueryHttp _http;
    private readonly BigQueryHttp _metadata;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _one = new(1, 1);
    private (string Token, DateTimeOffset End)? _kept;

    public BigQueryCredentials(BigQueryConnection connection, OutboundGuard guard, SettingOwner owner, TimeProvider time)
    {
        (_connection, _time) = (connection, time);
        (_http, _metadata) = (new BigQueryHttp(guard, owner), BigQueryHttp.ToMetadata(guard));
    }

    /// <exception cref="BigQueryException"><see cref="BigQueryFault.AuthFailed"/></exception>
    public async Task<string> TokenAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            if (_kept is { } kept && kept.End > _time.GetUtcNow()) return kept.Token;
            var answer = await AskAsync(cancellation);
            var lifetime = TimeSpan.FromSeconds(answer.ExpiresInSeconds ?? 0);
            _kept = lifetime > Reserve ? (answer.AccessToken, _time.GetUtcNow() + lifetime - Reserve) : null;
            return answer.AccessToken;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>BigQuery did not take it.</summary>
    public void Forget(string token)
    {
        if (_kept is { } kept && kept.Token == token) _kept = null;
    }

    public void Dispose() => _one.Dispose();

    private async Task<TokenResponse> AskAsync(CancellationToken cancellation)
    {
        if (_connection.KeyJson is { Length: > 0 } json) return await OfKeyAsync(json, "the connection's key", cancellation);
        if (_connection.KeyFile is { Length: > 0 } file) return await OfFileAsync(file, cancellation);
        string missing;
        try
        {
            return await OfMachineAsync(cancellation);
        }
        catch (BigQueryException failure)
        {
            if (_connection.DefaultKeyFile is { Length: > 0 } chosen)
            {
                try
                {
                    return await OfFileAsync(chosen, cancellation);
                }
                catch (BigQueryException second)
                {
                    missing = $"{failure.Message} {second.Message}";
                }
            }
            else
            {
                missing = $"{failure.Message} There are no application default credentials.";
            }
        }

        throw Failed($"{missing} Set a service account's key for the connection.");
    }

    private Task<TokenResponse> OfMachineAsync(CancellationToken cancellation)
    {
        var url = new Uri(_connection.MetadataService, "/computeMetadata/v1/instance/service-accounts/default/token").AbsoluteUri;
        var credential = new ComputeCredential(new ComputeCredential.Initializer(url)
        {
            HttpClientFactory = _metadata,
            DefaultExponentialBackOffPolicy = ExponentialBackOffPolicy.None,
        });
        return BoundedAsync(
            "The metadata server gives no token.", MetadataTime, async token =>
            await credential.RequestAccessTokenAsync(token) ? credential.Token : null, cancellation);
    }

    private async Task<TokenResponse> OfFileAsync(string file, CancellationToken cancellation)
    {
        string json;
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > KeyFileBytesMax) throw Failed($"The key file '{Path.GetFileName(file)}' is too large to be one.");
            using var reader = new StreamReader(stream);
            json = await reader.ReadToEndAsync(cancellation);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Failed($"The key file '{Path.GetFileName(file)}' cannot be read: {unreadable.GetType().Name}.");
        }

        return await OfKeyAsync(json, $"the key file '{Path.GetFileName(file)}'", cancellation);
    }

    /// <summary>Two types alone: the others name addresses and programs that would be called with the server's rights.</summary>
    private Task<TokenResponse> OfKeyAsync(string json, string name, CancellationToken cancellation)
    {
        var key = KeyOf(json, name);
        return key.Type switch
        {
            "service_account" => OfServiceAccountAsync(key, name, cancellation),
            "authorized_user" => OfPersonAsync(key, name, cancellation),
            _ => throw Failed($"{Sentence(name)} is neither of a service account nor of a person's sign-in; other types are not used."),
        };
    }

    private Task<TokenResponse> OfServiceAccountAsync(KeyFile key, string name, CancellationToken cancellation)
    {
        ServiceAccountCredential credential;
        try
        {
            credential = new ServiceAccountCredential(
                new ServiceAccountCredential.Initializer(key.ClientEmail, _connection.TokenService.AbsoluteUri)
                {
                    Scopes = [Scope],
                    KeyId = key.PrivateKeyId,
                    HttpClientFactory = _http,
                    DefaultExponentialBackOffPolicy = ExponentialBackOffPolicy.None,
                }.FromPrivateKey(key.PrivateKey));
        }
        catch (Exception malformed)
            when (malformed is ArgumentException or FormatException or CryptographicException or InvalidOperationException)
        {
            // Its text may quote what could not be read.
            throw Failed($"{Sentence(name)} holds no private key that can be read. Make a new one at Google and set it whole.");
        }

        return BoundedAsync($"Google gives no token for {name}.", _connection.Limits.CallTime,
            async token => await credential.RequestAccessTokenAsync(token) ? credential.Token : null, cancellation);
    }

    private async Task<TokenResponse> OfPersonAsync(KeyFile key, string name, CancellationToken cancellation)
    {
        using var flow = new AuthorizationCodeFlow(
            new AuthorizationCodeFlow.Initializer(_connection.TokenService.AbsoluteUri, _connection.TokenService.AbsoluteUri)
            {
                ClientSecrets = new ClientSecrets { ClientId = key.ClientId, ClientSecret = key.ClientSecret },
                HttpClientFactory = _http,
                DefaultExponentialBackOffPolicy = ExponentialBackOffPolicy.None,
            });
        return await BoundedAsync($"Google gives no token for {name}.", _connection.Limits.CallTime,
            async token => await flow.RefreshTokenAsync("agnes", key.RefreshToken, token), cancellation);
    }

    private static KeyFile KeyOf(string json, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(json, BigQueryJson.Default.KeyFile) ?? throw Failed($"{Sentence(name)} is empty.");
        }
        catch (JsonException)
        {
            throw Failed($"{Sentence(name)} is no JSON. Download it anew from Google and set it whole.");
        }
    }

    private static async Task<TokenResponse> BoundedAsync(
        string fault, TimeSpan time, Func<CancellationToken, Task<TokenResponse?>> ask, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(time);
        try
        {
            var answer = await ask(bound.Token);
            return answer?.AccessToken is { Length: > 0 } ? answer : throw Failed(fault);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failed($"{fault} It did not answer within {time.TotalSeconds:0} seconds.");
        }
        catch (TokenResponseException refused)
        {
            throw Failed($"{fault} It says '{Known(refused.Error?.Error)}'.");
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or BigQueryException))
        {
            // Whatever the library throws; it does so with a NullReferenceException when an error has no body. Its text may quote an
            // answer.
            throw Failed($"{fault} ({failure.GetType().Name})");
        }
    }

    /// <summary>The documented words alone: a foreign answer could repeat what it was sent.</summary>
    private static string Known(string? error) =>
        error is "invalid_grant" or "invalid_client" or "invalid_request" or "unauthorized_client" or "unsupported_grant_type"
            or "invalid_scope" ? error : "an error";

    private static string Sentence(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    private static BigQueryException Failed(string message) => new(BigQueryFault.AuthFailed, message);
}
