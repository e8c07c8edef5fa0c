using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary>A Keboola stack and the Storage token for it.</summary>
internal sealed class KeboolaStack
{
    private const string TokenHeader = "X-StorageApi-Token";
    private const string Provider = "ai-metadata-enrichment";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly string[] Prefixes = ["KBC_", "KEBOOLA_"];
    private readonly string _address;
    private readonly string _token;

    private KeboolaStack(string address, string token)
    {
        _address = address.TrimEnd('/');
        _token = token;
    }

    /// <summary>
    /// From the environment, else from what admins stored. A token of the environment goes only to an address that the operator chose as well: whoever may store an address could
    /// otherwise have it sent to themselves.
    /// </summary>
    /// <returns>Null when the one or the other is not set.</returns>
    public static KeboolaStack? Find(ServerOptions options, SecretStore secrets)
    {
        var config = InstanceConfig.Load(options.ConfigDir, options.StateDir, name => options.Variables(name));
        string? Operators(string suffix) => Prefixes.Select(prefix => options.Variables(prefix + suffix)).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));
        string? Admins(string suffix) => Prefixes.Select(prefix => secrets.Find(prefix + suffix)).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));
        var address = Operators("STACK_URL") ?? InstanceConfig.At(config.Static, "data_source.keboola.stack_url")?.ToString();
        var token = Operators("STORAGE_TOKEN");
        if (token is null)
        {
            token = Admins("STORAGE_TOKEN");
            address ??= Admins("STACK_URL") ?? config.Text("data_source.keboola.stack_url");
        }

        return token is null || string.IsNullOrWhiteSpace(address) ? null : new KeboolaStack(address.Trim(), token.Trim());
    }

    /// <summary>Says what a column is. <paramref name="table"/> is bucket and name.</summary>
    /// <returns>Null when Keboola took it.</returns>
    public async Task<PushFault?> PushAsync(HttpClient client, string table, ColumnMetadataRow column, CancellationToken stop)
    {
        var entries = new JsonArray();
        if (column.Basetype is not null) entries.Add((JsonNode)new JsonObject { ["key"] = "KBC.datatype.basetype", ["value"] = column.Basetype });
        if (column.Description is not null) entries.Add((JsonNode)new JsonObject { ["key"] = "KBC.description", ["value"] = column.Description });
        if (!Uri.TryCreate($"{_address}/v2/storage/tables/{Uri.EscapeDataString(table)}/columns/{Uri.EscapeDataString(column.ColumnName)}/metadata", UriKind.Absolute, out var address))
            return new PushFault("Keboola's address is no address", IsUnreachable: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Content = new StringContent(new JsonObject { ["provider"] = Provider, ["metadata"] = entries }.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        if (!request.Headers.TryAddWithoutValidation(TokenHeader, _token)) return new PushFault("the Storage token cannot be sent", IsUnreachable: true);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(Timeout);
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, time.Token);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK or HttpStatusCode.Created => null,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new PushFault($"{(int)answer.StatusCode} Keboola does not take the token for this", IsUnreachable: false),
                HttpStatusCode.NotFound => new PushFault("404 Keboola has no such table or column", IsUnreachable: false),
                var status => new PushFault($"{(int)status} {answer.ReasonPhrase}".TrimEnd(), IsUnreachable: false),
            };
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            var refused = failure as OutboundRefusedException ?? failure.InnerException as OutboundRefusedException;
            return new PushFault(refused is null ? "Keboola could not be reached" : $"Keboola's address {refused.Message}", IsUnreachable: true);
        }
    }
}

/// <summary>Why a column was not taken, without the token and without what the other side wrote.</summary>
internal sealed record PushFault(string Text, bool IsUnreachable);
