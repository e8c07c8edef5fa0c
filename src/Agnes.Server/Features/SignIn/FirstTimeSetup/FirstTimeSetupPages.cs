using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.FirstTimeSetup;

/// <summary>The form that makes the first admin.</summary>
/// <param name="CodePlace">Where the one-time code is.</param>
public sealed record FirstAdminModel(string CodePlace);

/// <summary>What is left to do once there is an admin.</summary>
/// <param name="IsUnnamed">Nobody has said yet what the instance is: a form asks for it.</param>
public sealed record SetupChecklistModel(string Email, bool IsUnnamed, IReadOnlyList<SetupStep> Steps);

/// <param name="Href">The page where it is done; null: it is not done on a page.</param>
/// <param name="Command">What does it at a prompt.</param>
public sealed record SetupStep(string Title, string Why, string? Href, string? Command, bool IsDone);

/// <summary>The way into a new server: its first admin, then a list of what comes next. For everybody else it leads to the sign-in.</summary>
internal static class FirstTimeSetupPages
{
    public static void MapFirstTimeSetup(this IEndpointRouteBuilder routes) => routes.MapGet("/first-time-setup", ShowAsync).ExcludeFromDescription().Public();

    private static async Task<IResult> ShowAsync(HttpContext context, StateDb state, ServerOptions options, CancellationToken stop)
    {
        if (!await BootstrapWindow.IsClosedAsync(state, stop))
        {
            var place = options.BootstrapToken is null ? "the file .bootstrap_code in the server’s state folder" : "the server’s variable AGNES_BOOTSTRAP_TOKEN";
            return Page.Show<FirstAdminPage>(new FirstAdminModel(place));
        }

        return context.CallerOrNull() is { IsAdmin: true } admin ? Page.Show<SetupChecklistPage>(Checklist(context.Snapshot(), options, admin)) : Results.Redirect("/login");
    }

    /// <summary>Neither the operator's file nor the overlay names a source, which the form's answer does: so it is asked once, and nothing is written over.</summary>
    private static bool IsUnnamed(ServerOptions options) =>
        InstanceConfig.Load(options.Settings, options.ConfigDir, options.StateDir, options.Variables, static _ => null) is { IsReadable: true } config
            && config.Merged["data_source"] is null;

    private static SetupChecklistModel Checklist(Snapshot snapshot, ServerOptions options, Caller admin)
    {
        var people = snapshot.UsersById.Values.Count(user => user.Email != ServiceSecret.Email); // asked once or twice in the life of a server
        return new SetupChecklistModel(
            admin.Email,
            IsUnnamed(options),
            [
                new("Bring a table", "Put a CSV or Parquet file into the folder csv/ below the data folder, then register it.", "/admin/tables", null, snapshot.TablesById.Count > 0),
                new("Run the first sync", "It turns what is registered into tables that laptops can pull.", "/admin/sync", null, !snapshot.Published.IsEmpty),
                new("Bring people", "Each gets a link to set a password, or signs in with your company’s account.", null, "agnes admin add-user ana@example.com --name Ana", people > 1),
                new("Say who sees what", "Analysts see what a group of theirs was granted, and nothing else.", null, "agnes admin grant create --help", snapshot.GrantsById.Count > 0),
                new("Let people sign in with the company’s account", "Google, or any OpenID Connect issuer: docs/operator/sign-in.md.", null, null, (options.SignIn.Google ?? (object?)options.SignIn.Oidc) is not null),
                new("Let the server send mail", "Then it mails links itself: SMTP_HOST or SENDGRID_API_KEY, and SERVER_URL.", null, null, options.SignIn.Mail is not null),
            ]);
    }
}
