using System.Text.Json.Nodes;
using Agnes.Server.Platform.Identity;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>Whom an issuer vouches for, once domain and address were found good.</summary>
internal sealed record IssuerAccount(string Issuer, string Subject, string Email, string? Name)
{
    private const int NameCharsMax = 256;

    /// <param name="trustsEmail">The issuer verifies all addresses but does not say so.</param>
    /// <exception cref="SignInRefusedException">No address, or one that is nobody's word.</exception>
    public static IssuerAccount Of(OpenIdClient client, JsonObject claims, string emailClaim, bool trustsEmail)
    {
        var email = IdTokens.Text(claims, emailClaim)?.Trim();
        if (email is null || !EmailAddress.IsValid(email)) throw new SignInRefusedException("no_email", "The issuer named no usable e-mail address.");
        if (!trustsEmail && !IsTrue(claims["email_verified"])) throw new SignInRefusedException("email_not_verified", "The issuer does not say that the e-mail address is verified.");
        var name = IdTokens.Text(claims, "name")?.Trim();
        return new IssuerAccount(client.Issuer, IdTokens.Text(claims, "sub")!, email, name is { Length: > 0 and <= NameCharsMax } ? name : null);
    }

    public string Domain => Email[(Email.LastIndexOf('@') + 1)..];

    /// <summary>Some issuers write it as text.</summary>
    private static bool IsTrue(JsonNode? node) =>
        node is JsonValue value && ((value.TryGetValue<bool>(out var flag) && flag) || (value.TryGetValue<string>(out var text) && text == "true"));
}
