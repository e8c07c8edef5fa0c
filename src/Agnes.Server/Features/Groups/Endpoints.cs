using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Groups;

/// <summary>Groups, who is in them, and what they were granted.</summary>
internal static class GroupsEndpoints
{
    public static void MapGroups(this IEndpointRouteBuilder routes)
    {
        // An old link; what it leads to asks who comes.
        routes.MapGet("/admin/grants", (HttpContext context) => TypedResults.Redirect($"/admin/access{context.Request.QueryString}", permanent: true, preserveMethod: true)).ExcludeFromDescription().Admin();
        var admin = routes.MapGroup("/api/admin").WithTags("Access").Admin();
        admin.MapGet("/resource-types", AccessOverviewPage.ResourceTypes).Produces<IReadOnlyList<ResourceTypeView>>().WithSummary("What can be granted.");
        admin.MapGet("/access-overview", AccessOverviewPage.Show).Produces<AccessOverview>().WithSummary("Groups, grants and everything grantable at once.");
        admin.MapGet("/access/explain", ExplainAccess.Handle).Produces<ExplanationView>().WithSummary("Why a user may or may not use a resource: user, type, id.");

        admin.MapGet("/access/holders", ResourceHolders.Handle).Produces<HoldersView>().WithSummary("Who may use a resource, and through which groups: type, id.");
        admin.MapGet("/groups", ListGroups.All).Produces<IReadOnlyList<GroupView>>().WithSummary("All groups by name.");
        admin.MapGet("/groups/{id}", ListGroups.One).Produces<GroupView>().WithSummary("One group.");
        admin.MapPost("/groups", CreateGroup.HandleAsync).Produces<GroupView>(StatusCodes.Status201Created).WithSummary("Add a group.");
        admin.MapPatch("/groups/{id}", UpdateGroup.HandleAsync).Produces<GroupView>().WithSummary("Rename or describe a group.");
        admin.MapDelete("/groups/{id}", DeleteGroup.HandleAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Delete a group with its members and grants.");

        admin.MapGet("/groups/{id}/members", ListMembers.OfGroup).Produces<IReadOnlyList<MemberView>>().WithSummary("The members of a group.");
        admin.MapPost("/groups/{id}/members", AddMember.ToGroupAsync).Produces<MemberView>(StatusCodes.Status201Created).WithSummary("Add a user, by e-mail, to a group.");
        admin.MapDelete("/groups/{id}/members/{userId}", RemoveMember.FromGroupAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Remove a user from a group.");
        admin.MapGet("/users/{id}/memberships", ListMembers.OfUser).Produces<IReadOnlyList<MembershipView>>().WithSummary("The groups of a user.");
        admin.MapPost("/users/{id}/memberships", AddMember.ToUserAsync).Produces<MembershipView>(StatusCodes.Status201Created).WithSummary("Add a user to a group, by its id.");
        admin.MapDelete("/users/{id}/memberships/{groupId}", RemoveMember.FromUserAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Remove a user from a group.");

        admin.MapGet("/grants", ListGrants.Handle).Produces<IReadOnlyList<GrantView>>().WithSummary("Grants; resource_type and group_id narrow it.");
        admin.MapPost("/grants", CreateGrant.HandleAsync).Produces<GrantView>(StatusCodes.Status201Created).WithSummary("Grant a resource to a group.");
        admin.MapPost("/grants/bulk", BulkGrants.HandleAsync).Produces<BulkOutcome>().WithSummary("Grant and revoke many resources of a type for one group.");
        admin.MapDelete("/grants/{id}", DeleteGrant.HandleAsync).Produces(StatusCodes.Status204NoContent).WithSummary("Revoke a grant.");
        admin.MapGet("/users/{id}/effective-access", EffectiveAccess.OfUser).Produces<EffectiveView>().WithSummary("What a user was granted, and by which groups.");

        routes.MapGet("/api/me/effective-access", EffectiveAccess.Own).Produces<EffectiveView>().WithTags("Profile").SignedIn().MayBeSimulated().WithSummary("What you were granted, and by which groups.");
    }
}
