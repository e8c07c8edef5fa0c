using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

/// <summary>Changes by the hundred in a random order: who may read what is at any time what a model of five plain sets says, by every way of asking.</summary>
public sealed class EffectiveAccessModelTests(Postgres postgres)
{
    private const int Changes = 200;
    private const int LookEvery = 15;
    private static readonly string[] Resources = ["t0", "t1", "t2", "t3", "ghost"];

    [Theory, OnBothEngines]
    public async Task Access_is_what_a_naive_model_says_after_any_sequence_of_changes(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var admin = await server.SignInAsync();
        var seed = engine == StateEngine.DuckDb ? 11 : 12;
        var model = new Model(server, admin, new Random(seed));
        for (var i = 1; i <= Changes; i++)
        {
            var done = await model.ChangeAsync();
            if (i % LookEvery == 0) (await model.DifferencesAsync()).ShouldBeEmpty($"seed {seed}, after change {i}: {done}");
        }

        // What was stored says the same as what was decided from memory.
        await using var reader = await server.State.Store.ReaderAsync(CancellationToken.None);
        (await SnapshotLoader.LoadAsync(reader.Connection, CancellationToken.None)).Differences(server.State.Snapshot).ShouldBeEmpty();
    }

    private sealed class Model(TestServer server, string admin, Random random)
    {
        private readonly Dictionary<string, bool> _users = new(StringComparer.Ordinal); // id → active
        private readonly Dictionary<string, string> _emails = new(StringComparer.Ordinal);
        private readonly HashSet<string> _groups = new(StringComparer.Ordinal);
        private readonly HashSet<(string User, string Group)> _members = [];
        private readonly HashSet<(string Group, string Resource)> _grants = [];
        private readonly HashSet<string> _tables = new(StringComparer.Ordinal);
        private int _made;

        private string AdminGroup => server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;

        private string EveryoneGroup => server.State.Snapshot.GroupByName(Snapshot.EveryoneGroup)!.Id;

        private bool MayRead(string user, string resource) => _users[user] && _members.Any(member => member.User == user && (member.Group == AdminGroup || _grants.Contains((member.Group, resource))));

        public async Task<string> ChangeAsync()
        {
            var (user, group, resource) = (Pick(_users.Keys), Pick(_groups.Append(EveryoneGroup)), Resources[random.Next(Resources.Length)]);
            var target = random.Next(8) == 0 ? AdminGroup : group;
            switch (random.Next(12))
            {
                case 0 or 1 when _users.Count < 12:
                    var email = $"p{_made++}@example.com";
                    var id = (await AskAsync("POST", "/api/users", new JsonObject { ["email"] = email, ["name"] = "P" }, 201)).Text("id");
                    (_users[id], _emails[id]) = (true, email);
                    _members.Add((id, EveryoneGroup));
                    return $"user {email}";
                case 2 when _groups.Count < 6:
                    _groups.Add((await AskAsync("POST", "/api/admin/groups", new JsonObject { ["name"] = $"g{_made++}" }, 201)).Text("id"));
                    return "group";
                case 3 when _groups.Count > 2 && group is not null && _groups.Contains(group):
                    await AskAsync("DELETE", $"/api/admin/groups/{group}", null, 204);
                    _groups.Remove(group);
                    _members.RemoveWhere(member => member.Group == group);
                    _grants.RemoveWhere(grant => grant.Group == group);
                    return "group deleted";
                case 4 when user is not null && random.Next(3) == 0:
                    await AskAsync("DELETE", $"/api/users/{user}", null, 204);
                    _users.Remove(user);
                    _members.RemoveWhere(member => member.User == user);
                    return "user deleted";
                case 5 when user is not null:
                    await AskAsync("POST", $"/api/users/{user}/{(_users[user] ? "deactivate" : "activate")}", null, 200);
                    _users[user] = !_users[user];
                    return "user switched";
                case 6 or 7 when user is not null && target is not null:
                    await AskAsync("POST", $"/api/admin/groups/{target}/members", new JsonObject { ["email"] = _emails[user] }, _members.Add((user, target)) ? 201 : 409);
                    return "member";
                case 8 when user is not null && target is not null && target != EveryoneGroup:
                    await AskAsync("DELETE", $"/api/admin/users/{user}/memberships/{target}", null, _members.Remove((user, target)) ? 204 : 404);
                    return "member removed";
                case 9 when group is not null:
                    await AskAsync("POST", "/api/admin/grants", new JsonObject { ["group_id"] = group, ["resource_type"] = "table", ["resource_id"] = resource }, _grants.Add((group, resource)) ? 201 : 409);
                    return $"grant {resource}";
                case 10 when group is not null:
                    await BulkAsync(group);
                    return "bulk";
                case 11 when resource != "ghost":
                    if (_tables.Remove(resource))
                    {
                        await AskAsync("DELETE", $"/api/admin/registry/{resource}", null, 204);
                        _grants.RemoveWhere(grant => grant.Resource == resource);
                        return $"{resource} unregistered";
                    }

                    await AskAsync("POST", "/api/admin/register-table", new JsonObject { ["name"] = resource, ["source_type"] = "csv", ["source_table"] = $"{resource}.csv" }, 201);
                    _tables.Add(resource);
                    return $"{resource} registered";
                default:
                    return "nothing";
            }
        }

