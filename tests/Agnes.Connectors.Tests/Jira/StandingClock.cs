namespace Agnes.Connectors.Tests.Jira;

/// <summary>It is noon, and stays so.</summary>
internal sealed class StandingClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
}
