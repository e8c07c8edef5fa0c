namespace Agnes.Connectors.Jira;

/// <summary>What files of issues are called: spec/02 §7.3 and 7.5.</summary>
public static class JiraAttachment
{
    private const int NameCharactersMax = 150;

    /// <summary>Of the file below its issue's folder; null where the id is none. Whatever a sender calls a file, it stays in that folder.</summary>
    public static string? FileName(string? id, string? name)
    {
        if (!JiraKey.IsId(id)) return null;
        var plain = string.Concat((name ?? "").Select(character => character is '/' or '\\' || char.IsControl(character) ? '_' : character));
        if (plain.Length > NameCharactersMax) plain = plain[^NameCharactersMax..]; // its end says what it is
        return $"{id}_{plain}";
    }

    /// <summary>The place in a tree of a thousand issues a folder.</summary>
    public static string Hierarchical(string key, string fileName)
    {
        var number = key[(key.LastIndexOf('-') + 1)..];
        return number.Length == 0 || !number.All(char.IsAsciiDigit) ? $"other/{key}/{fileName}"
            : $"{(number.Length > 3 ? number[..^3] : "0")}/{(number.Length > 3 ? number[^3..] : number)}/{fileName}";
    }
}
