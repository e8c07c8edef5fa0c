using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Tells people by mail what happened to their account, where mail can be sent. Never a link: a mail that asks for a click is what a thief would send.</summary>
internal sealed class AccountNotices(Outbox outbox, ServerOptions options)
{
    public void PasswordChanged(UserRow user) => Post(
        user, "Your password was changed", "The password of your account was set anew, and every session from before is over.");

    /// <param name="wrong">How many in a row.</param>
    public void WrongPasswords(UserRow user, int wrong) => Post(
        user, "Wrong passwords for your account", $"{wrong} wrong passwords in a row were tried for your account. Each further try has to wait a while; your sessions and tokens are not touched.");

    /// <param name="provider">As the sign-in page calls it.</param>
    public void IdentityLinked(UserRow user, string provider) => Post(
        user, "Your account can be used in another way", $"From now on your account is open to your account at {provider}, because that has the same verified address.");

    private void Post(UserRow user, string subject, string what)
    {
        if (!outbox.IsOpen || !user.Active) return;
        var server = SignIn.PublicAddress.Configured(options) is { } address ? $" on {address}" : "";
        outbox.Post(new Letter(user.Email, subject, $"This is about your account {user.Email}{server}.\n\n{what}\n\nIf that was not you, tell an admin, and set a new password.\n"));
    }
}
