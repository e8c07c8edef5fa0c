using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Agnes.Cli.Settings;

/// <summary>
/// <c>config.yaml</c>: a map of which this program owns the key <c>server</c>. A write changes that one value in the text and leaves all else,
/// comments too, byte for byte.
/// </summary>
internal static class ConfigFile
{
    /// <returns>The value, or null where file or key are missing.</returns>
    /// <exception cref="CliException">The file is not YAML.</exception>
    public static string? Read(string path, string key)
    {
        if (!File.Exists(path)) return null;
        return Find(File.ReadAllText(path), key, path)?.Value;
    }

    public static async Task SetAsync(string path, string key, string value, CancellationToken cancellation)
    {
        var text = File.Exists(path) ? await File.ReadAllTextAsync(path, cancellation) : "";
        var quoted = Quote(value);
        if (Find(text, key, path) is { } found)
        {
            text = string.Concat(text.AsSpan(0, (int)found.Start.Index), quoted, text.AsSpan((int)found.End.Index));
        }
        else
        {
            if (text.Length > 0 && !text.EndsWith('\n')) text += "\n";
            text += $"{key}: {quoted}\n";
        }

        await AtomicFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), ownerOnly: false, cancellation);
    }

    private static Scalar? Find(string text, string key, string path)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            if (!parser.MoveNext() || parser.Current is not StreamStart) return null;
            if (!parser.MoveNext() || parser.Current is not DocumentStart) return null;
            if (!parser.MoveNext() || parser.Current is not MappingStart { Style: var style })
            {
                throw new CliException($"{path} must hold a map such as 'server: https://agnes.example.com'.") { Hint = "Correct the file, or remove it and sign in again." };
            }

            while (parser.MoveNext() && parser.Current is Scalar name)
            {
                if (!parser.MoveNext()) return null;
                if (name.Value == key && parser.Current is Scalar value && style != YamlDotNet.Core.Events.MappingStyle.Flow) return value;
                parser.SkipThisAndNestedEvents(stayOnLast: true);
            }

            return null;
        }
        catch (YamlException problem)
        {
            throw new CliException($"{path} is not readable YAML: line {problem.Start.Line}: {problem.Message}") { Hint = "Correct the file, or remove it and sign in again." };
        }
    }

    private static void SkipThisAndNestedEvents(this IParser parser, bool stayOnLast)
    {
        var depth = 0;
        do
        {
            depth += parser.Current switch { MappingStart or SequenceStart => 1, MappingEnd or SequenceEnd => -1, _ => 0 };
            if (depth == 0 && stayOnLast) return;
        }
        while (parser.MoveNext());
    }

    private static string Quote(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '/' or '.' or '-' or '_') && !value.EndsWith(':')
            ? value
            : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
}
