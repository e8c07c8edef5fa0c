using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Profiles;

/// <summary>What a table's rows look like, for whoever may read the table: made when somebody asks, kept until there is another version.</summary>
internal static class ProfilesFeature
{
    private const string Denied = "Access denied to table '{table}'";

    public static void AddProfiles(this IServiceCollection services)
    {
        services.AddSingleton<Profiler>();
        services.AddSingleton<IBelonging, TableProfileBelonging>();
    }

    public static void MapProfiles(this IEndpointRouteBuilder routes)
    {
        var profile = routes.MapGroup("/api/catalog/profile/{table_name}").NeedsTable("table_name", Denied).WithTags("catalog");
        profile.MapGet("", ShowProfile.HandleAsync).Produces<ProfileAnswer>().MayBeSimulated()
            .WithSummary("Columns, completeness, distributions and first rows of a table's current version.");
        profile.MapPost("/refresh", RefreshProfile.HandleAsync).Produces<RefreshedProfile>()
            .Produces<StatusAnswer>(StatusCodes.Status202Accepted)
            .OnlyReads().FillsDisk().WithSummary("Look at the table's rows anew.");
    }
}
