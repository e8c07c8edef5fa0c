using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Agnes.Cli.Api;

/// <summary>An answer that is JSON and not what an Agnes server says: another service at the address, or one between.</summary>
internal static class WrongAnswer
{
    public static CliException Because(string problem) =>
        new($"The server's answer is not what it should be: {problem}") { Hint = "Is AGNES_SERVER (or config.yaml) the address of an Agnes server?" };

    /// <summary>What reading an answer without a type throws where a field is missing or of another kind. Files of this machine are read with types.</summary>
    /// <returns>Null where it is something else.</returns>
    public static CliException? From(Exception problem) =>
        problem is KeyNotFoundException or InvalidOperationException or FormatException && problem.Source?.StartsWith("System.Text.Json", StringComparison.Ordinal) == true ? Because(problem.Message.Split('\n', 2)[0]) : null;

    /// <summary>The reader leaves out what is missing. Texts may be (older servers do not have all of them); lists and what is in them are what an answer is made of.</summary>
    /// <exception cref="JsonException">One is missing.</exception>
    public static void RequireWhole(object value, JsonTypeInfo type)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                foreach (var property in type.Properties)
                {
                    if (property.Get is not { } get || property.PropertyType.IsValueType || property.PropertyType == typeof(string)) continue;
                    if (get(value) is { } inner) RequireWhole(inner, type.Options.GetTypeInfo(property.PropertyType));
                    else if (!property.IsGetNullable) throw new JsonException($"'{property.Name}' is missing");
                }

                break;
            case JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary when type.ElementType is { IsValueType: false } element:
                foreach (var item in type.Kind == JsonTypeInfoKind.Dictionary ? ((IDictionary)value).Values : (IEnumerable)value) RequireWhole(item ?? throw new JsonException("a list holds nothing where something should be"), type.Options.GetTypeInfo(element));
                break;
        }
    }
}
