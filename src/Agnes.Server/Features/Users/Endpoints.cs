using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Users;

/// <summary>Who has an account. Admins only.</summary>
internal static class UsersEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/users").WithTags("Users").Admin();
        users.MapGet("", ListUsers.All).Produces<IReadOnlyList<UserView>>().WithSummary("All users by e-mail; q, limit and offset narrow it.");
        users.MapGet("/{id}", ListUsers.One).Produces<UserView>().WithSummary("One user.");
        users.MapPost("", CreateUser.HandleAsync).Produces<UserView>(StatusCodes.Status201Created).WithSummary("Add a user.");
        users.MapPatch("/{id}", UpdateUser.PatchAsync).Produces<UserView>().WithSummary("Rename, deactivate or activate a user.");
        users.MapDelete("/{id}", DeleteUser.HandleAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Delete a user with tokens and memberships.");
        users.MapPost("/{id}/deactivate", UpdateUser.DeactivateAsync).Produces<UserView>().WithSummary("Deactivate a user.");
        users.MapPost("/{id}/activate", UpdateUser.ActivateAsync).Produces<UserView>().WithSummary("Activate a user.");
        users.MapPost("/{id}/reset-password", UserPassword.ResetAsync).Produces<ResetLinkView>().WithSummary("Make a link with which the user sets another password.");
        users.MapPost("/{id}/set-password", UserPassword.SetAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Set a user's password.");
    }
}
