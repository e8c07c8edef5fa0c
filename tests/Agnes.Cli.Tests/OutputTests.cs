using System.Text;
using System.Text.Json;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace Agnes.Cli.Tests;

/// <summary>Pure parts: texts, versions, and the properties of what is printed.</summary>
public sealed class OutputTests
{
    [Theory]
    [InlineData("1.2.3", "1.2.4", true)]
    [InlineData("1.2.3", "1.10", true)]
    [InlineData("1.2", "1.2.0", false)]
    [InlineData("1.2.0rc1", "1.2.0", true)]
    [InlineData("1.2.0", "1.2.0rc1", false)]
    [InlineData("1.2.0.post1", "1.2.0", false)]
    [InlineData("v1.2.0+local", "1.2.1", true)]
    [InlineData("nonsense", "1.0", false)]
    [InlineData("1.0", "nonsense", false)]
    [InlineData("1.0", "99999999999999999999999.0", false)]
    public void Versions_are_ordered_and_unreadable_ones_never_block(string version, string than, bool isOlder) =>
        ProgramVersion.IsOlder(version, than).ShouldBe(isOlder);

    [Theory]
    [InlineData("Authorization: Bearer abc.def-123", "abc")]
    [InlineData("https://ana:hunter2@example.com/x", "hunter2")]
    [InlineData("--token eyJhbGciOi.eyJzdWIiOi.c2ln", "c2ln")]
    [InlineData("{\"access_token\":\"abc123\"}", "abc123")]
    [InlineData("password=hunter2&x=1", "hunter2")]
    public void Credentials_are_taken_out_of_texts(string text, string secret) => Redactor.Redact(text).ShouldNotContain(secret);

    [Theory]
    [InlineData(400, """{"detail":{"kind":"bq_forbidden","message":"m","hint":"h","billing_project":"p","data_project":null,"tables":[]}}""", "Error: bq_forbidden (HTTP 400)\n  billing_project: p\n  tables: (empty)\n  message: m\n  hint: h")]
    [InlineData(400, """{"detail":{"kind":"","reason":"r","limit":5,"current":7}}""", "Error: r (HTTP 400)\n  kind: (empty)\n  current: 7\n  limit: 5")]
    [InlineData(403, """{"detail":{"code":"scope_missing","message":"This token may only read."}}""", "HTTP 403: This token may only read. (scope_missing)")]
    [InlineData(507, """{"detail":{"error":"disk_reserve","message":"The disk is nearly full."}}""", "HTTP 507: The disk is nearly full. (disk_reserve)")]
    [InlineData(400, """{"detail":{"error":"bad_request","message":"No such column.","details":{}}}""", "HTTP 400: No such column. (bad_request)")]
    [InlineData(422, """{"detail":{"message":"One is at fault.","tables":[{"name":"a"}],"hint":"h"}}""", "HTTP 422: One is at fault.\n  tables: {\"name\":\"a\"}\n  hint: h")]
    [InlineData(409, """{"detail":{"code":"conflict","current":3}}""", "Error: conflict (HTTP 409)\n  current: 3")]
    [InlineData(404, """{"detail":"not here"}""", "HTTP 404: not here")]
    [InlineData(502, "<html>bad gateway</html>", "HTTP 502: <html>bad gateway</html>")]
    [InlineData(422, """{"detail":[{"loc":["body","name"],"msg":"Field required"}]}""", "HTTP 422: the request is not valid\n  name: Field required")]
    [InlineData(500, "", "HTTP 500: ")]
    public void Errors_of_the_server_are_rendered(int status, string body, string text) => ErrorText.Render(status, Encoding.UTF8.GetBytes(body)).ShouldBe(text);

