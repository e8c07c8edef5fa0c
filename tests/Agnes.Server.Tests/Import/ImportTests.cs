using System.Diagnostics;
using System.Text.Json.Nodes;
using Agnes.Server.Commands.Import;
using Agnes.Server.Features.Sources.BigQuery;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.Import;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ImportTests(Postgres postgres)
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "agnes-server");

    /// <summary>Per fixture: who may read which tables afterwards, which is never more than before.</summary>
    private static readonly Dictionary<string, string[]> Readers = new(StringComparer.Ordinal)
    {
        // The roles decide; nothing is public, since that was not known yet. The second Ana was a younger account whose e-mail differs in case only.
        ["v01"] = ["ana@example.com: orders", "kim@example.com: orders", "root@example.com: *", "vera@example.com: orders customers"],

        // core.admin by a role that implies it counts; a role left in users.role does not. A table whose is_public is NULL is not public. Ana has a bucket.
        ["v09"] = ["ana@example.com: orders customers calendar", "ben@example.com: calendar", "boss@example.com: *", "(lee@example.com): orders calendar", "root@example.com: *"],

        // Ben was put by hand into a group that a directory fills, and is permitted salaries.
        ["v13"] = ["ana@example.com: calendar", "ben@example.com: calendar salaries", "root@example.com: *"],

        // Groups and grants alone. Nobody is a member of Everyone, so its grant reaches nobody.
        ["v19"] = ["ana@example.com: orders", "ben@example.com: ", "(lee@example.com): orders", "root@example.com: *"],
        ["v35"] = ["ana@example.com: orders", "ben@example.com: ", "(lee@example.com): orders", "root@example.com: *"],
        ["v40"] = ["ana@example.com: orders", "ben@example.com: ", "(lee@example.com): orders", "root@example.com: *"],
    };

    /// <summary>The oldest and the newest; those between them are long.</summary>
    public static TheoryData<string> Fixtures => [.. Readers.Keys.Select(version =>
        version is "v01" or "v40" ? new TheoryDataRow<string>(version) : new TheoryDataRow<string>(version).WithTrait("Runs", "long"))];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task An_installation_of_any_version_is_taken_over_a_second_time_changes_nothing_and_a_killed_one_is_completed(string fixture)
    {
        using var install = new ForeignInstall(fixture);
        var target = install.Target();
        var before = Hashes(install.From);
        var first = await install.ImportAsync(target);
        first.Code.ShouldBe(0, first.Output);
        (await Imported.ReadersAsync(target)).ShouldBe(Readers[fixture]);
        var rows = await Imported.RowsAsync(target);
        rows.Count(row => row.StartsWith("audit a-", StringComparison.Ordinal)).ShouldBe(600);
        rows.ShouldContain(row => row.StartsWith("extracts/erp/extract.duckdb ", StringComparison.Ordinal));
        rows.ShouldNotContain(row => row.Contains("stolen", StringComparison.Ordinal) || row.Contains("linked", StringComparison.Ordinal));
        first.Output.ShouldContain("a symbolic link: erp/data/stolen.parquet");
        first.Output.ShouldContain("root@example.com"); // by name: has a hash that cannot be checked, or was made an admin

        var second = await install.ImportAsync(target);
        second.Code.ShouldBe(0, second.Output);
        second.Output.ShouldNotContain("taken: ");
        (await Imported.RowsAsync(target)).ShouldBe(rows);
        Hashes(install.From).ShouldBe(before, "the other installation is only read");
        if (fixture is not ("v01" or "v40")) return; // a campaign kills it a hundred times
        await KilledAsync(install, fixture);
        (await Imported.RowsAsync(install.Target("cut"))).ShouldBe(rows);
    }

    /// <summary>Kills the program in the middle, each fixture at another place, and runs it again.</summary>
    private static async Task KilledAsync(ForeignInstall install, string fixture)
    {
        var cut = install.Target("cut");
        var mark = Path.Combine(cut, "state", "import.unfinished");
        using (var import = Process.Start(new ProcessStartInfo(Program, ["import", "--from", install.From, "--data-dir", cut]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!)
        {
            var sign = fixture == "v01" ? mark : Path.Combine(cut, "extracts", "erp");
            while (!Path.Exists(sign) && !import.HasExited) await Task.Delay(1);
            import.Kill();
            await import.WaitForExitAsync();
        }

        if (File.Exists(mark)) Should.Throw<StateRefusedException>(() => UnfinishedImport.Refuse(ServerOptions.From(["--data-dir", cut], _ => null))).Message.ShouldContain("Run it again");
        var again = await install.ImportAsync(cut);
        again.Code.ShouldBe(0, again.Output);
        File.Exists(mark).ShouldBeFalse();
    }

    [Theory]
    [InlineData("v09")]
    public async Task A_dry_run_says_what_an_import_would_do_and_writes_nothing(string fixture)
    {
        using var install = new ForeignInstall(fixture);
        var target = install.Target();
        var dry = await install.ImportAsync(target, "--dry-run");
        dry.Code.ShouldBe(0, dry.Output);
        Directory.Exists(target).ShouldBeFalse();
        var real = await install.ImportAsync(target);
        Counts(dry.Output).ShouldBe(Counts(real.Output));
        var rows = await Imported.RowsAsync(target);
        (await install.ImportAsync(target, "--dry-run")).Output.ShouldNotContain("taken: ");
        (await Imported.RowsAsync(target)).ShouldBe(rows);
    }

    [Fact]
    public async Task Into_postgresql_it_takes_the_same_and_a_second_time_nothing()
    {
        using var install = new ForeignInstall("v40");
        var (shared, url) = (install.Target("shared"), await postgres.NewDatabaseAsync());
        var first = await install.ImportAsync(shared, url, []);
        first.Code.ShouldBe(0, first.Output);
        (await Imported.ReadersAsync(shared, url)).ShouldBe(Readers["v40"]);
        var rows = await Imported.RowsAsync(shared, url);
        rows.Count(row => row.StartsWith("audit a-", StringComparison.Ordinal)).ShouldBe(600);
        rows.ShouldContain("preference u-ana orders true");
        (await install.ImportAsync(shared, url, [])).Output.ShouldNotContain("taken: ");
        (await Imported.RowsAsync(shared, url)).ShouldBe(rows);
    }

    [Fact]
    public async Task What_people_wrote_about_their_data_comes_along_and_what_was_written_here_stays()
    {
        using var install = new ForeignInstall("v40");
        var target = install.Target();
        var first = await install.ImportAsync(target);
        var rows = await Imported.RowsAsync(target);
        rows.ShouldContain("""metric revenue/mrr MRR ["Orders"] ["plan"] SELECT count(*) FROM "Orders" {"by_day":"SELECT id, count(*) FROM \u0022Orders\u0022 GROUP BY 1"}""");
        rows.Where(row => row.StartsWith("column ", StringComparison.Ordinal)).ShouldBe(["column orders id INTEGER the number on the bill high ai"]);
        rows.Where(row => row.StartsWith("template ", StringComparison.Ordinal)).ShouldBe(["template claude_md # Data of {{ instance.name }} # Before root@example.com"]);
        first.Output.ShouldContain("left: 1 metric definitions: the id 'No/Id' is not");
        first.Output.ShouldContain("left: 1 column descriptions: the table is not here: gone.a");
        first.Output.ShouldContain("left: 1 texts for agents: nothing here shows it; keep the old database: home");

        await using (var state = await Imported.OpenAsync(target))
        {
            await state.WriteAsync(write => write.ExecuteAsync("UPDATE instance_templates SET content = 'ours' WHERE key = 'claude_md'"));
        }

        (await install.ImportAsync(target)).Output.ShouldContain("left: 1 texts for agents: another text was written here; it stays: claude_md");
        (await Imported.RowsAsync(target)).ShouldContain("template claude_md ours # Before root@example.com");
    }

    [Fact]
    public async Task Texts_from_when_each_had_a_table_of_its_own_and_tables_without_a_source_type_are_understood()
    {
        using var install = new ForeignInstall("v35");
        using (var connection = new DuckDBConnection($"Data Source={Path.Combine(install.State, "system.duckdb")}"))
        {
            connection.Open();
            connection.ExecuteUnprepared("""
                UPDATE schema_version SET version = 28; DROP TABLE instance_templates;
                CREATE TABLE claude_md_template (id INTEGER PRIMARY KEY DEFAULT 1, content TEXT, updated_at TIMESTAMP, updated_by VARCHAR);
                INSERT INTO claude_md_template VALUES (1, 'ours', NULL, 'root@example.com');
                CREATE TABLE welcome_template (id INTEGER PRIMARY KEY DEFAULT 1, content TEXT, updated_at TIMESTAMP, updated_by VARCHAR);
                INSERT INTO welcome_template VALUES (1, '{% if %}', NULL, NULL);
                INSERT INTO table_registry (id, name, bucket, source_table) VALUES ('in.c-x.a', 'kept', 'in.c-x', 'a'), ('loose', 'loose', NULL, 'loose.csv');
                INSERT INTO table_registry (id, name, query_mode, source_query) VALUES ('q', 'q', 'materialized', 'SELECT 1');
                """);
        }

        var target = install.Target();
        var done = await install.ImportAsync(target);
        (await Imported.RowsAsync(target)).ShouldContain("template claude_md ours - root@example.com");
        done.Output.ShouldContain("left: 1 texts for agents: it cannot be read here");
        await using var state = await Imported.OpenAsync(target);
        string? TypeOf(string id) => state.Snapshot.Table(id)!.SourceType;
        (TypeOf("in.c-x.a"), TypeOf("q"), TypeOf("loose")).ShouldBe(("keboola", "bigquery", null));
    }

    [Fact]
    public async Task Tokens_and_passwords_go_on_working_and_whose_cannot_be_checked_sets_a_new_one_by_link()
    {
        using var install = new ForeignInstall("v40");
        var (target, links) = (install.Target(), Path.Combine(install.From, "links.txt"));
        var report = await install.ImportAsync(target, "--password-links", links);
        report.Output.ShouldContain("cannot be checked here (1): root@example.com");
        File.GetUnixFileMode(links).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var link = File.ReadAllLines(links).Single(line => line.StartsWith("root@example.com\t", StringComparison.Ordinal)).Split('\t')[1];
        report.Output.ShouldNotContain(link[^20..]);

        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { DataDir = target, StateDir = Path.Combine(target, "state"), EveryoneByHand = true, SeedAdminEmail = null, SeedAdminPassword = null });
        (await server.SendAsync("GET", "/auth/me", token: ForeignInstall.Token)).Text("email").ShouldBe("ana@example.com");
        (await server.SignInAsync("ana@example.com", "whatever it was")).ShouldNotBeEmpty();
        const string Old = """{"email":"root@example.com","password":"whatever it was"}""";
        (await server.SendAsync("POST", "/auth/token", Old)).Status.ShouldBe(401);
        var token = link[(link.IndexOf("token=", StringComparison.Ordinal) + 6)..];
        var set = await server.SendAsync("POST", "/auth/password/setup", new JsonObject { ["email"] = "root@example.com", ["token"] = token, ["password"] = "correct horse" }.ToJsonString());
        set.Status.ShouldBe(200, set.Body);
        (await server.SignInAsync("root@example.com", "correct horse")).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task What_is_no_file_is_left_as_is_what_the_other_installation_may_not_decide_here()
    {
        using var install = new ForeignInstall("v40");
        foreach (var file in (string[])[Path.Combine(install.State, ".jwt_secret"), Path.Combine(install.State, "instance.yaml"), Path.Combine(install.From, "extracts", "erp", "data", "pipe.parquet")])
        {
            File.Delete(file);
            using var made = Process.Start("mkfifo", [file]);
            await made.WaitForExitAsync();
        }

        Directory.CreateDirectory(Path.Combine(install.From, "src_data", "metadata", "table_registry.json"));
        File.WriteAllText(Path.Combine(install.State, ".env_overlay"), "JWT_SECRET_KEY=0123456789abcdef0123456789abcdef0123\nAGNES_ALLOW_ANY_DOMAIN=1\nKEBOOLA_STORAGE_TOKEN=abc\n");
        using (var connection = new DuckDBConnection($"Data Source={Path.Combine(install.State, "system.duckdb")}"))
        {
            connection.Open();
            connection.ExecuteUnprepared("INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix) VALUES ('t-esc', 'u-gone', chr(27) || '[2J', 'x', 'x')");
        }

        var target = install.Target();
        var done = await install.ImportAsync(target).WaitAsync(TimeSpan.FromMinutes(1)); // nobody writes into the pipes
        done.Code.ShouldBe(0, done.Output);
        done.Output.ShouldContain("no plain file, or cannot be read");
        done.Output.ShouldContain("erp/data/pipe.parquet");
        done.Output.ShouldContain("left: 2 stored secrets: it decides how the server runs or who gets in");
        done.Output.ShouldNotContain("\e", customMessage: "a name must not steer the terminal");
        File.ReadAllText(Path.Combine(target, "state", ".env_overlay")).ShouldBe("KEBOOLA_STORAGE_TOKEN=abc\n");
    }

    [Fact]
    public async Task What_is_no_such_installation_is_refused_and_nothing_is_written()
    {
        using var install = new ForeignInstall("v40");
        var target = install.Target();
        foreach (var (sql, text) in ((string, string)[])[("UPDATE schema_version SET version = 41", "41"), ("DROP TABLE schema_version", "no schema version")])
        {
            using (var connection = new DuckDBConnection($"Data Source={Path.Combine(install.State, "system.duckdb")}"))
            {
                connection.Open();
                connection.ExecuteUnprepared(sql);
            }

            var refused = await install.ImportAsync(target);
            (refused.Code, refused.Output.Contains(text, StringComparison.Ordinal)).ShouldBe((1, true), refused.Output);
            Directory.Exists(Path.Combine(target, "state")).ShouldBeFalse();
        }

        File.WriteAllText(Path.Combine(install.State, "system.duckdb"), "no database at all, but long enough to be looked at as one");
        (await install.ImportAsync(target)).Code.ShouldBe(1);
        File.Delete(Path.Combine(install.State, "system.duckdb"));
        File.CreateSymbolicLink(Path.Combine(install.State, "system.duckdb"), "/etc/passwd");
        var linked = await install.ImportAsync(target);
        (linked.Code, linked.Output.Contains("symbolic link", StringComparison.Ordinal)).ShouldBe((1, true), linked.Output);
        Directory.Exists(Path.Combine(target, "state")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_registry_from_before_there_was_a_state_is_read_too()
    {
        using var install = new ForeignInstall("v40");
        var (json, markdown, target) = (Path.Combine(install.From, "r.json"), Path.Combine(install.From, "r.md"), install.Target());
        File.WriteAllText(json, """{"tables":[{"id":"in.c-crm.leads","name":"leads","primary_key":["id"],"description":"who asked"},{"id":"orders","name":"x"},{"name":"plain"},{}]}""");
        File.WriteAllText(markdown, "# Data\n\n```yaml\ntables:\n  - id: in.c-crm.calls\n    description: who called\n  - id: nowhere\n```\n\n```sql\nSELECT 1\n```\n");
        (await install.ImportAsync(target, "--registry", json, "--source-type", "keboola")).Output.ShouldContain("taken: 2 tables of the registry file");
        (await install.ImportAsync(target, "--registry", markdown)).Output.ShouldContain("taken: 1 tables of the registry file");
        await using var state = await Imported.OpenAsync(target);
        var leads = state.Snapshot.Table("in.c-crm.leads")!;
        (leads.Name, leads.Bucket, leads.SourceTable, leads.SourceType, leads.RegisteredBy, leads.PrimaryKey).ShouldBe(("leads", "in.c-crm", "leads", "keboola", "migration", """["id"]"""));
        var calls = state.Snapshot.Table("in.c-crm.calls")!;
        (calls.Name, calls.SourceType).ShouldBe(("calls", "keboola"), "its id says so, and no file bears such a name");
        state.Snapshot.Table("nowhere").ShouldBeNull("nothing says what it is of");
        state.Snapshot.Table("orders")!.Name.ShouldBe("Orders");
    }

    [Theory]
    [InlineData("""SELECT * FROM bq."ds"."t" WHERE a = 'bq."x"."y"' -- bq."x"."y" """, """SELECT * FROM `p.ds.t` WHERE a = 'bq."x"."y"' -- bq."x"."y" """)]
    [InlineData("""SELECT "bq"."a"."b", xbq."c"."d" FROM `bq."e"."f"`""", """SELECT "bq"."a"."b", xbq."c"."d" FROM `bq."e"."f"`""")]
    [InlineData("""/* bq."a"."b" */ BQ."my ds"."t-1"JOIN bq."ds" """, """/* bq."a"."b" */ `p.my ds.t-1`JOIN bq."ds" """)]
    public void Table_names_of_old_queries_are_rewritten_where_they_are_names(string before, string after)
    {
        QuotedQueries.Rewrite(before, "p", out var found).ShouldBe(after);
        found.ShouldBe(before != after);
    }

    private static List<string> Counts(string output) => [.. output.Split('\n').Where(line => line.StartsWith("taken: ", StringComparison.Ordinal))];

    private static List<string> Hashes(string folder) =>
    [
        .. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"),
    ];
}
