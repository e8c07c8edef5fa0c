using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Tables;

/// <summary><c>PUT /api/admin/registry/{id}</c>: what is absent stays, what is null is cleared.</summary>
internal static class UpdateTable
{
    public static async Task<IResult> HandleAsync(HttpContext context, TableRegistry registry, PublicationEvents events, JobRunner jobs, SourceKinds kinds, string id)
    {
        var body = await RequestBody.ReadAsync(context);
        var (before, after, fields) = await registry.UpdateAsync(context.Caller(), id, body, context.RequestAborted);
        var (from, to) = (kinds.PulledBy(context.Snapshot(), before), kinds.PulledBy(context.Snapshot(), after));
        if (before.Name != after.Name)
        {
            await events.DeliverAsync(CancellationToken.None);
            await TidyJob.StartAsync(jobs, to, [after.Id], CancellationToken.None);
        }
        if (from?.Name != to?.Name) await TidyJob.StartAsync(jobs, from, [], CancellationToken.None);
        return JsonBody.Of(new UpdatedTable(id, [.. fields]), TablesJson.Default.UpdatedTable);
    }
}