    [Fact]
    public void Long_hints_are_wrapped_and_long_bodies_cut()
    {
        var hint = string.Join(' ', Enumerable.Repeat("word", 60));
        var lines = ErrorText.Render(400, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { detail = new { reason = "r", hint } }))).Split('\n');
        lines.ShouldAllBe(line => line.Length <= 80);
        lines[1].ShouldStartWith("  hint: word");
        lines[2].ShouldStartWith("    word");
        ErrorText.Render(500, Encoding.UTF8.GetBytes(new string('x', 2000))).Length.ShouldBe("HTTP 500: ".Length + 500);
    }

    [Fact]
    public void Column_names_become_unique_without_losing_any() =>
        Prop.ForAll<string[]>(names =>
        {
            var given = names.Select(name => name ?? "").ToArray();
            var unique = ResultRows.UniqueNames(given);
            return unique.Count == given.Length && unique.Distinct(StringComparer.Ordinal).Count() == given.Length && unique.Zip(given).All(pair => pair.First.StartsWith(pair.Second, StringComparison.Ordinal));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Csv_gives_back_every_text() =>
        Prop.ForAll<NonNull<string>[]>(cells =>
        {
            if (cells.Length == 0) return true;
            var texts = cells.Select(cell => cell.Get.Replace("\0", "", StringComparison.Ordinal)).ToArray();
            var written = WriteCsv([.. texts.Select((_, index) => $"c{index}")], texts);
            var read = ReadCsv(written);
            return read.Count == 2 && read[1].SequenceEqual(texts, StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_cell_never_breaks_a_line_nor_sends_a_control_character() =>
        Prop.ForAll<NonNull<string>>(text => !DisplayText.OneLine(text.Get).Any(char.IsControl)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("Parser Error: no\n\nLINE 1: SELECT x\n               ^", "Parser Error: no")]
    [InlineData(" one\r\n  two\nthree ", "one two three")]
    [InlineData("bell\u0007", "bell\\u0007")]
    public void A_message_is_one_sentence_without_escapes_of_line_ends(string text, string said) => DisplayText.Message(text).ShouldBe(said);

    [Theory]
    [InlineData("plain", 5)]
    [InlineData("日本", 4)]
    [InlineData("e\u0301", 1)]
    [InlineData("😀", 2)]
    [InlineData("", 0)]
    public void Width_counts_columns_of_a_terminal(string text, int width) => DisplayText.Width(text).ShouldBe(width);

    [Theory]
    [InlineData("", "server: https://a.example.com\n")]
    [InlineData("other: 1", "other: 1\nserver: https://a.example.com\n")]
    [InlineData("server: 'x'  # why\nb: [1, 2]\n", "server: https://a.example.com  # why\nb: [1, 2]\n")]
    [InlineData("nested:\n  server: no\nserver: yes\n", "nested:\n  server: no\nserver: https://a.example.com\n")]
    [InlineData("# only a comment\n", "# only a comment\nserver: https://a.example.com\n")]
    public async Task The_configuration_keeps_what_is_not_ours(string before, string after)
    {
        using var folder = new Testing.TemporaryFolder();
        await File.WriteAllTextAsync(folder["config.yaml"], before);
        await ConfigFile.SetAsync(folder["config.yaml"], "server", "https://a.example.com", CancellationToken.None);
        (await File.ReadAllTextAsync(folder["config.yaml"])).ShouldBe(after);
        ConfigFile.Read(folder["config.yaml"], "server").ShouldBe("https://a.example.com");
        ConfigFile.Read(folder["missing.yaml"], "server").ShouldBeNull();
    }

    [Fact]
    public void The_error_log_has_a_limit_and_holds_no_secret()
    {
        using var folder = new Testing.TemporaryFolder();
        var config = new ConfigFolder(folder["config"]);
        var problem = new InvalidOperationException("Bearer abc.secret " + new string('x', 300_000));
        for (var count = 0; count < 10; count++) LastErrorLog.TryAppend(config, DateTimeOffset.UnixEpoch, "agnes pull", problem).ShouldBeTrue();
        Directory.GetFiles(config.Path).Sum(path => new FileInfo(path).Length).ShouldBeLessThan(2 << 20);
        var text = File.ReadAllText(config.LastErrorLog);
        text.ShouldStartWith("=== 1970-01-01T00:00:00Z agnes pull ===\n");
        text.ShouldNotContain("secret");
    }

    private static string WriteCsv(string[] columns, string[] cells)
    {
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(new { columns, rows = new[] { cells } }));
        using var rows = new RemoteRows(document.RootElement);
        using var output = new MemoryStream();
        using (var host = new Host(TimeProvider.System, output)) ResultFormat.Write(host, "csv", rows, 10);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>RFC 4180, read by the letter.</summary>
    private static List<List<string>> ReadCsv(string text)
    {
        var rows = new List<List<string>> { new() };
        var field = new StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                for (at++; text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'); at++)
                {
                    if (text[at] == '"') at++;
                    field.Append(text[at]);
                }
            }
            else if (text[at] is ',' or '\n')
            {
                rows[^1].Add(field.ToString());
                field.Clear();
                if (text[at] == '\n' && at + 1 < text.Length) rows.Add([]);
            }
            else
            {
                field.Append(text[at]);
            }
        }

        return rows;
    }
}