        public async Task<List<string>> DifferencesAsync()
        {
            var found = new List<string>();
            var snapshot = server.State.Snapshot;
            foreach (var (id, active) in _users)
            {
                var user = snapshot.User(id)!;
                var caller = Caller.Of(snapshot, user, CallerKind.Session);
                foreach (var resource in Resources)
                {
                    var (expected, explained) = (MayRead(id, resource), Platform.Access.Access.Explain(snapshot, user, "table", resource));
                    if (explained.Allowed != expected || (active && Platform.Access.Access.CanRead(snapshot, caller, resource) != expected)) found.Add($"{user.Email} on {resource}: {explained}, and not {expected}");
                }

                var scope = Scopes.Tables(snapshot, caller).Select(table => table.Id!).Order(StringComparer.Ordinal);
                var visible = caller.IsAdmin ? _tables : _tables.Where(table => _members.Any(member => member.User == id && _grants.Contains((member.Group, table))));
                if (!scope.SequenceEqual(visible.Order(StringComparer.Ordinal), StringComparer.Ordinal)) found.Add($"{user.Email} sees {string.Join(' ', scope)}, and not {string.Join(' ', visible)}");
            }

            if (Pick(_users.Keys) is { } one)
            {
                var items = (await AskAsync("GET", $"/api/admin/users/{one}/effective-access", null, 200)).Json["items"]!.AsArray().Select(item => item!["resource_id"]!.GetValue<string>());
                var granted = Resources.Where(resource => _members.Any(member => member.User == one && _grants.Contains((member.Group, resource)))).Order(StringComparer.Ordinal);
                if (!items.SequenceEqual(granted, StringComparer.Ordinal)) found.Add($"{_emails[one]} has {string.Join(' ', items)} by the API, and not {string.Join(' ', granted)}");
            }

            var asked = Resources[random.Next(Resources.Length)];
            var holders = (await AskAsync("GET", $"/api/admin/access/holders?id={asked}", null, 200)).Json["people"]!.AsArray()
                .Where(person => person!["allowed"]!.GetValue<bool>() && person["email"]!.GetValue<string>() != TestServer.AdminEmail).Select(person => person!["user_id"]!.GetValue<string>()).Order(StringComparer.Ordinal);
            if (!holders.SequenceEqual(_users.Keys.Where(id => MayRead(id, asked)).Order(StringComparer.Ordinal), StringComparer.Ordinal)) found.Add($"{asked} is held by {string.Join(' ', holders)}");
            return found;
        }

        private async Task BulkAsync(string group)
        {
            var add = Resources.Where(_ => random.Next(3) == 0).ToList();
            var remove = Resources.Except(add, StringComparer.Ordinal).Where(_ => random.Next(2) == 0).ToList();
            static JsonArray Ids(List<string> ids) => new([.. ids.Select(id => (JsonNode)id)]);
            await AskAsync("POST", "/api/admin/grants/bulk", new JsonObject { ["group_id"] = group, ["resource_type"] = "table", ["add"] = Ids(add), ["remove"] = Ids(remove) }, 200);
            foreach (var id in add) _grants.Add((group, id));
            foreach (var id in remove) _grants.Remove((group, id));
        }

        private string? Pick(IEnumerable<string> from) => from.ToList() is { Count: > 0 } list ? list[random.Next(list.Count)] : null;

        private async Task<Answer> AskAsync(string method, string path, JsonObject? body, int status)
        {
            var answer = await server.SendAsync(method, path, body?.ToJsonString(), admin);
            answer.Status.ShouldBe(status, $"{method} {path}: {answer.Body}");
            return answer;
        }
    }
}
