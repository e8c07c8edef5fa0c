using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>
/// <c>POST /api/admin/discover-and-register[?dry_run=true]</c>: registers the tables of the Keboola project that nobody has registered yet,
/// to be materialized whole; of another source that says all that it has at once, the same. What is registered stays as it is, also where it says something else than the project.
/// </summary>
internal static class DiscoverAndRegister
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, TableRegistry registry, SourceKinds kinds, SourceListings listings, string? dry_run = null)
    {
        var isDry = dry_run is "true" or "1";
        var snapshot = context.Snapshot();
        if (kinds.Pulled(snapshot).FirstOrDefault(own => own.Kind.IsListed && own.Name == own.Kind.Name) is not { Kind: var kind })
            return JsonBody.Of(Answer(new Findings(), [], "local", isDry));
        IReadOnlyList<ListedTable> listed;
        try
        {
            listed = await listings.OfAsync(snapshot, kind, kind.Name, context.RequestAborted);
        }
        catch (RemoteException failure)
        {
            return Problem.Detail(StatusCodes.Status502BadGateway, failure.Message);
        }

        var found = new Findings { Source = kind.Name };
        foreach (var table in listed.OrderBy(table => table.Id, StringComparer.Ordinal)) Sort(snapshot, registry, table, found);
        var registered = isDry || found.Rows.Count == 0 ? [] : await registry.RegisterAsync(context.Caller(), found.Rows, context.RequestAborted);
        return JsonBody.Of(Answer(found, registered, kind.Name, isDry));
    }

    private static void Sort(Snapshot snapshot, TableRegistry registry, ListedTable table, Findings found)
    {
        if (table.Id.Length == 0)
        {
            found.Invalid.Add(new JsonObject { ["table_id"] = table.Id, ["name"] = table.Name });
            return;
        }

        var (bucket, name) = Place(table);
        var id = table.Id.ToLowerInvariant().Replace('.', '_').Replace(' ', '_');
        if (snapshot.Table(id) is { } same)
        {
            if (same.Bucket == bucket && same.SourceTable == name) found.Matches++;
            else found.Drift.Add(Drift(table.Id, "same_id_diff_coords", bucket, name, same));
        }
        else if (Holder(snapshot, found, bucket, name) is { } other)
        {
            // Registered by hand, under an id of its own: the table itself is there.
            if (other.Bucket == bucket && other.SourceTable == name) found.Matches++;
            else found.Drift.Add(Drift(table.Id, "name_collision", bucket, name, other));
        }
        else Add(registry, found, id, bucket, name);
    }

    /// <summary>The table that has the name or the place, in the registry or among those that are to be.</summary>
    private static TableRow? Holder(Snapshot snapshot, Findings found, string bucket, string name)
    {
        var known = snapshot.TableByName(name) ?? found.Rows.Find(row => row.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return known ?? snapshot.TablesById.Values.FirstOrDefault(row => row.SourceType == found.Source && row.Bucket == bucket && row.SourceTable == name);
    }

    private static void Add(TableRegistry registry, Findings found, string id, string bucket, string name)
    {
        var body = new JsonObject
        {
            ["name"] = name,
            ["source_type"] = found.Source,
            ["bucket"] = bucket,
            ["source_table"] = name,
            ["query_mode"] = TableRules.ModeMaterialized,
        };
        try
        {
            var row = registry.Read(RequestBody.Of(JsonElement.Parse(body.ToJsonString()), 0)) with { Id = id };
            registry.RefuseUnserved(row);
            registry.RefuseTaken(row);
            found.Rows.Add(row);
        }
        catch (ProblemException fault)
        {
            found.Errors.Add(new JsonObject { ["table_id"] = id, ["status"] = fault.Status, ["detail"] = fault.Detail?.DeepClone() });
        }
    }

    /// <summary>As the listing says it; where it does not, by the id: what follows its last dot is the table.</summary>
    private static (string Bucket, string Name) Place(ListedTable table)
    {
        if (table.BucketId.Length > 0 && table.Name.Length > 0) return (table.BucketId, table.Name);
        var dot = table.Id.LastIndexOf('.');
        return dot < 0 ? ("", table.Id) : (table.Id[..dot], table.Id[(dot + 1)..]);
    }

    private static JsonObject Drift(string id, string kind, string bucket, string name, TableRow registered) => new()
    {
        ["table_id"] = id,
        ["kind"] = kind,
        ["discovery"] = new JsonObject { ["bucket"] = bucket, ["source_table"] = name },
        ["registry"] = new JsonObject { ["bucket"] = registered.Bucket, ["source_table"] = registered.SourceTable },
    };

    private static JsonObject Answer(Findings found, IReadOnlyList<TableRow> registered, string source, bool isDry)
    {
        var answer = new JsonObject
        {
            ["registered"] = registered.Count,
            ["skipped"] = found.Matches,
            ["errors"] = new JsonArray([.. found.Errors]),
            ["drifted"] = found.Drift.Count,
            ["tables"] = Ids(registered),
            ["drift"] = new JsonArray([.. found.Drift]),
            ["invalid"] = new JsonArray([.. found.Invalid]),
            ["source"] = source,
            ["dry_run"] = isDry,
        };
        if (isDry) answer["would_register"] = Ids(found.Rows);
        return answer;
    }

    private static JsonArray Ids(IReadOnlyList<TableRow> rows) => new([.. rows.Select(row => (JsonNode)JsonValue.Create(row.Id))]);

    private sealed class Findings
    {
        public string Source { get; init; } = "";

        /// <summary>To be registered.</summary>
        public List<TableRow> Rows { get; } = [];

        /// <summary>Registered already, as the project has them.</summary>
        public int Matches { get; set; }

        public List<JsonNode?> Drift { get; } = [];

        public List<JsonNode?> Invalid { get; } = [];

        public List<JsonNode?> Errors { get; } = [];
    }
}
