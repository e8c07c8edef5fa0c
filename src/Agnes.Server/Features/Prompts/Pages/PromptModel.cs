namespace Agnes.Server.Features.Prompts.Pages;

/// <summary>The editor of one text for agents.</summary>
/// <param name="Api">Where it is saved, and reset.</param>
/// <param name="Source">The admin's template, or the shipped one where there is none.</param>
/// <param name="ETag">Of what was loaded: a change of somebody else meanwhile is not overwritten.</param>
public sealed record PromptModel(PromptTexts Texts, string Api, string Source, string Shipped, string ETag, bool IsOverridden, bool HasPrevious)
{
    public DateTime? UpdatedAt { get; init; }

    public string? UpdatedBy { get; init; }

    /// <summary>As the reader would get it; empty where it cannot be rendered.</summary>
    public string Preview { get; init; } = "";

    /// <summary>Why it cannot be rendered.</summary>
    public string? Problem { get; init; }

    /// <summary>Commands in it that do not exist any more.</summary>
    public IReadOnlyList<string> Legacy { get; init; } = [];

    /// <summary>What a template may name, with what it is for the reader.</summary>
    public IReadOnlyList<(string Name, string Value)> Places { get; init; } = [];
}

/// <summary>What the page says about itself.</summary>
public sealed record PromptTexts(string Title, string Href, string About, string Reset)
{
    public static readonly PromptTexts Workspace = new(
        "Workspace instructions", "/admin/workspace-prompt",
        "The CLAUDE.md of every workspace: an agent reads it at the start of each session. It is written by agnes init, for each person about the tables that they may read.",
        "Use the shipped instructions again? Yours can be restored afterwards.");

    public static readonly PromptTexts Setup = new(
        "Set-up text", "/admin/agent-prompt",
        "What people paste into their coding agent to set up a laptop. It stands on the page /setup, which everybody can open. {server_url} and {token} are filled in there.",
        "Use the shipped text again? Yours can be restored afterwards.");

    public static readonly IReadOnlyList<PromptTexts> All = [Workspace, Setup];
}
