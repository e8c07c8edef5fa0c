namespace Agnes.Server.Features.SignIn.Pages;

/// <summary>A way to sign in that this server offers.</summary>
public sealed record Provider(string Label, string Href);

public sealed record LoginModel(IReadOnlyList<Provider> Providers, string? Error);

public sealed record PasswordModel(string? Next, string LoginHref, string? Error, string? Message);

/// <summary>The form behind a link that sets a first, or another, password.</summary>
public sealed record SetPasswordModel(string Email, string Token, string? Error, bool AsksName)
{
    public string Title => AsksName ? "Welcome to Agnes" : "Set a new password";

    public string Button => AsksName ? "Set password and sign in" : "Set password";

    public string Action => AsksName ? "/auth/password/setup/confirm" : "/auth/password/reset/confirm";
}

/// <summary>What the codes in a sign-in page's address mean. Unknown codes say nothing, so that nobody can put words on this page.</summary>
internal static class SignInMessages
{
    public static string? Error(string? code) => code switch
    {
        "invalid" => "Email or password is not right.",
        "deactivated" => "This account is deactivated. Ask an admin to activate it.",
        "not_in_allowed_group" => "Your account is not in a group that may use this server. Ask an admin for access.",
        "group_check_unavailable" => "Your groups could not be checked just now. Try again in a minute.",
        "oauth_failed" => "Signing in with Google did not work. Try again.",
        "no_email" => "Google did not tell us your email address, so we cannot know you.",
        "domain_not_allowed" => "Your email’s domain is not allowed on this server.",
        "google_not_configured" => "Signing in with Google is not set up on this server.",
        "mismatch" => "The two passwords are not the same.",
        "length" => "The password does not fit the rule below.",
        "link" => "This link is used up or too old. Ask an admin for a new one.",
        "auth_internal" => "Something went wrong on our side. Try again; if it stays, tell an admin.",
        _ => null,
    };

    public static string? Message(string? code) => code switch
    {
        "password_reset" => "Your password was changed. Sign in with the new one.",
        "signed_out" => "You are signed out.",
        _ => null,
    };
}
