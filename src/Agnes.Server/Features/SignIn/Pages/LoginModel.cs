using System.Globalization;
using Agnes.Server.Features.SignIn.Providers;

namespace Agnes.Server.Features.SignIn.Pages;

/// <param name="IsNew">Nobody can sign in yet: there is no admin.</param>
/// <param name="IsLocal">Local development, which has a way in of its own.</param>
public sealed record LoginModel(IReadOnlyList<ProviderButton> Providers, string? Error, string? Message, bool IsNew, bool IsLocal);

/// <param name="LoginHref">Null: there is no other way to sign in.</param>
/// <param name="ForgottenHref">Null: no mail can be sent, so an admin has to help.</param>
public sealed record PasswordModel(string? Next, string? LoginHref, string? ForgottenHref, string? Error, string? Message);

/// <summary>A form that asks for a mail address to send a link to.</summary>
public sealed record AskLinkModel(string Title, string Lead, string Action, string Button, string? Message, string? Error)
{
    /// <summary>Whether mail can be sent.</summary>
    public bool IsOffered { get; init; } = true;

    /// <summary>Where the link leads on to.</summary>
    public string? Next { get; init; }

    public static AskLinkModel ToSignIn(string? next, string? message, string? error) =>
        new("Sign in with an email link", "We mail you a link that works once, within an hour.", "/auth/email/send-link/web", "Mail me a link", message, error) { Next = next };

    /// <param name="isOffered">Whether mail can be sent.</param>
    public static AskLinkModel ForPassword(bool isOffered, string? message) => new(
        "Set a new password",
        isOffered ? "We mail you a link with which you set a new password." : "This server sends no mail: ask an admin for a link.",
        "/auth/password/reset",
        "Mail me a link",
        isOffered ? message : null,
        null)
    {
        IsOffered = isOffered,
    };
}

/// <summary>The button behind a mailed link.</summary>
public sealed record UseLinkModel(string Email, string Token, string? Next);

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
        "oauth_failed" => "Signing in there did not work. Try again.",
        "no_email" => "We were not told your email address, so we cannot know you.",
        "email_not_verified" => "Your email address is not verified where you signed in. Verify it there, then try again.",
        "account_conflict" => "Another account there has your email address already. Ask an admin.",
        "oidc_not_configured" => "Single sign-on is not set up on this server.",
        "link_used" => "This link is used up or too old. Ask for a new one.",
        "domain_not_allowed" => "Your email’s domain is not allowed on this server.",
        "google_not_configured" => "Signing in with Google is not set up on this server.",
        "mismatch" => "The two passwords are not the same.",
        "common" => "Others would guess this password: it is among those that are tried first, or little more than a name. Take another one.",
        "length" => "The password does not fit the rule below.",
        "link" => "This link is used up or too old. Ask an admin for a new one.",
        "auth_internal" => "Something went wrong on our side. Try again; if it stays, tell an admin.",
        _ => null,
    };

    /// <param name="seconds">When the next try is worth it; anything but a sensible number says "later".</param>
    public static string? Locked(string? code, string? seconds)
    {
        const int secondsMax = 900;
        if (code != "locked") return null;
        var isNumber = int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var wait) && wait is > 0 and <= secondsMax;
        return PasswordResult.LockedText(TimeSpan.FromSeconds(isNumber ? wait : secondsMax));
    }

    public static string? Message(string? code) => code switch
    {
        "password_reset" => "Your password was changed. Sign in with the new one.",
        "link_sent" => "If the address belongs to an account, a link is on its way to it.",
        "signed_out" => "You are signed out.",
        _ => null,
    };
}
