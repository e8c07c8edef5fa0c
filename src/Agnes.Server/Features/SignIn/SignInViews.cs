using System.Text.Json.Serialization;

namespace Agnes.Server.Features.SignIn;

internal sealed record IssuedToken(string AccessToken, string TokenType, string UserId, string Email, string Role);

internal sealed record SignedIn(string AccessToken, string TokenType, string Email, string Role);

internal sealed record PasswordSet(string AccessToken, string TokenType, string Message);

internal sealed record ProfileView(string Id, string Email, string? Name, bool IsAdmin, bool Onboarded, IReadOnlyList<ProfileGroup> Groups);

internal sealed record ProfileGroup(string Id, string Name, string Source);

internal sealed record OnboardedView(string Status, bool Onboarded);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IssuedToken))]
[JsonSerializable(typeof(SignedIn))]
[JsonSerializable(typeof(PasswordSet))]
[JsonSerializable(typeof(ProfileView))]
[JsonSerializable(typeof(OnboardedView))]
internal sealed partial class SignInJson : JsonSerializerContext;
