namespace Agnes.Emulators.OAuth;

/// <summary>Who sits in front of the issuer's sign-in page.</summary>
public sealed record Person(string Subject, string? Email)
{
    /// <summary>Null leaves the claim out, as some issuers do.</summary>
    public bool? EmailVerified { get; init; } = true;

    public string Name { get; init; } = "Pat Person";

    /// <summary>Google's <c>hd</c>: the Workspace domain; null for private accounts.</summary>
    public string? HostedDomain { get; init; }

    /// <summary>What the <c>groups</c> claim holds; null leaves it out.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>Claims besides, e.g. <c>upn</c>.</summary>
    public IReadOnlyDictionary<string, string> More { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
