using System.Text.Json;
using Agnes.Cli.Workspace;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests.Walls;

/// <summary>A workspace can come from elsewhere, with links where our files belong: whatever writes, appends, locks or removes there does it to nothing outside.</summary>
public sealed class WhatIsWrittenInAWorkspaceTests : IAsyncLifetime
{
    private const string Untouched = "outside\n";
    private static readonly string[] Folders = [nameof(Layout.Server), nameof(Layout.Parts), nameof(Layout.Incoming), nameof(Layout.Parquet), nameof(Layout.DatabaseFolder), nameof(Layout.Snapshots), nameof(Layout.Exports), nameof(Layout.Claude), nameof(Layout.Commands)];
    private const string Sessions = "agnes mark-private; echo \"$HOOK\" | agnes capture-session; agnes push; ";
    private const string Tables = "agnes pull; ";
    private const string Snapshot = "agnes snapshot create one --no-estimate --as s; ";
    private const string Init = "agnes init --force --server-url $SERVER --token $TOKEN";
    private FakeServer _server = null!;

    /// <summary>Every place that the layout names, and some beside them: alone where a command stops there, else all at once.</summary>
    public static TheoryData<string, string> Places()
    {
        var named = typeof(Layout).GetProperties().Where(property => property.PropertyType == typeof(string) && property.Name != nameof(Layout.Root)).Select(property => property.Name).ToList();
        var ofSessions = named.Where(name => name.StartsWith("Session", StringComparison.Ordinal) || name is nameof(Layout.CaptureLog) or nameof(Layout.QueueLock) or nameof(Layout.PushLock)).ToList();
        var data = new TheoryData<string, string>();
        foreach (var place in ofSessions) data.Add(place, Sessions);
        foreach (var place in Folders.Append(nameof(Layout.PullLock)).Append("server/parquet/two/")) data.Add(place, Tables);
        foreach (var place in (string[])["user/snapshots/.lock", "user/snapshots/.changed"]) data.Add(place, Tables + Snapshot);
        data.Add(string.Join(' ', named.Except(ofSessions).Except(Folders).Where(name => name != nameof(Layout.PullLock))), Sessions + Tables + Snapshot + "agnes pull; " + Init);
        return data;
    }

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("one", Parquet.Of("SELECT 1 AS n"));
        _server.Add("two", Parquet.Of("SELECT 1 AS n"), Parquet.Of("SELECT 2 AS n"));
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.StartsWithSegments("/api/upload")) return false;
            using var reader = new StreamReader(context.Request.Body);
            await FakeServer.JsonAsync(context, (await reader.ReadToEndAsync()).Contains("taken", StringComparison.Ordinal) ? 200 : 422, "{}");
            return true;
        };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Nothing_is_written_through_a_link(string places, string commands)
    {
        using var agnes = new AgnesProgram(_server.Url);
        agnes.SignIn();
        var layout = new Layout(agnes.Workspace);
        var outside = Directory.CreateDirectory(Path.Combine(agnes.Home, "outside")).FullName;
        foreach (var name in (string[])["file", "part-0.parquet", "x.99999999.tmp"]) await File.WriteAllTextAsync(Path.Combine(outside, name), Untouched);
        Directory.CreateDirectory(layout.Claude);
        await File.WriteAllTextAsync(layout.SessionsPrivate, "x\n");
        var (taken, refused) = (agnes.Transcript("taken", $$"""{"cwd":{{JsonSerializer.Serialize(agnes.Workspace)}},"text":"taken"}"""), agnes.Transcript("refused", $$"""{"cwd":{{JsonSerializer.Serialize(agnes.Workspace)}}}"""));
        await File.WriteAllTextAsync(layout.SessionQueue, $"x\t;touch pwned;/a.jsonl\nt\t{taken}\nr\t{refused}\n");
        foreach (var place in places.Split(' '))
        {
            var link = (typeof(Layout).GetProperty(place)?.GetValue(layout) as string ?? agnes.InWorkspace(place)).TrimEnd('/');
            if (Directory.Exists(link)) Directory.Delete(link, recursive: true);
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            if (File.Exists(link)) File.Delete(link);
            File.CreateSymbolicLink(link, Folders.Contains(place) || place.EndsWith('/') ? outside : Path.Combine(outside, "file"));
        }

        // Where a link is in the way of one of them, it says so.
        agnes.Environment["CLAUDE_CODE_SESSION_ID"] = "z";
        agnes.Environment["HOOK"] = JsonSerializer.Serialize(new Dictionary<string, string> { ["session_id"] = "h", ["transcript_path"] = taken });
        (agnes.Environment["SERVER"], agnes.Environment["TOKEN"]) = (_server.Url, FakeServer.Token);
        using var process = agnes.StartProgram("bash", ["-c", commands]);
        process.StandardInput.Close();
        var outcome = await AgnesProgram.FinishAsync(process);

        string.Join(' ', Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName).Order(StringComparer.Ordinal)).ShouldBe("file part-0.parquet x.99999999.tmp", outcome.Error);
        foreach (var path in Directory.EnumerateFiles(outside)) (await File.ReadAllTextAsync(path)).ShouldBe(Untouched, outcome.Error);
        outcome.Error.ShouldNotContain("Exception", Case.Sensitive, outcome.Error);
        if (commands.EndsWith(Init, StringComparison.Ordinal)) outcome.ShouldSucceed();
    }
}
