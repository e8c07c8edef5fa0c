using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Features.Uploads;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Features;

/// <summary>What laptops bring: whole or absent, each in its owner's folder.</summary>
public sealed class UploadTests(Worlds worlds, Postgres postgres)
{
    [Fact]
    public async Task A_file_is_stored_under_its_base_name_in_its_owners_folder_and_replaces_the_one_before()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var folder = Folder(world, "user_sessions");
        foreach (var content in (string[])["one", "two, longer", ""])
        {
            var answer = await SendAsync(world, "/api/upload/sessions", "live.jsonl", content);
            answer.Status.ShouldBe(200, answer.Body);
            answer.Body.ShouldBe($$"""{"status":"ok","filename":"live.jsonl","size":{{content.Length}}}""");
            (await File.ReadAllTextAsync(Path.Combine(folder, "live.jsonl"))).ShouldBe(content);
        }

        (await SendAsync(world, "/api/upload/artifacts", "plot.png", "png")).Status.ShouldBe(200);
        File.Exists(Path.Combine(Folder(world, "user_artifacts"), "plot.png")).ShouldBeTrue();
        Directory.EnumerateFiles(folder, ".incoming-*").ShouldBeEmpty();
        var entries = (await world.Server.AuditAsync()).Where(row => row.Action == "upload").TakeLast(4).ToList();
        entries.Select(entry => entry.Resource).ShouldBe(["user_sessions/live.jsonl", "user_sessions/live.jsonl", "user_sessions/live.jsonl", "user_artifacts/plot.png"]);
        entries.ShouldAllBe(entry => entry.UserId == world["analyst"]);
    }

    [Theory]
    [InlineData("../../../etc/passwd", "passwd")]
    [InlineData("..\\..\\evil.jsonl", "evil.jsonl")]
    [InlineData("C:\\Users\\ana\\s.jsonl", "s.jsonl")]
    [InlineData("/abs/olute.jsonl", "olute.jsonl")]
    [InlineData("with\tcontrol\u0001.jsonl", "withcontrol.jsonl")]
    [InlineData("žluťoučký.jsonl", "žluťoučký.jsonl")]
    [InlineData("", "upload_*")]
    [InlineData("..", "upload_*")]
    [InlineData(".hidden", "upload_*")]
    [InlineData(".hidden.jsonl", "upload_*")]
    [InlineData("dir/", "upload_*")]
    [InlineData(null, "session_*.jsonl")]
    public void Names_become_harmless_ones(string? sent, string stored)
    {
        var name = UploadForm.SafeName(sent, "session_", ".jsonl");
        if (stored.Contains('*')) name.ShouldMatch($"^{stored.Replace("*", "[0-9a-f]{8}")}$");
        else name.ShouldBe(stored);
        UploadForm.SafeName(new string('x', 300) + ".csv", "artifact_", "").ShouldMatch("^upload_[0-9a-f]{8}$");
    }

    [Fact]
    public async Task What_is_too_large_or_no_form_is_refused_and_leaves_nothing()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var folder = Folder(world, "user_sessions");
        var large = new byte[(50 << 20) + 1];
        foreach (var isChunked in (bool[])[false, true])
        {
            var answer = await SendAsync(world, "/api/upload/sessions", Form(new ByteArrayContent(large), "large.jsonl"), isChunked);
            answer.Status.ShouldBe(413, answer.Body);
            answer.Body.ShouldBe("""{"detail":"File too large (max 50MB)"}""");
        }

        File.Exists(Path.Combine(folder, "large.jsonl")).ShouldBeFalse();
        if (Directory.Exists(folder)) Directory.EnumerateFiles(folder, ".incoming-*").ShouldBeEmpty();
        var other = new MultipartFormDataContent { { new StringContent("x"), "other", "x.txt" } };
        (await SendAsync(world, "/api/upload/sessions", other)).Status.ShouldBe(422);
        (await world.Server.SendAsync("POST", "/api/upload/sessions", """{"file":"x"}""", world.TokenOf(Principal.Analyst))).Status.ShouldBe(422);
        (await SendAsync(world, "/api/upload/sessions", Broken())).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Notes_are_stored_under_a_name_that_tells_nobody_whose_they_are()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var token = world.TokenOf(Principal.AnalystToken);
        var answer = await world.Server.SendAsync("POST", "/api/upload/local-md", """{"content":"# Žluť 🦆"}""", token);
        answer.Body.ShouldBe("""{"status":"ok","user":"ana@example.com","size":8}""");
        var name = Convert.ToHexStringLower(SHA256.HashData("ana@example.com"u8))[..24];
        (await File.ReadAllTextAsync(Path.Combine(DataDir(world), "user_local_md", name + ".md"))).ShouldBe("# Žluť 🦆");
        (await world.Server.SendAsync("POST", "/api/upload/local-md", "{}", token)).Status.ShouldBe(422);
        var large = new string('x', UploadFolder.NotesBytesMax + 1);
        (await world.Server.SendAsync("POST", "/api/upload/local-md", $$"""{"content":"{{large}}"}""", token)).Status.ShouldBe(413);
    }

    [Theory]
    [InlineData("Guest", 401)]
    [InlineData("Revoked", 401)]
    [InlineData("Deactivated", 401)]
    [InlineData("AnalystToken", 200)]
    [InlineData("Admin", 200)]
    public async Task Whoever_is_signed_in_may_upload(string principal, int status)
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        foreach (var path in (string[])["/api/upload/sessions", "/api/upload/artifacts"])
        {
            (await SendAsync(world, path, Form(new StringContent("x"), $"{principal}.jsonl"), Enum.Parse<Principal>(principal))).Status.ShouldBe(status);
        }
    }

    private static Task<Answer> SendAsync(World world, string path, string name, string content) =>
        SendAsync(world, path, Form(new ByteArrayContent(Encoding.UTF8.GetBytes(content)), name));

    private static Task<Answer> SendAsync(World world, string path, HttpContent content, bool isChunked = false) => SendAsync(world, path, content, Principal.Analyst, isChunked);

    private static Task<Answer> SendAsync(World world, string path, HttpContent content, Principal principal, bool isChunked = false) =>
        world.Server.SendAsync("POST", path, token: world.TokenOf(principal), change: request =>
        {
            request.Content = content;
            request.Headers.TransferEncodingChunked = isChunked;
        });

    private static MultipartFormDataContent Form(HttpContent file, string name) => new() { { file, "file", name } };

    /// <summary>The form ends before the file does.</summary>
    private static ByteArrayContent Broken()
    {
        var content = new ByteArrayContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jsonl\"\r\n\r\nhalf"u8.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        return content;
    }

    private static string DataDir(World world) => world.Server.Services.GetRequiredService<ServerOptions>().DataDir;

    private static string Folder(World world, string kind) => Path.Combine(DataDir(world), kind, world["analyst"]);
}
