using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Server.Commands.Import;

/// <summary>What an import took, changed and left: by count and by name.</summary>
internal sealed class ImportReport
{
    private const int NamesShownMax = 20;
    private readonly SortedDictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _present = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(string Kind, string What), List<string>> _changed = new();
    private readonly SortedDictionary<(string Kind, string Why), List<string>> _left = new();

    public int Version { get; set; }

    public IReadOnlyDictionary<string, int> Taken => _taken;

    public IReadOnlyDictionary<string, int> Present => _present;

    /// <summary>People whose password cannot be checked here: e-mails.</summary>
    public SortedSet<string> NeedPassword { get; } = new(StringComparer.Ordinal);

    public void Take(string kind, int count = 1) => _taken[kind] = _taken.GetValueOrDefault(kind) + count;

    /// <summary>It was taken by an import before this one.</summary>
    public void Find(string kind, int count = 1) => _present[kind] = _present.GetValueOrDefault(kind) + count;

    public void Change(string kind, string name, string what) => Add(_changed, (kind, what), name);

    public void Leave(string kind, string name, string why) => Add(_left, (kind, why), name);

    public JsonObject ToJson() => new()
    {
        ["schema_version"] = Version,
        ["taken"] = Counts(_taken),
        ["already_there"] = Counts(_present),
        ["changed"] = Notes(_changed, "what"),
        ["left"] = Notes(_left, "why"),
        ["need_password"] = new JsonArray([.. NeedPassword.Select(email => (JsonNode)email)]),
    };

    public IEnumerable<string> Lines()
    {
        yield return $"An installation of schema version {Version}.";
        foreach (var (kind, count) in _taken) yield return $"taken: {count} {kind}";
        foreach (var (kind, count) in _present) yield return $"already there: {count} {kind}";
        foreach (var ((kind, what), names) in _changed) yield return $"changed: {names.Count} {kind}: {what}: {Shown(names)}";
        foreach (var ((kind, why), names) in _left) yield return $"left: {names.Count} {kind}: {why}: {Shown(names)}";
        if (NeedPassword.Count == 0) yield break;
        yield return $"Who has to set a new password, since theirs cannot be checked here ({NeedPassword.Count}): {Shown([.. NeedPassword])}";
        yield return "Give each a link: agnes admin reset-password EMAIL; or all at once: run this again with --password-links FILE.";
    }

    private static string Shown(IReadOnlyList<string> names) =>
        $"{string.Join(", ", names.Take(NamesShownMax).Select(Printable))}{(names.Count <= NamesShownMax ? "" : $" and {names.Count - NamesShownMax} more")}";

    /// <summary>Names are the other installation's: none may steer the terminal.</summary>
    private static string Printable(string name) => string.Concat(name.Select(character => char.IsControl(character) || char.GetUnicodeCategory(character) == UnicodeCategory.Format ? '?' : character));

    private static void Add(SortedDictionary<(string, string), List<string>> notes, (string, string) key, string name)
    {
        if (!notes.TryGetValue(key, out var names)) notes[key] = names = [];
        names.Add(name);
    }

    private static JsonObject Counts(SortedDictionary<string, int> counts) => new(counts.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));

    private static JsonArray Notes(SortedDictionary<(string Kind, string Text), List<string>> notes, string text) => new(
    [
        .. notes.Select(note => (JsonNode)new JsonObject
        {
            ["kind"] = note.Key.Kind,
            [text] = note.Key.Text,
            ["count"] = note.Value.Count,
            ["names"] = new JsonArray([.. note.Value.Select(name => (JsonNode)name)]),
        }),
    ]);
}
