using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary>
/// <c>POST /api/admin/connections/{name}/check</c>: whether the source is reached, takes the credentials, and has something that may be read. A kind's name is
/// that of its default connection.
/// </summary>
internal static class CheckConnection
{
    /// <summary>Whoever asks more often tries passwords, or an address after the other.</summary>
    public const int PerMinuteMax = 20;

    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(20);

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, SourceKinds kinds, RateLimits limits, SecretStore secrets, DataFolder folder, ServerOptions options,
        TimeProvider time, string name)
    {
        limits.Take(context, context.Caller().UserId);
        if (Find(context.Snapshot(), kinds, name) is not { } connection)
            return Problem.NotFound($"There is no connection '{TableRules.Shorten(name)}': agnes admin connection list");
        var started = time.GetTimestamp();
        var (isOk, message, found) = await AskAsync(connection, ConnectionSecrets.OptionsOf(secrets, connection, folder, options), options, secrets, context);
        var caller = context.Caller();
        await state.WriteAsync(
            write =>
            {
                write.Audit(caller.UserId, "connection.checked", connection.Name, new JsonObject { ["kind"] = connection.Kind.Name, ["message"] = message },
                    isOk ? "ok" : "error");
                return Task.CompletedTask;
            },
            CancellationToken.None);
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        return JsonBody.Of(
            new CheckedConnection(connection.Name, connection.Kind.Name, isOk, message, found, elapsed),
            ConnectionsJson.Default.CheckedConnection);
    }

    private static Connection? Find(Snapshot snapshot, SourceKinds kinds, string name) =>
        snapshot.Connections.GetValueOrDefault(name) is { } row
            ? kinds.OfType(row.Kind) is { } named ? new Connection(row.Name, named, row.Values) : null
            : kinds.Named(name) is { HasDefault: true } kind ? new Connection(kind.Name, kind, Connection.Nothing) : null;

    private static async Task<(bool IsOk, string Message, int? Found)> AskAsync(
        Connection connection, IReadOnlyDictionary<string, string> given, ServerOptions options, SecretStore secrets, HttpContext context)
    {
        var (kind, isDefault) = (connection.Kind, connection.Name == connection.Kind.Name);
        if (isDefault && kind.NeedsSetUp && !kind.IsSetUp(options, secrets)) return (false, $"{kind.HowToSetUp}.", null);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(TimeMax);
        try
        {
            var check = await kind.CheckAsync(connection, given, context.RequestServices, limit.Token);
            return check switch
            {
                null => (true, $"{kind.Title}: nothing of it can be asked before its tables are brought.", null),
                { Found: 0, MayBeEmpty: false, Of: var what } =>
                    (false, $"'{connection.Name}' answers, but there are no {what} that it may read: give it the right to some there.", 0),
                { Found: var found, Of: var what, IsCut: var isCut } =>
                    (true, $"'{connection.Name}' answers, and may read {found}{(isCut ? " or more" : "")} {what} there.", found),
            };
        }
        catch (RemoteException failure)
        {
            return (false, failure.Message, null);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            return (false, $"'{connection.Name}' did not answer within {TimeMax.TotalSeconds:0} seconds.", null);
        }
    }
}

/// <param name="Found">How much there is that may be read; null: it was not counted.</param>
internal sealed record CheckedConnection(string Name, string Kind, bool Ok, string Message, int? Found, long ElapsedMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckedConnection))]
internal sealed partial class ConnectionsJson : JsonSerializerContext;
