using Agnes.Engine.Limits.Walls;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Programs of the operator's, as shell scripts: they bring tables, are given their cursor and checkpoint again, and reach nothing else.</summary>
public sealed class CustomConnectorTests(Postgres postgres)
{
    private static readonly string[] Environment =
        ["AGNES_CONNECTOR_NAME", "HOME", "LANG", "PATH", "PWD", "SHLVL", "TMPDIR", "_", "OLDPWD", "SSL_CERT_FILE", "SSL_CERT_DIR"];

    [Fact]
    public async Task A_program_brings_what_is_new_since_its_cursor_and_goes_on_from_its_checkpoint()
    {
        if (OperatingSystem.IsWindows()) return;
        using var programs = new TemporaryFolder();
        Script(programs, "counter", """
            read -r request
            cursor=$(printf '%s' "$request" | sed -n 's/.*"cursor":"\([0-9]*\)".*/\1/p')
            next=$((${cursor:-0} + 1))
            printf 'id,name\n%s,run %s\n0,last seen in run %s\n' $next $next $next > visits.csv
            echo 'a line of its log'
            printf '{"done":{"table":"visits","files":["visits.csv"],"cursor":"%s","merge_by":["id"],"partition_by":"id"}}\n' $next
            """);
        Script(programs, "killed", """
            read -r request
            case "$request" in
            *'"checkpoint":"job-7"'*)
                printf 'job\njob-7\n' > jobs.csv
                echo '{"done":{"table":"jobs_elsewhere","files":["jobs.csv"]}}' ;;
            *)
                echo '{"checkpoint":{"table":"jobs_elsewhere","value":"job-7"}}'
                read -r answer
                [ "$answer" = '{"saved":true}' ] && kill -9 $$ ;;
            esac
            """);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConnectorsDir = programs.Path });
        await AddAsync(shop, "web", "counter", "visits");
        await AddAsync(shop, "batch", "killed", "jobs_elsewhere");

        var first = await shop.SyncAsync();
        first["status"]!.GetValue<string>().ShouldBe("partial");
        shop.Server.State.Snapshot.SyncStates["jobs_elsewhere"].Error!.ShouldContain("The program ended with code 137");
        (await new PullCheckpoints(shop.Server.State).LoadAsync("batch")).ShouldBe(new Dictionary<string, string> { ["jobs_elsewhere"] = "job-7" });
        (await RowsAsync(shop, "SELECT id, name FROM visits ORDER BY id")).ShouldBe("""[[0,"last seen in run 1"],[1,"run 1"]]""");
        (await shop.AsAdminAsync("GET", $"/api/sync/runs/{first["id"]!.GetValue<string>()}/log")).Body.ShouldContain("a line of its log");

        await shop.SyncAsync();
        (await RowsAsync(shop, "SELECT job FROM jobs_elsewhere")).ShouldBe("""[["job-7"]]""");
        (await new PullCheckpoints(shop.Server.State).LoadAsync("batch")).ShouldBeEmpty();
        (await RowsAsync(shop, "SELECT id, name FROM visits ORDER BY id")).ShouldBe("""[[0,"last seen in run 2"],[1,"run 1"],[2,"run 2"]]""");
    }

    [Fact]
    public async Task A_program_is_given_its_secret_by_pipe_and_reaches_nothing_of_the_server()
    {
        if (OperatingSystem.IsWindows()) return;
        using var programs = new TemporaryFolder();
        Script(programs, "spy", """
            read -r request
            hidden=$(printf '%s' "$request" | sed -n 's/.*"address":"\([^"]*\)".*/\1/p')
            secret=$(printf '%s' "$request" | sed -n 's/.*"secret":"\([^"]*\)".*/\1/p')
            sleep 600 &
            printf 'what,value\n' > seen.csv
            printf 'secret,%s\n' "${#secret}" >> seen.csv
            printf 'left,%s\n' "$!" >> seen.csv
            printf 'state,%s\n' "$(cat "$hidden"/* 2>/dev/null | wc -c | tr -d ' ')" >> seen.csv
            printf 'names,%s\n' "$(env | sed 's/=.*//' | grep -v '^DOTNET_' | sort | tr '\n' ' ')" >> seen.csv
            echo '{"done":{"table":"seen","files":["seen.csv"]}}'
            """);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConnectorsDir = programs.Path });
        await AddAsync(shop, "spying", "spy", "seen", $$""","address":"{{shop.Server.StateDir}}" """);
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_SPYING_SECRET", """{"value":"a key"}""")).Status.ShouldBe(204);
        (await shop.AsAdminAsync("GET", "/api/admin/connections")).Body.ShouldContain("\"is_stored\":true");
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");

        var seen = (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT what, value FROM seen"}""")).Json["rows"]!.AsArray()
            .ToDictionary(row => row![0]!.GetValue<string>(), row => row![1]!.GetValue<string>());
        seen["secret"].ShouldBe("5");
        seen["names"].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBeSubsetOf(Environment);
        if (KernelWalls.Here.Landlock > 0) seen["state"].ShouldBe("0");
        await shop.EventuallyAsync(() => !Directory.Exists($"/proc/{seen["left"]}"), "what the program left running has ended");
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/seen")).Status.ShouldBe(204);
        await shop.SyncAsync();
        (await shop.AsAdminAsync("DELETE", "/api/admin/connections/spying")).Status.ShouldBe(204);
        (await shop.AsAdminAsync("GET", "/api/admin/secrets")).Body.ShouldNotContain("SPYING");
    }

    [Fact]
    public async Task A_program_that_hands_over_nonsense_or_is_missing_fails_its_table_and_says_why()
    {
        if (OperatingSystem.IsWindows()) return;
        using var programs = new TemporaryFolder();
        Script(programs, "wrong", """
            read -r request
            ln -s /etc/passwd outside.csv 2>/dev/null
            echo '{"done":{"table":"outside","files":["outside.csv"]}}'
            echo '{"failed":{"name":"known","error":"the source is closed on Sundays"}}'
            echo '{"done":{"table":"climbing","files":["../../state/system.duckdb"]}}'
            echo 'it broke' >&2
            exit 3
            """);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConnectorsDir = programs.Path });
        await AddAsync(shop, "wrongs", "wrong", "outside");
        foreach (var name in (string[])["known", "climbing", "forgotten"]) await RegisterAsync(shop, name, "wrongs");
        (await shop.AsAdminAsync("POST", "/api/admin/connections", """{"name":"none","kind":"custom","settings":{"program":"nowhere"}}""")).Body.ShouldContain("There is no program CONNECTORS_DIR/nowhere/extractor");
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"lost","source_type":"custom"}""")).Status.ShouldBe(422);

        await shop.SyncAsync();
        string ErrorOf(string table) => shop.Server.State.Snapshot.SyncStates[table].Error!;
        ErrorOf("known").ShouldBe("the source is closed on Sundays");
        ErrorOf("forgotten").ShouldBe("The program ended with code 3. It said: it broke");
        shop.Server.State.Snapshot.PublishedTable("outside").ShouldBeNull();
        shop.Server.State.Snapshot.PublishedTable("climbing").ShouldBeNull();
        ErrorOf("climbing").ShouldNotBeEmpty();

        Directory.Delete(Path.Combine(programs.Path, "wrong"), recursive: true);
        await shop.SyncAsync();
        ErrorOf("known").ShouldContain("There is no program CONNECTORS_DIR/wrong/extractor");
    }

    private static async Task AddAsync(Shop shop, string name, string program, string table, string more = "")
    {
        var answer = await shop.AsAdminAsync("POST", "/api/admin/connections", $$"""{"name":"{{name}}","kind":"custom","settings":{"program":"{{program}}"{{more}} } }""");
        answer.Status.ShouldBe(201, answer.Body);
        await RegisterAsync(shop, table, name);
    }

    private static Task RegisterAsync(Shop shop, string table, string connection) =>
        shop.RegisterAsync($$"""{"name":"{{table}}","source_type":"custom","connection":"{{connection}}"}""");

    private static async Task<string> RowsAsync(Shop shop, string sql) =>
        (await shop.AsAdminAsync("POST", "/api/query", $$"""{"sql":"{{sql}}"}""")).Json["rows"]!.ToJsonString();

    private static void Script(TemporaryFolder programs, string name, string text)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(programs.Path, name)).FullName, "extractor.sh");
        File.WriteAllText(file, $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }
}
