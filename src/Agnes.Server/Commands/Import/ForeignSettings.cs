using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>What the other installation's configuration says about its tables.</summary>
/// <param name="Find">A variable of this command's environment, or a dotted key of the other installation's configuration.</param>
internal sealed record ForeignSettings(Func<string, string?> Find)
{
    public static readonly ForeignSettings None = new(static _ => null);

    public static ForeignSettings Of(Installation from, Func<string, string?> variables) => new(name => Look(from, variables, name));

    /// <summary>
    /// What a table that says no source type is of. A sign of some kind's own counts whatever the installation's own type is; without any sign it is unknown, never
    /// a file by that alone.
    /// </summary>
    public string? TypeOf(TableRow table, SourceKinds kinds) =>
        table.SourceType ?? kinds.All.FirstOrDefault(kind => kind.Recognises(table))?.Name ?? Find("DATA_SOURCE") ?? Find("data_source.type");

    private static string? Look(Installation from, Func<string, string?> variables, string name)
    {
        if (!name.Contains('.')) return variables(name) is { Length: > 0 } given ? given : null;
        var overlay = Path.Combine(from.StateDir, InstanceConfig.FileName);
        foreach (var file in ((string?[])[overlay, from.ConfigFile]).OfType<string>().Where(Installation.IsPlain))
        {
            try
            {
                Func<string, string?> known = file == overlay ? static _ => null : variables; // the overlay's texts are the admins' of that installation
                var found = InstanceConfig.At(InstanceConfig.ReadFile(file) ?? [], name) as JsonValue;
                if (References.Resolve(found, known, static _ => { })?.ToString() is { Length: > 0 } text) return text;
            }
            catch (FormatException)
            {
                // Said where the configuration is taken.
            }
        }

        return null;
    }
}
