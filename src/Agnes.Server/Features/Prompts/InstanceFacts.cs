using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Prompts;

/// <summary>What the instance says of itself in texts for people and agents: from <c>instance.yaml</c> and its overlay, read at the start.</summary>
/// <param name="Brand">The product's name in those texts.</param>
/// <param name="WorkspaceDir">The folder below a user's home that the set-up text makes; letters, digits, <c>_</c> and <c>-</c>, since a shell reads it.</param>
/// <param name="AdminEmail">Whom to ask; empty when not said.</param>
internal sealed partial record InstanceFacts(string Name, string Subtitle, string SyncInterval, string DataSourceType, string Brand, string WorkspaceDir, string AdminEmail)
{
    private const string BrandDefault = "Agnes";

    public static InstanceFacts Of(InstanceConfig config, Func<string, string?> environment)
    {
        string? Setting(string variable, string path) => environment(variable) is { Length: > 0 } set ? set : config.Text(path);
        var brand = Setting("AGNES_INSTANCE_BRAND", "instance.brand") ?? BrandDefault;
        return new(
            config.Text("instance.name") ?? "AI Data Analyst",
            config.Text("instance.subtitle") ?? "",
            config.Text("instance.sync_interval") ?? "1 hour",
            Setting("DATA_SOURCE", "data_source.type") ?? "local",
            brand,
            Folder(Setting("AGNES_WORKSPACE_DIR_NAME", "instance.workspace_dir") ?? brand),
            Setting("AGNES_INSTANCE_ADMIN_EMAIL", "instance.admin_email") ?? "");
    }

    /// <summary>Nothing that a shell could take for more than a name.</summary>
    private static string Folder(string name) => NoFolderName().Replace(name, "") is { Length: > 0 } folder && folder[0] != '-' ? folder : BrandDefault;

    [GeneratedRegex("[^A-Za-z0-9_-]", RegexOptions.CultureInvariant)]
    private static partial Regex NoFolderName();
}
