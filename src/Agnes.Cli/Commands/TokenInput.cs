using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands;

/// <summary>A token given as text, by <c>-</c> on the standard input, in a file, or in the environment.</summary>
internal static class TokenInput
{
    private const int CharactersMax = 16 << 10;

    public static async Task<string?> ReadAsync(string? text, string? file, CancellationToken cancellation)
    {
        var given = text == "-" ? await ReadAllAsync(Terminal.In, cancellation) : text;
        if (given is null && file is not null)
        {
            if (!File.Exists(file)) throw new CliException($"There is no file '{file}'.", ExitCode.Usage);
            using var reader = new StreamReader(file);
            given = await ReadAllAsync(reader, cancellation);
        }

        given ??= Environment.GetEnvironmentVariable("AGNES_TOKEN");
        given = given?.Trim();
        if (string.IsNullOrEmpty(given)) return null;
        if (given.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) throw new CliException("A token has no spaces or line breaks inside.", ExitCode.Usage);
        return given;
    }

    private static async Task<string> ReadAllAsync(TextReader reader, CancellationToken cancellation)
    {
        var buffer = new char[CharactersMax + 1];
        var count = await reader.ReadBlockAsync(buffer, cancellation);
        return count <= CharactersMax ? new string(buffer, 0, count) : throw new CliException($"A token is at most {CharactersMax} characters.", ExitCode.Usage);
    }
}
