using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Import;

/// <summary>The arguments of <c>agnes-server import</c>.</summary>
internal sealed record ImportOptions(string? From, string? DataDir, string? ExtractsDir, string? ConfigFile, string? RegistryFile, string? SourceType, string? PasswordLinks, bool DryRun)
{
    public const string Usage = """
        agnes-server import --from DIR [--dry-run]   takes over an existing installation of schema version 1 to 40

          --from DIR            its data folder (with state/ in it) or its state folder; it must not run, and is only read
          --dry-run             says what would be taken, changed and left, and writes nothing
          --extracts DIR        its folder of extracts, where it does not lie beside the state
          --config FILE         its instance.yaml, where it does not lie beside the data
          --registry FILE       its table_registry.json or data_description.md from before version 1; also without --from
          --source-type TYPE    of the tables of such a file
          --password-links FILE writes a link for everybody who has to set a new password to a file that only you can read
          --data-dir DIR        where this server keeps its data (DATA_DIR, default ./data); the server must not run
        """;

    /// <exception cref="OptionsException">The arguments are wrong.</exception>
    public static ImportOptions Parse(IReadOnlyList<string> args)
    {
        var given = new ImportOptions(null, null, null, null, null, null, null, DryRun: false);
        for (var at = 0; at < args.Count; at++)
        {
            var (name, inline) = args[at].Split('=', 2) is [var left, var right] ? (left, right) : (args[at], null);
            string Value() => inline ?? (++at < args.Count ? args[at] : throw new OptionsException($"{name} needs a value."));
            given = name switch
            {
                "--from" => given with { From = Value() },
                "--data-dir" => given with { DataDir = Value() },
                "--extracts" => given with { ExtractsDir = Value() },
                "--config" => given with { ConfigFile = Value() },
                "--registry" => given with { RegistryFile = Value() },
                "--source-type" => given with { SourceType = Value() },
                "--password-links" => given with { PasswordLinks = Value() },
                "--dry-run" when inline is null => given with { DryRun = true },
                _ => throw new OptionsException($"Unknown argument '{name}'.\n\n{Usage}"),
            };
        }

        return given.From is null && given.RegistryFile is null ? throw new OptionsException($"Where from? Give --from DIR.\n\n{Usage}") : given;
    }
}
