using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal static class CreateGroup
{
    private const int NameCharsMax = 128;
    private const int DescriptionCharsMax = 2_000;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, GroupOrigins origins, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var name = body.String("name").Trim();
        var description = body.OptionalString("description");
        RefuseLong(body, name, description);
        body.ThrowIfInvalid();
        if (NameFault(name) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        var caller = context.Caller();
        var view = await state.WriteAsync(
            async write =>
            {
                RefuseTaken(write.Before, name, id: null);
                var group = new GroupRow { Id = Guid.NewGuid().ToString("N"), Name = name, Description = description, CreatedAt = write.Now, CreatedBy = caller.Email };
                await GroupStore.InsertAsync(write, group);
                write.Audit(caller.UserId, "user_group.created", $"group:{group.Id}", new JsonObject { ["name"] = name });
                return ListGroups.View(write.Current, group, origins);
            },
            stop);
        return JsonBody.Of(view, GroupsJson.Default.GroupView, StatusCodes.Status201Created);
    }

    public static string? NameFault(string name) => name.Length == 0 ? "name must not be blank" : null;

    public static void RefuseLong(RequestBody body, string? name, string? description)
    {
        if (name?.Length > NameCharsMax) body.Refuse("name", $"at most {NameCharsMax} characters");
        if (description?.Length > DescriptionCharsMax) body.Refuse("description", $"at most {DescriptionCharsMax} characters");
    }

    public static void RefuseTaken(Snapshot snapshot, string name, string? id)
    {
        if (snapshot.GroupByName(name) is { } other && other.Id != id) throw new ProblemException(StatusCodes.Status409Conflict, $"A group named '{name}' exists already.");
    }
}
