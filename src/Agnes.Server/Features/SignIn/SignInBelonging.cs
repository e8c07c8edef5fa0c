using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Links, sessions and identities at issuers end with the account; a link must not wait for a closed one to be opened again.</summary>
internal sealed class SignInBelonging : IBelonging
{
    public string Name => "ways to sign in";

    public async Task EndUserAsync(StateWrite write, string id)
    {
        await PasswordLinks.DropAsync(write, id);
        await SessionStore.DeleteOfAsync(write, id);
        await Identities.DeleteOfAsync(write, id);
    }

    public Task CloseUserAsync(StateWrite write, string id) => PasswordLinks.DropAsync(write, id);
}
