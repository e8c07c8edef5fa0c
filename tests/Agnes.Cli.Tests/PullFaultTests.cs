using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>Servers that stall, cut, lie and move on under a pull.</summary>
public sealed class PullFaultTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_continued_by_range()
    {
        var bytes = Parquet.Large(2, 1);
        _server.Add("orders", bytes);
        var cuts = 0;
        _server.Intercept = async context =>
        {
            if (!IsPart(context) || cuts++ > 0) return false;
            await FakeServer.CutAsync(context, bytes, bytes.Length / 2);
            return true;
        };
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json;
        report.GetProperty("bytes_downloaded").GetInt64().ShouldBe(bytes.Length);
        var downloads = _server.Downloads.ToList();
        downloads.Count.ShouldBe(2);
        downloads[1].ShouldEndWith($"bytes={bytes.Length / 2}-");
        await ShouldRead("orders", 1);
    }

    [Fact]
    public async Task Errors_of_the_server_are_retried_and_a_refusal_is_not()
    {
        _server.Add("orders", Parquet.Number(1));
        var failures = 0;
        _server.Intercept = context => AnswerPart(context, IsPart(context) && failures++ < 2 ? 503 : 0);
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        _server.Downloads.Count().ShouldBe(3);

        _server.Add("secret", Parquet.Number(2));
        _server.Requests.Clear();
        _server.Intercept = context => AnswerPart(context, 403);
        var refused = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json;
        refused.GetProperty("errors")[0].GetProperty("table").GetString().ShouldBe("secret");
        _server.Downloads.Count().ShouldBe(1, "exactly one attempt");
        await ShouldRead("orders", 1);
    }

    [Fact]
    public async Task Retries_have_an_end()
    {
        _agnes.Environment["AGNES_STREAM_RETRIES"] = "1";
        _server.Add("orders", Parquet.Number(1));
        _server.Intercept = context => AnswerPart(context, 500);
        var outcome = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1);
        outcome.Json.GetProperty("errors")[0].GetProperty("error").GetString()!.ShouldContain("tried 2 times");
        _server.Downloads.Count().ShouldBe(2);
    }

    [Fact]
    public async Task Wrong_bytes_are_never_kept_and_the_other_tables_come()
    {
        var right = Parquet.Number(1);
        _server.Add("good", Parquet.Number(2));
        var bad = _server.Add("bad", right);
        var wrong = (byte[])right.Clone();
        wrong[^20] ^= 1;
        _server.Parts[bad.Parts[0].Sha256] = wrong;
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json;
        report.GetProperty("tables_updated").GetInt32().ShouldBe(1);
        var error = report.GetProperty("errors")[0];
        error.GetProperty("table").GetString().ShouldBe("bad");
        error.GetProperty("error").GetString()!.ShouldContain("hash mismatch");
        error.GetProperty("error").GetString()!.ShouldContain(bad.Parts[0].Sha256[..12]);
        error.GetProperty("error").GetString()!.ShouldContain("came twice");
        Files().ShouldNotContain(path => path.Contains("bad") || path.Contains(".incoming"));
        await ShouldRead("good", 2);

        _server.Parts[bad.Parts[0].Sha256] = right;
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        await ShouldRead("bad", 1);
    }

    [Fact]
    public async Task One_bad_transfer_is_repeated()
    {
        var bytes = Parquet.Number(1);
        _server.Add("orders", bytes);
        var first = true;
        _server.Intercept = async context =>
        {
            if (!IsPart(context) || !first) return false;
            first = false;
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(new byte[bytes.Length]);
            return true;
        };
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        await ShouldRead("orders", 1);
    }

    [Theory]
    [InlineData(-7)]
    [InlineData(7)]
    public async Task A_wrong_length_is_an_error_of_that_table(int difference)
    {
        var bytes = Parquet.Number(1);
        _server.Add("orders", bytes);
        _server.Intercept = async context =>
        {
            if (!IsPart(context)) return false;
            context.Response.ContentLength = bytes.Length + difference;
            await context.Response.Body.WriteAsync(new byte[bytes.Length + difference]);
            return true;
        };
        (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json.GetProperty("errors")[0].GetProperty("error").GetString()!.ShouldContain("wrong length");
        Directory.Exists(_agnes.InWorkspace("server", "parquet")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_manifest_that_changes_under_the_pull_ends_in_one_version()
    {
        _server.Add("a", Parquet.Number(10));
        var old = _server.Add("b", Parquet.Number(1));
        var changed = false;
        _server.Intercept = context =>
        {
            if (!IsPart(context) || !context.Request.Path.Value!.Contains("/b/") || changed) return Task.FromResult(false);
            changed = true;
            _server.Parts.TryRemove(old.Parts[0].Sha256, out _);
            _server.Add("a", Parquet.Number(2));
            _server.Add("b", Parquet.Number(22));
            return Task.FromResult(false);
        };
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json;
        report.GetProperty("tables_updated").GetInt32().ShouldBe(2);
        await ShouldRead("a", 2);
        await ShouldRead("b", 22);
        _server.Requests.Count(request => request.EndsWith("/manifest", StringComparison.Ordinal)).ShouldBe(2);
        Directory.GetFiles(_agnes.InWorkspace("server", "parts")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_parts_list_that_is_gone_makes_it_ask_again()
    {
        _server.Add("orders", Parquet.Number(1), Parquet.Number(2));
        var asked = 0;
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/sync/parts/") || asked++ > 0) return false;
            _server.Add("orders", Parquet.Number(3), Parquet.Number(4), Parquet.Number(5));
            await FakeServer.JsonAsync(context, 404, """{"detail":"Not found"}""");
            return true;
        };
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        await ShouldRead("orders", 12, "sum(n)");
    }

    [Fact]
    public async Task A_large_file_comes_in_ranges_and_a_server_without_ranges_is_coped_with()
    {
        _agnes.Environment["AGNES_PULL_CHUNK_THRESHOLD_BYTES"] = "1000000";
        var bytes = Parquet.Large(4, 2);
        _server.Add("orders", bytes);
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        _server.Downloads.Count(request => request.Contains("bytes=")).ShouldBe(4);
        await ShouldRead("orders", 2);
        Files().ShouldNotContain(path => path.Contains(".partial") || path.Contains(".tmp"));

        var again = Parquet.Large(4, 3);
        _server.Add("orders", again);
        _server.Intercept = async context =>
        {
            if (!IsPart(context)) return false;
            context.Response.ContentLength = again.Length;
            await context.Response.Body.WriteAsync(again);
            return true;
        };
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        await ShouldRead("orders", 3);
    }

    [Fact]
    public async Task An_older_server_with_whole_files_and_md5_is_served_too()
    {
        _agnes.Environment["AGNES_PULL_CHUNK_THRESHOLD_BYTES"] = "1000000";
        _server.HasETags = false;
        _server.AddPlain("orders", Parquet.Number(1));
        _server.AddPlain("large", Parquet.Large(4, 5));
        _server.AddPlain("wrong", Parquet.Number(3), md5: "00000000000000000000000000000000");
        _server.AddPlain("unknown", Parquet.Number(4), md5: "");
        _server.AddPlain("page", "<html>not parquet</html>"u8.ToArray(), md5: "");
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json;
        var errors = report.GetProperty("errors").EnumerateArray().ToDictionary(error => error.GetProperty("table").GetString()!, error => error.GetProperty("error").GetString()!);
        errors.Keys.Order().ShouldBe(["page", "wrong"]);
        errors["wrong"].ShouldContain("hash mismatch");
        errors["wrong"].ShouldContain("000000000000");
        report.GetProperty("tables_updated").GetInt32().ShouldBe(3);
        await ShouldRead("orders", 1);
        await ShouldRead("large", 5);
        await ShouldRead("unknown", 4);
        Files().ShouldNotContain(path => path.Contains("wrong") || path.Contains("page"));

        _server.Tables.TryRemove("wrong", out _);
        _server.Tables.TryRemove("page", out _);
        _server.Tables.TryRemove("unknown", out _);
        _server.Requests.Clear();
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json.GetProperty("tables_updated").GetInt32().ShouldBe(0);
        _server.Downloads.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_of_an_earlier_program_is_adopted_instead_of_downloaded()
    {
        var bytes = Parquet.Number(9);
        Directory.CreateDirectory(_agnes.InWorkspace("server", "parquet"));
        await File.WriteAllBytesAsync(_agnes.InWorkspace("server", "parquet", "orders.parquet"), bytes);
        _server.Add("orders", bytes);
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json;
        report.GetProperty("parts_downloaded").GetInt32().ShouldBe(0);
        _server.Downloads.ShouldBeEmpty();
        await ShouldRead("orders", 9);
    }

    [Fact]
    public async Task Content_that_is_no_parquet_is_that_tables_error_alone()
    {
        _server.Add("good", Parquet.Number(1));
        _server.Add("junk", "PAR1 but nothing else PAR1"u8.ToArray());
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json;
        report.GetProperty("errors")[0].GetProperty("table").GetString().ShouldBe("junk");
        await ShouldRead("good", 1);
        var again = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json;
        again.GetProperty("errors")[0].GetProperty("table").GetString().ShouldBe("junk", "said as long as it is so");
        again.GetProperty("parts_downloaded").GetInt32().ShouldBe(0);
        _server.Add("junk", Parquet.Number(2));
        (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        await ShouldRead("junk", 2);
    }

    [Fact]
    public async Task A_server_that_answers_garbage_or_redirects_changes_nothing()
    {
        _server.Add("orders", Parquet.Number(1));
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        foreach (var (status, body) in ((int, string)[])[(200, "<html>"), (200, "[]"), (200, "null"), (200, """{"tables":null}"""), (302, ""), (403, """{"detail":"no"}"""), (429, """{"detail":"slow down"}""")])
        {
            _server.Intercept = async context =>
            {
                if (status == 302) context.Response.Headers.Location = "http://127.0.0.1:1/";
                await FakeServer.JsonAsync(context, status, body);
                return true;
            };
            var outcome = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1);
            outcome.Json.GetProperty("errors").GetArrayLength().ShouldBe(1, body);
            outcome.Error.ShouldNotContain("   at ");
        }

        _server.Intercept = null;
        await ShouldRead("orders", 1);
    }

    private IEnumerable<string> Files() => Directory.EnumerateFiles(_agnes.InWorkspace("server"), "*", SearchOption.AllDirectories);

    private async Task ShouldRead(string table, long value, string expression = "max(n)") =>
        (await _agnes.RunAsync("query", $"SELECT CAST({expression} AS BIGINT) AS v FROM {table}", "--format", "csv")).ShouldSucceed().Out.ShouldBe($"v\n{value}\n");

    private static bool IsPart(HttpContext context) => context.Request.Path.Value!.StartsWith("/api/data/", StringComparison.Ordinal);

    private static async Task<bool> AnswerPart(HttpContext context, int status)
    {
        if (!IsPart(context) || status == 0) return false;
        await FakeServer.JsonAsync(context, status, JsonSerializer.Serialize(new { detail = "no" }));
        return true;
    }
}
