using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class UpdateGroup
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var name = body.OptionalString("name")?.Trim();
        var description = body.OptionalString("description");
        CreateGroup.RefuseLong(body, name, description);
        body.ThrowIfInvalid();
        if (name is not null && CreateGroup.NameFault(name) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        var actor = context.Caller().UserId;
        var view = await state.WriteAsync(
            async write =>
            {
                var group = write.Before.Group(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListGroups.NotFound);
                origins.RefuseManaged(group);
                var changes = new JsonObject();
                var next = group;
                if (name is not null && name != group.Name)
                {
                    if (group.IsSystem) throw new ProblemException(StatusCodes.Status409Conflict, $"The system group '{group.Name}' cannot be renamed.");
                    CreateGroup.RefuseTaken(write.Before, name, id);
                    next = next with { Name = name };
                    changes["name"] = name;
                }

                if (description is not null && description != group.Description)
                {
                    next = next with { Description = description };
                    changes["description"] = description;
                }

                if (changes.Count > 0)
                {
                    await GroupStore.UpdateAsync(write, next);
                    write.Audit(actor, "user_group.updated", $"group:{id}", changes);
                }

                return ListGroups.View(write.Current, next, origins);
            },
            stop);
        return JsonBody.Of(view, GroupsJson.Default.GroupView);
    }
}
