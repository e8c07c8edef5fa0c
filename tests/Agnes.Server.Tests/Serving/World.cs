using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using Agnes.Server.Platform.State;
using Agnes.Testing;

[assembly: AssemblyFixture(typeof(Agnes.Server.Tests.Serving.Worlds))]

namespace Agnes.Server.Tests.Serving;

/// <summary>
/// A server with the people that every scenario is told about: an admin, an analyst who was granted the table <c>orders</c> but not <c>salaries</c>, a deactivated user,
/// and a token that was revoked. Scenarios share it, so they change only what they made themselves.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<Principal, string?> _tokens = [];

    private World(TestServer server) => Server = server;

    public TestServer Server { get; }

    public string this[string name] => _names[name];

    public static async Task<World> NewAsync(StateEngine engine, Postgres postgres)
    {
        var world = new World(await TestServer.StartAsync(engine, postgres));
        await world.FillAsync();
        return world;
    }

    public void Name(string name, string value) => _names[name] = value;

    public string? TokenOf(Principal principal) => _tokens[principal];

    /// <summary>The text with <c>{name}</c> replaced by what this world calls it.</summary>
    public string Fill(string text) => _names.Aggregate(text, (filled, pair) => filled.Replace($"{{{pair.Key}}}", pair.Value, StringComparison.Ordinal));

    public async Task<Answer> AsAdminAsync(string method, string path, string? body = null)
    {
        var answer = await Server.SendAsync(method, Fill(path), body is null ? null : Fill(body), _tokens[Principal.Admin]);
        answer.Status.ShouldBeInRange(200, 299, answer.Body);
        return answer;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private async Task FillAsync()
    {
        _tokens[Principal.Guest] = null;
        _tokens[Principal.Admin] = await Server.SignInAsync();
        _names["admin"] = (await AsAdminAsync("GET", "/auth/me")).Text("id");
        await AddTableAsync("orders", "Orders");
        await AddTableAsync("salaries", "Salaries");

        _names["analyst"] = (await AsAdminAsync("POST", "/api/users", """{"email":"ana@example.com","name":"Ana"}""")).Text("id");
        await AsAdminAsync("POST", "/api/users/{analyst}/set-password", """{"password":"correct horse"}""");
        _tokens[Principal.Analyst] = await Server.SignInAsync("ana@example.com", "correct horse");
        _names["analysts"] = (await AsAdminAsync("POST", "/api/admin/groups", """{"name":"Analysts"}""")).Text("id");
        await AsAdminAsync("POST", "/api/admin/groups/{analysts}/members", """{"email":"ana@example.com"}""");
        _names["grant"] = (await AsAdminAsync("POST", "/api/admin/grants", """{"group_id":"{analysts}","resource_type":"table","resource_id":"orders"}""")).Text("id");

        _names["leaver"] = (await AsAdminAsync("POST", "/api/users", """{"email":"lee@example.com","name":"Lee"}""")).Text("id");
        await AsAdminAsync("POST", "/api/users/{leaver}/set-password", """{"password":"correct horse"}""");
        _tokens[Principal.Deactivated] = await Server.SignInAsync("lee@example.com", "correct horse");
        await AsAdminAsync("POST", "/api/users/{leaver}/deactivate");

        _tokens[Principal.AnalystToken] = await AddTokenAsync(Principal.Analyst, "laptop");
        _tokens[Principal.AdminToken] = await AddTokenAsync(Principal.Admin, "ci");
        _tokens[Principal.Revoked] = await AddTokenAsync(Principal.Analyst, "lost");
        (await Server.SendAsync("DELETE", $"/auth/tokens/{_names["token:lost"]}", token: _tokens[Principal.Analyst])).Status.ShouldBe(204);
    }

    private async Task<string> AddTokenAsync(Principal owner, string name)
    {
        var made = await Server.SendAsync("POST", "/auth/tokens", new JsonObject { ["name"] = name }.ToJsonString(), _tokens[owner]);
        made.Status.ShouldBe(201, made.Body);
        _names[$"token:{name}"] = made.Text("id");
        return made.Text("token");
    }

    private Task AddTableAsync(string id, string name) => Server.State.WriteAsync(async write =>
    {
        var row = new TableRow { Id = id, Name = name, Bucket = "in.c-shop", RegisteredAt = write.Now };
        await write.ExecuteAsync("INSERT INTO table_registry (id, name, bucket, registered_at) VALUES (@Id, @Name, @Bucket, @RegisteredAt)", row);
        write.Apply(snapshot => snapshot.WithTable(row));
        write.Audit(null, "register_table", id);
    });

    /// <summary>As publishing makes one; without files, for what only looks at names.</summary>
    public static PublishedVersion Version(string name, long number) => new()
    {
        Name = name,
        Number = number,
        Source = "test",
        Columns = [new TableColumn("a", "BIGINT")],
        Parts = [new TablePart($"{name}.parquet", new string('a', 64), 1, 1)],
        PartsDigest = "",
    };
}

/// <summary>Who sends a scenario's request.</summary>
internal enum Principal
{
    Guest,
    Analyst,
    AnalystToken,
    Admin,
    AdminToken,
    Revoked,
    Deactivated,
}

/// <summary>One world for each engine, made when first needed.</summary>
public sealed class Worlds : IAsyncDisposable
{
    private readonly Dictionary<StateEngine, Task<World>> _worlds = [];
    private readonly Lock _making = new();

    private Task<TestServer>? _probes;

    /// <summary>A server with endpoints of the tests' own: <see cref="Probes"/>.</summary>
    internal Task<TestServer> ProbesAsync(Postgres postgres)
    {
        lock (_making)
        {
            return _probes ??= TestServer.StartAsync(StateEngine.DuckDb, postgres, map: Probes.Map);
        }
    }

    internal Task<World> OnAsync(StateEngine engine, Postgres postgres)
    {
        lock (_making)
        {
            return _worlds.TryGetValue(engine, out var world) ? world : _worlds[engine] = World.NewAsync(engine, postgres);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_probes is { IsCompletedSuccessfully: true }) await (await _probes).DisposeAsync();
        foreach (var world in _worlds.Values.Where(world => world.IsCompletedSuccessfully)) await (await world).DisposeAsync();
    }
}
