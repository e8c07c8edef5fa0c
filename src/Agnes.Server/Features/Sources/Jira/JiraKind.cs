using Agnes.Server.Platform.Sources;


namespace Agnes.Server.Features.Sources.Jira;

/// <summary>Jira, as another program brings it.</summary>
internal sealed class JiraKind : SourceKind
{
    public override string Name => "jira";

    public override string Title => "Jira";

    public override string Section => "jira";
}
