using System.Text.RegularExpressions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary><c>docs/operator/walls.md</c> lists every way in, every folder and every secret with its rule: what is there but not listed fails here.</summary>
public sealed partial class EverythingIsListedTests(Postgres postgres)
{
    private static readonly string[] Reading = ["GET", "HEAD", "OPTIONS"];
    private static readonly string Page = File.ReadAllText(Path.Combine(Root(), "docs/operator/walls.md"));

    [Fact]
    public async Task Every_way_in_has_its_rule_in_the_list()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var routes = server.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();
        var declared = Rows("Ways in", 0).Select(row => row[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var kind in routes.Select(route => route.Metadata.GetMetadata<EndpointAccess>()!).Distinct())
            declared.ShouldContain(kind is EndpointAccess.TableAccess ? "access to a table" : kind.Description);

        var listed = Rows("Ways in", 1).ToDictionary(row => row[0].Trim('`'), row => row[1], StringComparer.Ordinal);
        var open = routes.Where(route => route.Metadata.GetMetadata<EndpointAccess>() is EndpointAccess.PublicAccess)
            .SelectMany(route => (route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Except(Reading).Select(method => (Name: $"{method} {route.RoutePattern.RawText}", Route: route)))
            .ToDictionary(way => way.Name, way => way.Route, StringComparer.Ordinal);
        open.Keys.ShouldBe(listed.Keys, ignoreOrder: true);
        foreach (var (name, route) in open)
            listed[name].Split(':')[0].ShouldBe(route.Metadata.GetMetadata<CallLimit>() is { } limit ? $"{limit.PerMinute}" : "no limit", name);

        var program = File.ReadAllText(Path.Combine(Root(), "src/Agnes.Server/Program.cs"));
        var commands = Command().Matches(program).Select(match => match.Groups[1].Value).Where(word => !word.StartsWith('-')).Concat(Agnes.Connectors.WorkerRoles.All.Keys).ToList();
        commands.Count.ShouldBeGreaterThan(5);
        foreach (var command in commands) Page.ShouldContain(command, customMessage: "a command of agnes-server");
    }

    [Fact]
    public async Task Every_folder_that_the_server_makes_is_listed_and_its_user_s_alone()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        Directory.CreateDirectory(Path.Combine(shop.DataDir, "csv"));
        await File.WriteAllTextAsync(Path.Combine(shop.DataDir, "csv", "t.csv"), "a\n1\n", TestContext.Current.CancellationToken);
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"t","source_type":"csv","source_table":"t.csv"}""")).Status.ShouldBe(201);
        await shop.SyncAsync();
        (await shop.AsAnalystAsync("POST", "/api/upload/local-md", """{"content":"a note"}""")).Status.ShouldBe(200);
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/KBC_STORAGE_TOKEN", """{"value":"not-a-real-token"}""")).Status.ShouldBeOneOf(200, 204, 404);

        var listed = Rows("Folders and files", 0).Select(row => row[0].Trim('`').TrimEnd('/')).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in new DirectoryInfo(shop.DataDir).EnumerateFileSystemInfos()) listed.ShouldContain(entry.Name, customMessage: "an entry of DATA_DIR");

        var secrets = Rows("Secrets", 1).Select(row => row[0].Trim('`')).ToHashSet(StringComparer.Ordinal);
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        foreach (var file in new DirectoryInfo(shop.Server.StateDir).EnumerateFiles(".*").Where(file => file.Extension != ".lock"))
        {
            secrets.ShouldContain(file.Name, customMessage: "a hidden file of STATE_DIR");
            if (!OperatingSystem.IsWindows()) (file.UnixFileMode & others).ShouldBe(UnixFileMode.None, file.Name); // by itself: this program's mask is wider
        }
    }

    [Fact]
    public async Task Every_secret_is_listed_with_where_it_may_go()
    {
        var settings = Rows("Secrets", 0).SelectMany(row => Code().Matches(row[0]).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        var declared = SettingList.All.Credentials.SelectMany(credential => credential.Secrets).SelectMany(field => field.Variables).ToHashSet(StringComparer.Ordinal);
        settings.ShouldBe(declared, ignoreOrder: true);

        var sources = Directory.EnumerateFiles(Path.Combine(Root(), "src/Agnes.Server"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var files = sources.Where(text => text.Contains("SecretFile.", StringComparison.Ordinal)).SelectMany(text => HiddenFile().Matches(text).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        files.Count.ShouldBeGreaterThan(3);
        var listed = Rows("Secrets", 1).Select(row => row[0].Trim('`')).ToHashSet(StringComparer.Ordinal);
        files.Where(file => !listed.Contains(file)).ShouldBeEmpty();

        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var columns = (await server.State.ReadAsync<NamedColumn>(
            "SELECT table_name AS \"Table\", column_name AS \"Column\" FROM information_schema.columns WHERE table_schema = 'main'", new { }, TestContext.Current.CancellationToken))
            .Select(column => $"{column.Table}.{column.Column}").Where(name => SecretColumn().IsMatch(name)).ToList();
        columns.Count.ShouldBeGreaterThan(3);
        columns.ShouldBe(Rows("Secrets", 2).Select(row => row[0].Trim('`')), ignoreOrder: true);
    }

    /// <summary>The rows of a table of the page, without its head.</summary>
    /// <param name="number">Which of the tables below the heading.</param>
    private static IEnumerable<string[]> Rows(string heading, int number)
    {
        var section = Page.Split($"## {heading}\n", 2)[1].Split("\n## ", 2)[0];
        var tables = Regex.Split(section, @"\n(?=\|[^\n]*\|\n\| ---)").Where(text => text.StartsWith('|')).ToList();
        return tables[number].Split('\n').Where(line => line.StartsWith('|')).Skip(2).Select(line => line.Trim('|', ' ').Split(" | ").Select(cell => cell.Trim()).ToArray());
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Agnes.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex(@"case \[""([^""]+)""")]
    private static partial Regex Command();

    [GeneratedRegex("`([A-Z0-9_]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"const string \w+ = ""(\.[a-z_.]+)""")]
    private static partial Regex HiddenFile();

    [GeneratedRegex(@"\.\w*(password|token|secret)\w*(?<!_created|_id|_at)$", RegexOptions.ExplicitCapture)]
    private static partial Regex SecretColumn();

    private sealed record NamedColumn
    {
        public required string Table { get; init; }
        public required string Column { get; init; }
    }
}
