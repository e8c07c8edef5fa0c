using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>What is kept for a table by its id: grants, words about its columns, its profile. It ends with the table, so that a later one under that id starts closed and unknown.</summary>
internal static class TableBelongings
{
    /// <returns>How many grants there were.</returns>
    public static async Task<int> DropAsync(StateWrite write, string id)
    {
        await ColumnMetadataStore.DropAsync(write, id);
        await TableProfileStore.DropAsync(write, id);
        var grants = write.Current.GrantsOn(Access.Access.TableType, id).Values.ToList();
        if (grants.Count == 0) return 0;
        await write.ExecuteAsync(RegistrySql.DeleteGrants, new { id });
        foreach (var grant in grants) write.Apply(snapshot => snapshot.WithoutGrant(grant.Id));
        return grants.Count;
    }

    /// <summary>Of a published table that nobody registered. Nobody asked for it, so the log says why.</summary>
    public static async Task DropUnregisteredAsync(StateWrite write, string name, string reason)
    {
        if (write.Current.TableByName(name) is not null || write.Current.Table(name) is not null) return;
        var count = await DropAsync(write, name);
        if (count > 0) write.Audit(null, "resource_grant.deleted", $"table:{name}", new JsonObject { ["resource_type"] = Access.Access.TableType, ["resource_id"] = name, ["grants"] = count, ["reason"] = reason });
    }
}
