using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary><c>PUT /api/admin/connections/{name}</c></summary>
internal static class UpdateConnection
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ConnectionStore connections, SourceKinds kinds, SecretStore secrets, string name)
    {
        var body = await RequestBody.ReadAsync(context);
        var settings = AddConnection.Settings(body);
        body.ThrowIfInvalid();
        var row = await connections.UpdateAsync(context.Caller(), name, settings, context.RequestAborted);
        await state.WriteAsync(write => write.RetryNowAsync(table => table.Connection == name), context.RequestAborted);
        return JsonBody.Of(ListConnections.Of(row, state.Snapshot, kinds, secrets));
    }
}
