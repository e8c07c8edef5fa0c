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
        return Page.Show<SetupPage>(new SetupModel(server, [.. packages.Current().Select(package => (package.Rid, package.Version))], text)
        {
            FromSource = options.CliDistDir == SourceTree.DistDir,
            IsSignedIn = caller is not null,
            CanCreate = caller is { Kind: not CallerKind.Token },
            TokenName = $"Laptop, {time.GetUtcNow():yyyy-MM-dd}",
        });
    }
}

/// <param name="Platforms">What the server offers the command line for; empty where it has none.</param>
/// <param name="AgentPrompt">With <c>{token}</c> where the browser puts a fresh token; the server never renders one.</param>
public sealed record SetupModel(string Server, IReadOnlyList<(string Rid, string Version)> Platforms, string AgentPrompt)
{
    /// <summary>Whoever runs the server can pack the command line beside it.</summary>
    public bool FromSource { get; init; }

    public string? PackCommand => FromSource && Platforms.Count == 0 ? SourceTree.PackHere : null;

    public bool IsSignedIn { get; init; }

    /// <summary>Not for callers who came with a token.</summary>
    public bool CanCreate { get; init; }

    public string TokenName { get; init; } = "";

    /// <summary>Null where there is nothing that it could install.</summary>
    public string? Unix => Platforms.Any(platform => !IsWindows(platform.Rid)) ? $"curl -fsSL {Server}/cli/install.sh | bash" : null;

    /// <inheritdoc cref="Unix"/>
    public string? Windows => Platforms.Any(platform => IsWindows(platform.Rid)) ? $"irm {Server}/cli/install.ps1 | iex" : null;

    /// <summary>Reads the token from a variable, so that it stays out of the shell's history and of the list of processes.</summary>
    public string Init => $"agnes init --server-url {Server}";

    private static bool IsWindows(string rid) => rid.StartsWith("win-", StringComparison.Ordinal);
}
