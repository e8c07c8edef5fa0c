using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>What setting a password means, whoever sets it and why: the rules, the hash, the end of older sessions and of a lock, and word to the owner.</summary>
internal sealed class NewPasswords(Passwords passwords, PasswordRules rules, Guesses guesses, AccountNotices notices)
{
    /// <inheritdoc cref="PasswordRules.Fault"/>
    public string? Fault(string password, string email, string? name) => rules.Fault(password, email, name);

    /// <summary>To be made before the write, which must be short.</summary>
    public Task<string> HashAsync(string password, CancellationToken stop) => passwords.HashAsync(password, stop);

    public async Task StoreAsync(StateWrite write, UserRow user, string? hash)
    {
        await UserStore.SetPasswordAsync(write, user, hash);
        await guesses.ForgetAsync(write, user.Email);
    }

    /// <summary>After the write.</summary>
    public void Tell(UserRow user) => notices.PasswordChanged(user);
}
