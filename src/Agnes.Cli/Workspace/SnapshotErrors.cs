using Agnes.Cli.Api;

namespace Agnes.Cli.Workspace;

/// <summary>What a refused estimate or scan means to a script.</summary>
internal static class SnapshotErrors
{
    /// <param name="table">What was asked for, for the next command.</param>
    public static CliException Of(ApiResponse answer, string table, SnapshotPurpose purpose = SnapshotPurpose.New)
    {
        var code = (purpose, answer.Status) switch
        {
            (_, >= 500) => ExitCode.ServerError,
            (_, 403) => ExitCode.NotAllowed,
            (SnapshotPurpose.Refresh, _) => ExitCode.Usage,
            (_, 401) => ExitCode.Unreachable,
            // A table that does not exist and one that is not granted are the same to whoever asks.
            (_, 404) => ExitCode.NotAllowed,
            (_, 429) => ExitCode.QuotaExceeded,
            (_, 400 or 422) => ExitCode.Usage,
            _ => ExitCode.SnapshotFailed,
        };
        var failure = answer.Failure(code);
        if (failure.Message.Contains("unknown column", StringComparison.Ordinal) || failure.Message.Contains("unknown_column", StringComparison.Ordinal)) failure.Hint = $"Its columns: agnes schema {table}";
        else if (answer.Status is 403 or 404) failure.Hint = "Yours are: agnes catalog. To get another one, ask an admin.";
        return failure;
    }
}
