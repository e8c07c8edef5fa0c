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

    private const string NameDefault = "AI Data Analyst";
    private const string IntervalDefault = "1 hour";

    private static readonly Setting Named = Fact("instance.name", NameDefault, "The deployment's name.");
    private static readonly Setting Line = Fact("instance.subtitle", null, "A line beside it.");
    private static readonly Setting Interval = Fact("instance.sync_interval", IntervalDefault, "In words; for texts only.");
    private static readonly Setting Product =
        Fact("instance.brand", BrandDefault, "What texts for agents call the product.", "AGNES_INSTANCE_BRAND");

    private static readonly Setting Workspace = Fact(
        "instance.workspace_dir", null, "The folder that the set-up text makes; letters and digits.", "AGNES_WORKSPACE_DIR_NAME") with
    { PlaceholderFrom = "brand" };

    private static readonly Setting Asked = Fact("instance.admin_email", null, "Whom people and agents ask.", "AGNES_INSTANCE_ADMIN_EMAIL");

    /// <summary>In the form the kinds of sources say what it can be.</summary>
    private static readonly Setting Source =
        Fact("data_source.type", null, "A word for the texts that agents read.", "DATA_SOURCE") with
        { Otherwise = "`local`", IsOffered = false };

    internal static readonly SettingGroup Settings =
        new("What texts for people and agents say", Named, Line, Product, Workspace, Asked, Interval, Source);

    public static InstanceFacts Of(SettingLayers settings)
    {
        string? Given(Setting setting) => settings.Find(setting.Name) is { Length: > 0 } text ? text : null;
        var brand = Given(Product) ?? BrandDefault;
        return new(
            Given(Named) ?? NameDefault,
            Given(Line) ?? "",
            Given(Interval) ?? IntervalDefault,
            Given(Source) ?? "local",
            brand,
            Folder(Given(Workspace) ?? brand),
            Given(Asked) ?? "");
    }

    private static Setting Fact(string key, string? absent, string means, params string[] variables) =>
        new(key, variables) { By = SettableBy.Overlay, Default = absent, Means = means };

    /// <summary>Nothing that a shell could take for more than a name.</summary>
    private static string Folder(string name) => NoFolderName().Replace(name, "") is { Length: > 0 } folder && folder[0] != '-' ? folder : BrandDefault;

    [GeneratedRegex("[^A-Za-z0-9_-]", RegexOptions.CultureInvariant)]
    private static partial Regex NoFolderName();
}
