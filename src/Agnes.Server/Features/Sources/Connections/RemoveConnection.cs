using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary><c>DELETE /api/admin/connections/{name}</c>: with its secrets and its folder, in which no table lies any more.</summary>
internal static class RemoveConnection
{
    public static async Task<IResult> HandleAsync(HttpContext context, ConnectionStore connections, SourceKinds kinds, SecretStore secrets, JobRunner jobs, string name)
    {
        var kind = context.Snapshot().Connections.GetValueOrDefault(name) is { } row ? kinds.OfType(row.Kind) : null;
        await connections.RemoveAsync(context.Caller(), name, context.RequestAborted);
        if (kind is not null) await ConnectionSecrets.ForgetAsync(secrets, kind, name, CancellationToken.None);
        await TidyJob.StartAsync(jobs, name, [], CancellationToken.None); // waits for runs that are going on
        return Results.NoContent();
    }
}
