using System.Text.Json.Nodes;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>What is kept for a table by its id: grants, and whatever features keep. It ends with the table, so that a later one under that id starts closed and unknown.</summary>
internal sealed class TableBelongings(Belongings belongings)
{
    /// <returns>How many grants there were.</returns>
    public async Task<int> DropAsync(StateWrite write, string id)
    {
        await belongings.EndTableAsync(write, id);
        return await GrantStore.EndResourceAsync(write, Access.Access.TableType, id);
    }

    /// <summary>Of a published table that nobody registered. Nobody asked for it, so the log says why.</summary>
    public async Task DropUnregisteredAsync(StateWrite write, string name, string reason)
    {
        if (write.Current.TableByName(name) is not null || write.Current.Table(name) is not null) return;
        var count = await DropAsync(write, name);
        if (count > 0) write.Audit(null, "resource_grant.deleted", $"table:{name}", new JsonObject { ["resource_type"] = Access.Access.TableType, ["resource_id"] = name, ["grants"] = count, ["reason"] = reason });
    }
}
