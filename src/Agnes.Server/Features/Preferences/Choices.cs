using System.Text.Json;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <param name="Key">What it is stored under: the table's id.</param>
internal sealed record Choice(string Key, bool IsTable);

/// <summary>What a request says about datasets, and which of them the asker may say something about.</summary>
internal static class Choices
{
    public const string ModeDefault = "all";
    private const int DatasetsMax = 1_000;
    private const int NameCharsMax = 256;

    /// <summary>An object of names and booleans; a missing one is a fault.</summary>
    public static Dictionary<string, bool> Read(RequestBody body, string field)
    {
        var choices = new Dictionary<string, bool>(StringComparer.Ordinal);
        var given = body.Element(field);
        if (given.ValueKind != JsonValueKind.Object || given.GetPropertyCount() > DatasetsMax)
        {
            body.Refuse(field, $"Input should be an object of at most {DatasetsMax} names");
            return choices;
        }

        foreach (var entry in given.EnumerateObject())
        {
            if (entry.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) body.Refuse(field, $"'{entry.Name}' must be true or false");
            else choices[entry.Name] = entry.Value.GetBoolean();
        }

        return choices;
    }

    /// <summary>
    /// What a name stands for, if the asker may choose it: admins whatever has a name, everybody else what they may read. All spellings of one table are one choice.
    /// </summary>
    public static Choice? Of(Snapshot snapshot, Caller caller, string dataset)
    {
        if (dataset.Length is 0 or > NameCharsMax || dataset.Contains('\0', StringComparison.Ordinal)) return null;
        var table = NamedTable.Resolve(snapshot, caller, dataset);
        if (table is null) return caller.IsAdmin ? new Choice(dataset.ToLowerInvariant(), IsTable: false) : null;
        return caller.IsAdmin || Access.CanRead(snapshot, caller, table) ? new Choice(table.Id ?? table.Name, IsTable: true) : null;
    }
}
