using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.Preferences;
using Agnes.Server.Features.Prompts;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>
/// Writes a plan's rows, a few hundred in a transaction. What is there under the same id stays as it is, so that an import that was cut off, or is repeated, adds just what is missing.
/// </summary>
internal sealed class ImportRows(StateDb state, ImportReport report)
{
    private const int RowsPerWrite = 200;
    private readonly Dictionary<string, string> _groupIds = new(StringComparer.Ordinal);
    private readonly HashSet<string> _users = new(StringComparer.Ordinal);

    public async Task WriteAsync(ImportPlan plan, CancellationToken stop)
    {
        await EachAsync("users", plan.Users, AddUserAsync, stop);
        await EachAsync("groups", plan.Groups, AddGroupAsync, stop);
        await EachAsync("memberships", plan.Memberships, AddMembershipAsync, stop);
        await EachAsync("tables", plan.Tables, AddTableAsync, stop);
        await EachAsync("grants", plan.Grants, AddGrantAsync, stop);
        await EachAsync("tokens", plan.Tokens, AddTokenAsync, stop);
        await EachAsync("preferences", plan.Preferences, AddPreferenceAsync, stop);
        await EachAsync("metric definitions", plan.Metrics, async (write, row) => await MetricStore.ImportAsync(write, row) ? Outcome.Done : Outcome.There, stop);
        await EachAsync("column descriptions", plan.Columns, AddColumnAsync, stop);
        await EachAsync("texts for agents", plan.Templates, AddTemplateAsync, stop);
    }

    public Task WriteTablesAsync(IReadOnlyList<TableRow> tables, CancellationToken stop) => EachAsync("tables of the registry file", tables, AddTableAsync, stop);

    /// <summary>The unit may run more than once, so what it finds goes into the report only when its transaction is through.</summary>
    private async Task EachAsync<T>(string kind, IReadOnlyList<T> rows, Func<StateWrite, T, Task<Outcome>> add, CancellationToken stop)
    {
        foreach (var chunk in rows.Chunk(RowsPerWrite))
        {
            var outcomes = await state.WriteAsync(
                async write =>
                {
                    var done = new List<Outcome>(chunk.Length);
                    foreach (var row in chunk) done.Add(await add(write, row));
                    return done;
                },
                stop);
            foreach (var outcome in outcomes)
            {
                if (outcome.Left is { } why) report.Leave(kind, outcome.Name, why);
                else if (outcome.Taken) report.Take(kind);
                else report.Find(kind);
            }
        }
    }

    private async Task<Outcome> AddUserAsync(StateWrite write, UserRow user)
    {
        if (write.Current.User(user.Id) is not null)
        {
            _users.Add(user.Id);
            return Outcome.There;
        }

        if (write.Current.UserByEmail(user.Email) is not null) return new Outcome(user.Email, false, "another account here has the e-mail; accounts are not merged");
        await UserStore.InsertAsync(write, user);
        if (!user.Active) await UserStore.UpdateAsync(write, user);
        _users.Add(user.Id);
        return Outcome.Done;
    }

    private async Task<Outcome> AddGroupAsync(StateWrite write, GroupRow group)
    {
        if ((write.Current.Group(group.Id) ?? write.Current.GroupByName(group.Name)) is { } known)
        {
            // Both system groups are here from the start, under ids of their own. Any other group of the same name is somebody's: its members were not asked.
            if (known.Id != group.Id && !ImportPlan.IsSystem(group.Name)) return new Outcome(group.Name, false, "another group here has the name");
            _groupIds[group.Id] = known.Id;
            return Outcome.There;
        }

        await GroupStore.InsertAsync(write, group);
        _groupIds[group.Id] = group.Id;
        return Outcome.Done;
    }

    private async Task<Outcome> AddMembershipAsync(StateWrite write, MembershipRow row)
    {
        if (!_users.Contains(row.UserId) || !_groupIds.TryGetValue(row.GroupId, out var group)) return new Outcome($"{row.UserId} in {row.GroupId}", false, "the user or the group was not taken");
        if (write.Current.MembershipsOf(row.UserId).Any(known => known.GroupId == group && known.Source == row.Source)) return Outcome.There;
        await MembershipStore.InsertAsync(write, row with { GroupId = group });
        return Outcome.Done;
    }

    private async Task<Outcome> AddTableAsync(StateWrite write, TableRow table)
    {
        if (write.Current.Table(table.Id) is not null) return Outcome.There;
        if (write.Current.TableByName(table.Name) is not null) return new Outcome($"{table.Name} ({table.Id})", false, "another table here has the name");
        await write.ExecuteAsync(RegistrySql.Insert, table);
        write.Apply(snapshot => snapshot.WithTable(table));
        return Outcome.Done;
    }

    private async Task<Outcome> AddGrantAsync(StateWrite write, GrantRow grant)
    {
        var name = $"{grant.ResourceType} {grant.ResourceId} to {grant.GroupId}";
        if (!_groupIds.TryGetValue(grant.GroupId, out var group)) return new Outcome(name, false, "the group was not taken");
        if (write.Current.Grant(group, grant.ResourceType, grant.ResourceId) is not null) return Outcome.There;
        if (write.Current.Grant(grant.Id) is not null) return new Outcome(name, false, "another grant here has the id");
        await GrantStore.InsertAsync(write, grant with { GroupId = group });
        return Outcome.Done;
    }

    private async Task<Outcome> AddTokenAsync(StateWrite write, ImportedToken token)
    {
        if (write.Current.Token(token.Row.Id) is not null) return Outcome.There;
        if (!_users.Contains(token.Row.UserId)) return new Outcome($"{token.Row.Name} ({token.Row.Id})", false, "its owner was not taken");
        await TokenStore.ImportAsync(write, token.Row, token.LastUsedAt, token.LastUsedIp);
        return Outcome.Done;
    }

    private async Task<Outcome> AddPreferenceAsync(StateWrite write, PreferenceRow row)
    {
        if (!_users.Contains(row.UserId)) return new Outcome($"{row.Dataset} of {row.UserId}", false, "the user was not taken");
        return await PreferenceStore.ImportAsync(write, row) ? Outcome.Done : Outcome.There;
    }

    private static async Task<Outcome> AddColumnAsync(StateWrite write, ColumnMetadataRow row)
    {
        if (write.Current.Table(row.TableId) is null) return new Outcome($"{row.TableId}.{row.ColumnName}", false, "the table is not here");
        return await ColumnMetadataStore.ImportAsync(write, row) ? Outcome.Done : Outcome.There;
    }

    private static async Task<Outcome> AddTemplateAsync(StateWrite write, TemplateRow row) => await TemplateStore.ImportAsync(write, row) switch
    {
        true => Outcome.Done,
        false => Outcome.There,
        null => new Outcome(row.Key, false, "another text was written here; it stays"),
    };

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Outcome(string Name, bool Taken, string? Left)
    {
        public static readonly Outcome Done = new("", Taken: true, null);
        public static readonly Outcome There = new("", Taken: false, null);
    }
}
