namespace Agnes.Server.Platform.Config;

/// <summary>The few arguments of the web server. Both <c>--name value</c> and <c>--name=value</c> are understood.</summary>
internal sealed record Arguments(string? DataDir, string? Urls, string? Role, bool Demo)
{
    public const string Usage = """
        agnes-server [--data-dir DIR] [--urls URL[;URL]] [--role all|web|jobs|scheduler] [--demo]

          --data-dir DIR   where tables and state live (DATA_DIR, default ./data)
          --urls URL       addresses to listen on (ASPNETCORE_URLS, default http://localhost:8000)
          --role ROLE      what this process does (AGNES_ROLE, default all)
          --demo           fill an empty server with sample tables (AGNES_DEMO)
        """;

    public static Arguments Parse(IReadOnlyList<string> args)
    {
        var parsed = new Arguments(null, null, null, false);
        for (var at = 0; at < args.Count; at++)
        {
            var (name, inline) = args[at].Split('=', 2) is [var left, var right] ? (left, right) : (args[at], null);
            string Value() => inline ?? (++at < args.Count ? args[at] : throw new OptionsException($"{name} needs a value."));
            parsed = name switch
            {
                "--data-dir" => parsed with { DataDir = Value() },
                "--urls" => parsed with { Urls = Value() },
                "--role" => parsed with { Role = Value() },
                "--demo" when inline is null => parsed with { Demo = true },
                _ => throw new OptionsException($"Unknown argument '{name}'.\n\n{Usage}"),
            };
        }

        return parsed;
    }
}
