using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Publishing;
using Agnes.Protocol;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>How the columns of sources drift, as it is noted: the last of each table in the state, every one in the audit.</summary>
internal static class SchemaDrifts
{
    /// <summary>The version that was published has the columns.</summary>
    public const string Taken = "taken";

    /// <summary>The table's contract forbids them; it keeps its version.</summary>
    public const string Refused = "refused";

    /// <summary>The version that was published has the columns of before.</summary>
    public const string LeftOut = "left_out";

    /// <summary>Of changes that are kept for one table.</summary>
    private const int ChangesMax = 100;

    private const string Update = "UPDATE schema_drifts SET seen_at = @SeenAt, outcome = @Outcome, changes = @Changes WHERE name = @Name";
    private const string Insert = "INSERT INTO schema_drifts (name, seen_at, outcome, changes) VALUES (@Name, @SeenAt, @Outcome, @Changes)";
    private const string Delete = "DELETE FROM schema_drifts WHERE lower(name) = lower(@name)";
    private const string Rename = "UPDATE schema_drifts SET name = @after WHERE lower(name) = lower(@before)";

    public static async Task NoteDriftAsync(this StateWrite write, string table, SchemaDrift drift, string outcome)
    {
        var before = write.Current.SchemaDrifts.GetValueOrDefault(table);
        var row = new SchemaDriftRow
        {
            Name = before?.Name ?? table,
            SeenAt = write.Now,
            Outcome = outcome,
            Changes = TextOf(drift),
        };
        await write.ExecuteAsync(before is null ? Insert : Update, row);
        write.Apply(snapshot => snapshot.WithSchemaDrift(row));
        var registered = write.Current.TableByName(table);
        write.Audit(
            null, "schema_drift", registered?.Id ?? table,
            new JsonObject
            {
                ["outcome"] = outcome,
                ["schema_contract"] = registered?.SchemaContract ?? SchemaContract.Evolve,
                ["changes"] = JsonNode.Parse(row.Changes),
            },
            outcome == Refused ? "error" : "ok");
    }

    /// <summary>Whether this is what was noted last.</summary>
    public static bool IsNoted(this Snapshot snapshot, string table, SchemaDrift drift, string outcome) =>
        snapshot.SchemaDrifts.GetValueOrDefault(table) is { } row && row.Outcome == outcome && row.Changes == TextOf(drift);

    public static async Task ForgetDriftAsync(this StateWrite write, string name)
    {
        await write.ExecuteAsync(Delete, new { name });
        write.Apply(snapshot => snapshot.WithoutSchemaDrift(name));
    }

    public static async Task RenameDriftAsync(this StateWrite write, string before, string after)
    {
        if (write.Current.SchemaDrifts.GetValueOrDefault(before) is not { } row) return;
        await write.ExecuteAsync(Rename, new { before, after });
        write.Apply(snapshot => snapshot.WithoutSchemaDrift(before).WithSchemaDrift(row with { Name = after }));
    }

    /// <summary>As the registry shows it to admins; null where the columns have never been others.</summary>
    public static JsonObject? JsonOf(Snapshot snapshot, string table) => snapshot.SchemaDrifts.GetValueOrDefault(table) is not { } row ? null : new JsonObject
    {
        ["seen_at"] = Timestamps.Naive(row.SeenAt),
        ["outcome"] = row.Outcome,
        ["changes"] = JsonNode.Parse(row.Changes),
    };

    /// <summary>For whoever may see the table: what its source has and it does not is none of theirs.</summary>
    public static ColumnsChange? LastTaken(Snapshot snapshot, string table) =>
        snapshot.SchemaDrifts.GetValueOrDefault(table) is { Outcome: Taken } row
            ? new ColumnsChange(Timestamps.Naive(row.SeenAt), [.. JsonNode.Parse(row.Changes)!.AsArray().Select(change => change!.GetValue<string>())])
            : null;

    private static string TextOf(SchemaDrift drift)
    {
        var words = drift.Words;
        var kept = words.Take(ChangesMax).Select(word => (JsonNode?)JsonValue.Create(word));
        if (words.Count > ChangesMax) kept = kept.Append(JsonValue.Create($"and {words.Count - ChangesMax} more"));
        return new JsonArray([.. kept]).ToJsonString();
    }
}
