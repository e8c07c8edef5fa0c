namespace Agnes.Cli;

/// <summary>A failure whose text is meant for the person (or agent) at the prompt. Everything else that escapes is a defect and goes to the log.</summary>
internal sealed class CliException(string message, int exitCode = ExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>What to do next, printed on its own line.</summary>
    public string? Hint { get; set; }

    /// <summary>The message is a block that already says "Error".</summary>
    public bool IsBlock { get; init; }
}
