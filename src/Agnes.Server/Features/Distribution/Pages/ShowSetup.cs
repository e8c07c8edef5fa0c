using Agnes.Server.Features.Prompts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Distribution.Pages;

/// <summary><c>GET /setup</c>: from nothing to a first answer, for a person or for the agent they paste it to.</summary>
internal static class ShowSetup
{
    public static async Task<IResult> HandleAsync(HttpContext context, ServerOptions options, CliPackages packages, SetupPrompt prompt, TimeProvider time)
    {
        var server = ShowInstaller.Address(context, options);
        var caller = context.CallerOrNull();
        var text = await prompt.RenderAsync(context.Snapshot(), caller, server, context.RequestAborted);
        return Page.Show<SetupPage>(new SetupModel(server, [.. packages.Current().Select(package => $"{package.Rid} ({package.Version})")], text)
        {
            IsSignedIn = caller is not null,
            CanCreate = caller is { Kind: not CallerKind.Token },
            TokenName = $"Laptop, {time.GetUtcNow():yyyy-MM-dd}",
        });
    }
}

/// <param name="Platforms">What the server offers the command line for; empty where it has none.</param>
/// <param name="AgentPrompt">With <c>{token}</c> where the browser puts a fresh token; the server never renders one.</param>
public sealed record SetupModel(string Server, IReadOnlyList<string> Platforms, string AgentPrompt)
{
    public bool IsSignedIn { get; init; }

    /// <summary>Not for callers who came with a token.</summary>
    public bool CanCreate { get; init; }

    public string TokenName { get; init; } = "";

    public string Unix => $"curl -fsSL {Server}/cli/install.sh | bash";

    public string Windows => $"irm {Server}/cli/install.ps1 | iex";

    /// <summary>Reads the token from a variable, so that it stays out of the shell's history and of the list of processes.</summary>
    public string Init => $"agnes init --server-url {Server}";
}
