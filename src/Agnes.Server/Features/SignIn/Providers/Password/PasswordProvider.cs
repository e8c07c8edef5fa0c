namespace Agnes.Server.Features.SignIn.Providers.Password;

/// <summary>E-mail and password: always there. Its routes are those of the feature itself.</summary>
internal sealed class PasswordProvider : ISignInProvider
{
    public ProviderButton Button(string? next) => new("Email and password", ProviderList.WithNext("/login/password", next));

    public void Map(IEndpointRouteBuilder routes)
    {
        // Mapped by SignInEndpoints: setting, changing and resetting a password is there whoever else vouches for people.
    }
}
