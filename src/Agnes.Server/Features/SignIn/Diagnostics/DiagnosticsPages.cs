using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Providers.Google;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Diagnostics;

public sealed record Fact(string Name, string Value);

/// <summary>What the server knows of who asks: nothing that somebody else could sign in with.</summary>
public sealed record DiagnosticsModel(IReadOnlyList<Fact> Account, IReadOnlyList<Fact> Session, IReadOnlyList<Fact> Memberships, IReadOnlyList<Fact> Grants, string GoogleSync);

internal sealed record GroupsDryRun(
    bool SoftFailed,
    string? Prefix,
    IReadOnlyList<string> Fetched,
    IReadOnlyList<string> FetchedRelevant,
    IReadOnlyList<string> CurrentNames,
    IReadOnlyList<string> CurrentExternalIds,
    IReadOnlyList<string> WouldAdd,
    IReadOnlyList<string> WouldRemove,
    bool Applied);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GroupsDryRun))]
internal sealed partial class DiagnosticsJson : JsonSerializerContext;

/// <summary>Why am I not in that group? For operators who set sign-in up; there only while <c>AGNES_DEBUG_AUTH</c> is set.</summary>
internal static class DiagnosticsPages
{
    private const int FingerprintChars = 12;
    private const int GrantsListedMax = 500;
    private const int PerMinuteMax = 10;

    public static void MapSignInDiagnostics(this IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<ServerOptions>().SignIn.Diagnostics) return;
        routes.MapGet("/me/debug", Show).ExcludeFromDescription().SignedIn();
        routes.MapPost("/me/debug/refetch-groups", RefetchAsync).ExcludeFromDescription().SignedIn().PerMinute(PerMinuteMax);
    }

    private static IResult Show(HttpContext context, SigningKey key, ServerOptions options)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var user = snapshot.User(caller.UserId)!;
        var rows = snapshot.MembershipsOf(user.Id);
        var synced = rows.Where(row => row.Source == GroupOrigins.GoogleSource).ToList();
        return Page.Show<DiagnosticsPage>(new DiagnosticsModel(
            [
                new("id", user.Id), new("email", user.Email), new("name", user.Name ?? ""), new("active", Text(user.Active)), new("admin", Text(caller.IsAdmin)),
                new("has a password", Text(user.PasswordHash is not null)), new("created", Time(user.CreatedAt)), new("sessions valid after", Time(user.SessionsValidAfter)),
            ],
            SessionFacts(context, key, options),
            [.. rows.Select(row => new Fact(snapshot.Group(row.GroupId)?.Name ?? row.GroupId, $"{row.Source}, since {Time(row.AddedAt)}"))],
            [.. Grants(snapshot, caller).Take(GrantsListedMax)],
            synced.Count == 0 ? "Nothing came from Google." : $"{synced.Count} memberships came from Google, the last at {Time(synced.Max(row => row.AddedAt))}."));
    }

    private static async Task<IResult> RefetchAsync(HttpContext context, ServerOptions options, GoogleGroups groups, RateLimits limits, CancellationToken stop)
    {
        limits.Take(context, context.Caller().UserId);
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var answer = await groups.FetchAsync(caller.Email, stop);
        var rules = GoogleGroups.Rules(options);
        string[] fetched = answer is GroupAnswer.Known known ? [.. known.Names] : [];
        string[] relevant = rules is null ? [] : [.. rules.Relevant(fetched)];
        string[] wanted = rules is null ? [] : [.. relevant.Select(rules.NameHere).Distinct(StringComparer.Ordinal)];
        string[] current = [.. snapshot.MembershipsOf(caller.UserId).Where(row => row.Source == GroupOrigins.GoogleSource).Select(row => snapshot.Group(row.GroupId)!.Name)];
        var isKnown = answer is GroupAnswer.Known;
        return JsonBody.Of(
            new GroupsDryRun(
                !isKnown,
                rules?.Prefix,
                fetched,
                relevant,
                current,
                [],
                isKnown ? [.. wanted.Except(current, StringComparer.Ordinal)] : [],
                isKnown ? [.. current.Except(wanted, StringComparer.Ordinal)] : [],
                Applied: false),
            DiagnosticsJson.Default.GroupsDryRun);
    }

    /// <summary>A fingerprint tells two tokens apart and is good for nothing else.</summary>
    private static IReadOnlyList<Fact> SessionFacts(HttpContext context, SigningKey key, ServerOptions options)
    {
        if (SessionCookie.Read(context, options).Value is not { } token) return [];
        var facts = new List<Fact> { new("fingerprint", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))[..FingerprintChars]) };
        if (Jwt.Verify(key.Bytes, token) is not { } claims) return [.. facts, new("state", "not a token of this server")];
        facts.AddRange([new("sub", claims.Subject), new("email", claims.Email ?? ""), new("typ", claims.Type), new("jti", claims.Id), new("iat", Time(claims.IssuedAtTime))]);
        if (claims.ExpiresAt is { } expires) facts.Add(new("exp", Time(DateTimeOffset.FromUnixTimeSeconds(expires).UtcDateTime)));
        return facts;
    }

    /// <summary>Each resource once, with one of the groups that it was granted to.</summary>
    private static IEnumerable<Fact> Grants(Snapshot snapshot, Caller caller) =>
        caller.GroupIds.SelectMany(snapshot.GrantsOf).DistinctBy(grant => (grant.ResourceType, grant.ResourceId))
            .OrderBy(grant => grant.ResourceType, StringComparer.Ordinal).ThenBy(grant => grant.ResourceId, StringComparer.Ordinal)
            .Select(grant => new Fact($"{grant.ResourceType} {grant.ResourceId}", snapshot.Group(grant.GroupId)?.Name ?? grant.GroupId));

    private static string Text(bool value) => value ? "yes" : "no";

    private static string Time(DateTime? value) => value?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "–";
}
