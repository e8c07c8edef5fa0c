using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Events;

/// <summary>
/// What is known of each thing, one JSON file each, in a folder. Read when an event meets it, written back after a batch of events; what was there before is replaced
/// by a rename.
/// </summary>
public sealed class Documents(string folder)
{
    private const int TextBytes = 1 << 16;
    private const int TextKeptMax = 4 << 20;

    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonDocumentOptions Lenient = new() { AllowDuplicateProperties = true, MaxDepth = 128 };
    private readonly Dictionary<string, JsonObject?> _loaded = new(StringComparer.Ordinal); // of one batch
    private readonly Dictionary<string, HashSet<string>> _changed = new(StringComparer.Ordinal);

    private readonly HashSet<string> _unsaved = new(StringComparer.Ordinal);
    private readonly List<string> _left = []; // of _unsaved, in the order in which they were left
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal); // of which there was no file
    private readonly DocumentNames _names = new(Path.Combine(folder, ".names"));
    private ArrayBufferWriter<byte> _text = new(TextBytes);
    private Utf8JsonWriter? _json;

    /// <summary>Called before each file is written, with its path: for tests, in which it fails there.</summary>
    internal Action<string>? Writing { get; set; }

    /// <summary>What the batch was about: by key, the months that its rows are in or ever were.</summary>
    public IReadOnlyDictionary<string, HashSet<string>> Changed => _changed;

    /// <param name="key">The caller has proven that it can be the name of a file.</param>
    /// <returns>Null: nothing is known.</returns>
    public JsonObject? Find(string key)
    {
        if (_loaded.TryGetValue(key, out var known)) return known;
        JsonObject? document = null;
        try
        {
            document = JsonNode.Parse(File.ReadAllBytes(PathOf(key)), documentOptions: Lenient) as JsonObject ?? throw new JsonException($"{key}.json is no object.");
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            _absent.Add(key); // nothing is known of it yet
        }
        catch (JsonException)
        {
            // A crash of the machine may leave a file without its bytes. It is kept aside, and what comes from now on is known.
            File.Move(PathOf(key), PathOf(key) + ".damaged", overwrite: true);
            _absent.Add(key);
        }

        return _loaded[key] = document;
    }

    /// <summary>
    /// Its rows are written anew. To be called for whatever an event is about, also where it says nothing new: after a kill documents may be ahead of the runs, and what
    /// is folded again must bring the same rows.
    /// </summary>
    /// <param name="months">That its rows are in or ever were.</param>
    /// <param name="isChanged">It is as it is now from here on.</param>
    /// <param name="isLeft">What it was goes on under another key: it is written after that one, so that no kill finds neither.</param>
    public void Put(string key, JsonObject document, IEnumerable<string> months, bool isChanged, bool isLeft = false)
    {
        _loaded[key] = document;
        if (isChanged)
        {
            _unsaved.Add(key);
            _left.Remove(key);
            if (isLeft) _left.Add(key);
        }

        if (!_changed.TryGetValue(key, out var known)) _changed[key] = known = new HashSet<string>(StringComparer.Ordinal);
        known.UnionWith(months);
    }

    /// <summary>The key of the document that something is in that has another, lasting name.</summary>
    /// <param name="id">The caller has proven that it can be the name of a file.</param>
    public string? KeyOf(string id) => _names.Find(id);

    public void SetKey(string id, string key) => _names.Set(id, key);

    /// <summary>Writes what changed, and forgets everything.</summary>
    public void Save()
    {
        if (_unsaved.Count > 0) Directory.CreateDirectory(folder);
        foreach (var key in _unsaved.Except(_left)) Write(key, _loaded[key]!);
        foreach (var key in Enumerable.Reverse(_left)) Write(key, _loaded[key]!);
        Writing?.Invoke(folder);
        _names.Save(); // after the documents: a name that leads nowhere would be worse than none
        _unsaved.Clear();
        _left.Clear();
        _absent.Clear();
        _changed.Clear();
        _loaded.Clear();
    }

    private string PathOf(string key) => Path.Combine(folder, key + ".json");

    private void Write(string key, JsonObject document)
    {
        Writing?.Invoke(PathOf(key));
        _text.ResetWrittenCount();
        _json ??= new Utf8JsonWriter(_text, Indented);
        _json.Reset(_text);
        document.WriteTo(_json);
        _json.Flush();
        if (_absent.Contains(key)) WriteFile(PathOf(key), _text.WrittenSpan); // what a kill leaves of it is damaged, and folded again
        else Replace(PathOf(key), _text.WrittenSpan);
        if (_text.Capacity > TextKeptMax) (_text, _json) = (new ArrayBufferWriter<byte>(TextBytes), null);
    }

    private static void Replace(string path, ReadOnlySpan<byte> text)
    {
        WriteFile(path + ".tmp", text);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static void WriteFile(string path, ReadOnlySpan<byte> text)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None);
        RandomAccess.Write(file, text, 0);
    }
}
