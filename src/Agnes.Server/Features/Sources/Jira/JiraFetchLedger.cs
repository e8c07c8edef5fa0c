using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>An issue that could not be fetched.</summary>
internal sealed record FailedFetch(string Key, string Why, DateTimeOffset At);

/// <summary>
/// How far the journal's deliveries are fetched, in a file beside the journal: it is a fact of this disk. One that cannot be read costs
/// questions that were asked already, nothing else.
/// </summary>
internal sealed class JiraFetchLedger
{
    private const string FileName = "_fetches.json";
    private const int FailedMax = 100;
    private readonly string _path;
    private readonly LinkedList<FailedFetch> _failed = []; // FailedMax
    private bool _isChanged;

    private JiraFetchLedger(string path) => _path = path;

    /// <summary>Everything before it is fetched, or given up.</summary>
    public long Position { get; private set; }

    /// <summary>What was given up last, newest last.</summary>
    public IReadOnlyList<FailedFetch> Failed
    {
        get
        {
            lock (_failed) return [.. _failed];
        }
    }

    public static JiraFetchLedger Open(string folder)
    {
        var ledger = new JiraFetchLedger(Path.Combine(folder, FileName));
        try
        {
            if (JsonNode.Parse(File.ReadAllText(ledger._path)) is JsonObject known) ledger.Take(known);
        }
        catch (Exception fault) when (fault is IOException or JsonException or InvalidOperationException or FormatException)
        {
            ledger.Position = 0; // there is none, or a crash cut it off
        }

        return ledger;
    }

    public void Add(FailedFetch failed)
    {
        lock (_failed)
        {
            _failed.AddLast(failed);
            if (_failed.Count > FailedMax) _failed.RemoveFirst();
        }

        _isChanged = true;
    }

    /// <summary>Written when it says something new.</summary>
    public void Save(long position)
    {
        if (position == Position && !_isChanged) return;
        (Position, _isChanged) = (position, false);
        var failed = new JsonArray([.. Failed.Select(one => (JsonNode)new JsonObject { ["key"] = one.Key, ["why"] = one.Why,
            ["at"] = one.At.ToString("O") })]);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllText(_path + ".tmp", new JsonObject { ["position"] = position, ["failed"] = failed }.ToJsonString());
        File.Move(_path + ".tmp", _path, overwrite: true);
    }

    private void Take(JsonObject known)
    {
        Position = (long?)known["position"] ?? 0;
        foreach (var one in (known["failed"] as JsonArray ?? []).OfType<JsonObject>().TakeLast(FailedMax))
        {
            var at = DateTimeOffset.Parse((string)one["at"]!, System.Globalization.CultureInfo.InvariantCulture);
            _failed.AddLast(new FailedFetch((string)one["key"]!, (string)one["why"]!, at));
        }
    }
}
