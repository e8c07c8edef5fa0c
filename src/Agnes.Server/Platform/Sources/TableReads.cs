using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// What the queries of materialized tables read, as it was found when they were registered: for derived tables the names of registered
/// tables, for
/// others the source's own.
/// </summary>
internal static class TableReads
{
    public static string? Write(IReadOnlyList<string> names) => names.Count == 0
        ? null
        : new JsonArray([.. names.Select(name => (JsonNode)JsonValue.Create(name))]).ToJsonString();

    public static IReadOnlyList<string> Of(TableRow row)
    {
        if (row.ReadsTables is null) return [];
        using var list = JsonDocument.Parse(row.ReadsTables);
        return [.. list.RootElement.EnumerateArray().Select(name => name.GetString()!)];
    }

    /// <summary>The way from a derived table over what it reads back to itself, by names; null: there is none.</summary>
    public static IReadOnlyList<string>? CycleOf(Snapshot snapshot, SourceKinds kinds, TableRow row)
    {
        if (snapshot.TableByName(row.Name) is { } other && other.Id != row.Id) return null; // a name that is taken is refused anyway
        var with = snapshot.WithTable(row); // others may name it already, as it was called before or as it is called now
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<(TableRow Row, IReadOnlyList<string> Way)>([(row, [row.Name])]);
        while (open.TryPop(out var at))
        {
            foreach (var read in ReadBy(with, kinds, at.Row))
            {
                IReadOnlyList<string> way = [.. at.Way, read.Name];
                if (read.Id == row.Id) return way;
                if (seen.Add(read.Id)) open.Push((read, way));
            }
        }

        return null;
    }

    /// <summary>
    /// Derived tables so that each comes after those that it reads, in rounds: those of one round do not read each other.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<TableRow>> Rounds(Snapshot snapshot, SourceKinds kinds, IReadOnlyList<TableRow> rows)
    {
        var rounds = new List<IReadOnlyList<TableRow>>();
        var left = rows.ToDictionary(row => row.Id, StringComparer.Ordinal);
        while (left.Count > 0)
        {
            var ready = left.Values.Where(row => !ReachesAny(snapshot, kinds, row, left))
                .OrderBy(row => row.Name, StringComparer.Ordinal).ToList();
            if (ready.Count == 0) ready = [.. left.Values]; // a circle, which registering refuses; each then says what it lacks
            rounds.Add(ready);
            foreach (var row in ready) left.Remove(row.Id);
        }

        return rounds;
    }

    /// <summary>What a derived table reads in the end: registered tables that are pulled from elsewhere.</summary>
    public static IReadOnlyList<TableRow> SourcesOf(Snapshot snapshot, SourceKinds kinds, TableRow row)
    {
        var found = new List<TableRow>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { row.Id };
        var open = new Stack<TableRow>([row]);
        while (open.TryPop(out var at))
        {
            if (kinds.OfType(at.SourceType) is not { IsDerived: true }) found.Add(at);
            foreach (var read in ReadBy(snapshot, kinds, at).Where(read => seen.Add(read.Id))) open.Push(read);
        }

        return found;
    }

    /// <summary>Over tables in between, which may not be due now.</summary>
    private static bool ReachesAny(Snapshot snapshot, SourceKinds kinds, TableRow row, Dictionary<string, TableRow> wanted)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { row.Id };
        var open = new Stack<TableRow>([row]);
        while (open.TryPop(out var at))
        {
            foreach (var read in ReadBy(snapshot, kinds, at).Where(read => seen.Add(read.Id)))
            {
                if (wanted.ContainsKey(read.Id)) return true;
                open.Push(read);
            }
        }

        return false;
    }

    private static IEnumerable<TableRow> ReadBy(Snapshot snapshot, SourceKinds kinds, TableRow row) =>
        kinds.OfType(row.SourceType) is not { IsDerived: true }
            ? []
            : Of(row).Select(name => snapshot.TableByName(name)).OfType<TableRow>();
}
