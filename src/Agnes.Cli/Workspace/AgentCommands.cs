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

    public const string UpdatePlugins = """
        ---
        description: Bring the company's plugins for this workspace up to date
        allowed-tools: Bash(agnes refresh-marketplace:*)
        ---

        Run `agnes refresh-marketplace` and show its output as it comes.

        - When plugins were installed or updated, suggest to type `/reload-plugins`.
        - When it fails, report the exact error. Two common remedies: `agnes refresh-marketplace --bootstrap` where there is no clone yet,
          `agnes auth import-token --token -` where the token is missing or expired.

        """;
}
