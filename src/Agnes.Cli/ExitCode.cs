namespace Agnes.Cli;

/// <summary>What scripts and hooks rely on.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>Usage errors, refused input, and a program older than the server's minimum.</summary>
    public const int Usage = 2;

    /// <summary>A snapshot that the server's quota refuses.</summary>
    public const int QuotaExceeded = 3;

    /// <summary>A snapshot of that name exists.</summary>
    public const int Exists = 6;

    /// <summary>A snapshot cannot be estimated: no server, or no valid token.</summary>
    public const int Unreachable = 7;

    public const int SnapshotFailed = 9;

    public const int CatalogFailed = 5;
    public const int ServerError = 5;
    public const int NotAllowed = 8;

    /// <summary>128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;
}
