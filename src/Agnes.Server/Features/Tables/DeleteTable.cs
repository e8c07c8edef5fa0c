using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Tables;

/// <summary><c>DELETE /api/admin/registry/{id}</c></summary>
internal static class DeleteTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry, SourcePublisher publisher, PublicationEvents events, JobRunner jobs, SourceKinds kinds, string id)
    {
        var owner = context.Snapshot().Table(id) is { } before ? context.Snapshot().ViewOwners.GetValueOrDefault(before.Name)?.SourceName : null;
        var row = await registry.DeleteAsync(context.Caller(), id, context.RequestAborted);
        await events.DeliverAsync(CancellationToken.None);
        if (owner is not null && kinds.OfFolder(context.Snapshot(), owner) is null) publisher.Forget(owner); // somebody else's extract still offers it
        await TidyJob.StartAsync(jobs, kinds.PulledBy(context.Snapshot(), row), [], CancellationToken.None);
        if (owner is not null) await jobs.StartAsync(PublishJob.Request("registry"), CancellationToken.None);
        return Results.NoContent();
    }
}
