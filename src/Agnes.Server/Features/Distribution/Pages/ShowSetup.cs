using Agnes.Server.Platform.Config;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Distribution.Pages;

/// <summary><c>GET /setup</c>: from nothing to a first answer, for a person or for the agent they paste it to.</summary>
internal static class ShowSetup
{
    public static IResult Handle(HttpContext context, ServerOptions options, CliPackages packages)
    {
        var server = ShowInstaller.Address(context, options);
        return Page.Show<SetupPage>(new SetupModel(server, [.. packages.Current().Select(package => $"{package.Rid} ({package.Version})")]));
    }
}

/// <param name="Platforms">What the server offers the command line for; empty where it has none.</param>
public sealed record SetupModel(string Server, IReadOnlyList<string> Platforms)
{
    public string Unix => $"curl -fsSL {Server}/cli/install.sh | bash";

    public string Windows => $"irm {Server}/cli/install.ps1 | iex";

    /// <summary>Reads the token from a variable, so that it stays out of the shell's history and of the list of processes.</summary>
    public string Init => $"agnes init --server-url {Server}";

    /// <summary>Safe to run again at any step.</summary>
    public string AgentPrompt =>
        $"""
        Set up this empty folder as an Agnes workspace. Each step may be repeated. Do not switch off TLS checks; if a certificate is refused, stop and say so.
        1. `agnes --version`; if the command is missing: `{Unix}` (Windows: `{Windows}` in PowerShell).
        2. Ask me for a token from {Server}/tokens and have me set it as AGNES_TOKEN; do not print it.
        3. `{Init}`
        4. `agnes catalog`, then `agnes catalog --metrics`
        5. `agnes status`
        Then tell me which tables and metrics there are, and that I should restart my agent in this folder.
        """;
}
