using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Users;

/// <summary>Who has an account. Admins only.</summary>
internal static class UsersEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/users").WithTags("Users").Admin();
        users.MapGet("", ListUsers.All).WithSummary("All users by e-mail; q, limit and offset narrow it.");
        users.MapGet("/{id}", ListUsers.One).WithSummary("One user.");
        users.MapPost("", CreateUser.HandleAsync).WithSummary("Add a user.");
        users.MapPatch("/{id}", UpdateUser.PatchAsync).WithSummary("Rename, deactivate or activate a user.");
        users.MapDelete("/{id}", DeleteUser.HandleAsync).WithSummary("Delete a user with tokens and memberships.");
        users.MapPost("/{id}/deactivate", UpdateUser.DeactivateAsync).WithSummary("Deactivate a user.");
        users.MapPost("/{id}/activate", UpdateUser.ActivateAsync).WithSummary("Activate a user.");
        users.MapPost("/{id}/reset-password", UserPassword.ResetAsync).WithSummary("Make a link with which the user sets another password.");
        users.MapPost("/{id}/set-password", UserPassword.SetAsync).WithSummary("Set a user's password.");
    }
}
