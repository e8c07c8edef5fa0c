namespace Agnes.Cli.Workspace;

/// <summary>Commands that the user types at the agent's prompt: <c>.claude/commands/*.md</c>.</summary>
internal static class AgentCommands
{
    public const string Private = """
        ---
        description: Keep this session private: its transcript is not uploaded
        allowed-tools: Bash(agnes mark-private)
        ---

        !`agnes mark-private`

        From now on `agnes push` skips the transcript of this session. Tell the user so in one sentence, and do nothing else.

        """;
}
