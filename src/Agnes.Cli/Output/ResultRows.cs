using System.Text.Json;

namespace Agnes.Cli.Output;

/// <summary>The rows of a result, one at a time, wherever they come from.</summary>
internal abstract class ResultRows : IDisposable
{
    public abstract IReadOnlyList<string> Columns { get; }

    public abstract bool Read();

    /// <summary>The value as text of the current row; null for NULL.</summary>
    public abstract string? Text(int column);

    /// <summary>Numbers stand right in a grid.</summary>
    public abstract bool IsNumber(int column);

    public abstract void WriteJson(Utf8JsonWriter writer, int column);

    public abstract void Dispose();

    /// <summary>Column names made unique, so that no value is lost where a JSON object is keyed by them.</summary>
    public static IReadOnlyList<string> UniqueNames(IReadOnlyList<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var taken = names.ToHashSet(StringComparer.Ordinal);
        var unique = new string[names.Count];
        for (var index = 0; index < names.Count; index++)
        {
            var name = names[index];
            if (!seen.Add(name))
            {
                var number = 2;
                while (taken.Contains($"{names[index]}_{number}") || seen.Contains($"{names[index]}_{number}")) number++;
                name = $"{names[index]}_{number}";
                seen.Add(name);
            }

            unique[index] = name;
        }

        return unique;
    }
}
