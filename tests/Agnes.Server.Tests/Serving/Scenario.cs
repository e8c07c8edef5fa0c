using Agnes.Server.Platform.State;

namespace Agnes.Server.Tests.Serving;

/// <summary>A request and what must, and must not, come of it.</summary>
internal sealed record Scenario(string Name, string Method, string Path, int Status)
{
    public Principal As { get; init; } = Principal.Admin;

    public string? Body { get; init; }

    public string[] Has { get; init; } = [];

    public string[] Lacks { get; init; } = [];

    /// <summary>Actions that the request must have left in the audit log. Empty: it must have left none.</summary>
    public string[] Audit { get; init; } = [];

    public Action<HttpRequestMessage>? Change { get; init; }

    /// <summary>The same request by those who must be refused: guests, revoked tokens, deactivated users, and where it is for admins, analysts.</summary>
    public IEnumerable<Scenario> Refusals(bool adminsOnly)
    {
        Scenario By(Principal principal, int status, string text) => this with { Name = $"{Name}, asked by {principal}", As = principal, Status = status, Has = [text], Lacks = [], Audit = [] };
        yield return By(Principal.Guest, 401, "Missing or invalid Authorization header");
        yield return By(Principal.Revoked, 401, "Token revoked");
        yield return By(Principal.Deactivated, 401, "Account deactivated");
        if (!adminsOnly) yield break;
        yield return By(Principal.Analyst, 403, "Admin access required");
        yield return By(Principal.AnalystToken, 403, "Admin access required");
    }
}

/// <summary>Runs a table of scenarios and names every one that went another way.</summary>
internal static class Scenarios
{
    public static async Task RunAsync(World world, IEnumerable<Scenario> scenarios)
    {
        var faults = new List<string>();
        foreach (var scenario in scenarios) faults.AddRange((await FaultsAsync(world, scenario)).Select(fault => $"{scenario.Name}: {fault}"));
        faults.ShouldBeEmpty();
    }

    private static async Task<List<string>> FaultsAsync(World world, Scenario scenario)
    {
        var before = (await world.Server.AuditAsync()).Count;
        var answer = await world.Server.SendAsync(
            scenario.Method, world.Fill(scenario.Path), scenario.Body is null ? null : world.Fill(scenario.Body), world.TokenOf(scenario.As), scenario.Change);
        var audit = (await world.Server.AuditAsync()).Skip(before).Select(row => row.Action).Order(StringComparer.Ordinal).ToList(); // those of one transaction have one time
        var faults = new List<string>();
        if (answer.Status != scenario.Status) faults.Add($"status {answer.Status} instead of {scenario.Status}: {answer.Body}");
        foreach (var text in scenario.Has.Select(world.Fill).Where(text => !answer.Body.Contains(text, StringComparison.Ordinal))) faults.Add($"'{text}' is missing in {answer.Body}");
        foreach (var text in scenario.Lacks.Select(world.Fill).Where(text => answer.Body.Contains(text, StringComparison.Ordinal))) faults.Add($"'{text}' leaked in {answer.Body}");
        if (!audit.SequenceEqual(scenario.Audit.Order(StringComparer.Ordinal), StringComparer.Ordinal)) faults.Add($"audited [{string.Join(", ", audit)}] instead of [{string.Join(", ", scenario.Audit)}]");
        return faults;
    }
}
