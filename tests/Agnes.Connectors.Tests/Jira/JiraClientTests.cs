using System.Diagnostics;
using System.Text.Json;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>The emulator is as true as jira.js finds it: it checks every answer against its own description of Jira's API.</summary>
public sealed class JiraClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_client_that_nobody_here_wrote_works_against_the_emulator()
    {
        var site = new JiraSite(new SiteShape { Issues = 897, TalkativeOneIn = 20, RestlessOneIn = 20 });
        await using var server = await JiraServer.StartAsync(site);
        var keys = Prepare(site);
        server.Break(Step.Worklogs, new Trouble(), new Trouble(403)); // the first answer is the true one
        server.Break(Step.RemoteLinks, new Trouble(), new Trouble(429) { RetryAfterSeconds = 7 });
        server.Break(Step.Comments, [.. Enumerable.Repeat(new Trouble(), keys.CommentPages), new Trouble(500)]);
        using var seen = JsonDocument.Parse(await RunAsync(server, keys));
        string Of(string name) => seen.RootElement.GetProperty(name).GetRawText();

        Of("pages").ShouldBe("""[{"size":150,"hasFields":false,"first":"10000","isLast":false,"hasToken":true},"""
            + """{"size":150,"hasFields":false,"first":"10450","isLast":true,"hasToken":false}]""");
        Of("searchFields").ShouldBe("""[["SUPPORT-1",["status","summary"],true],["SUPPORT-2",["status","summary"],true]]""");
        Of("searchKeys").ShouldBe("""["SUPPORT-1","SUPPORT-2"]""");
        Of("count").ShouldBe("""{"count":300}""");
        Of("bulk").ShouldBe($"[[\"{keys.Talkative}\",{Math.Min(40, keys.Histories)},false],[\"{keys.Other}\",3,false]]");
        Of("window").ShouldBe($"[100,{keys.Comments}]");
        Of("rendered").ShouldBe("true");
        Of("changelogWindow").ShouldBe($"[{Math.Min(100, keys.Histories)},{keys.Histories}]");
        Of("newestFirst").ShouldBe("true");
        Of("comments").ShouldBe($"[{keys.Comments},{keys.Comments},true]");
        Of("changes").ShouldBe($"[{keys.Histories},true]");
        Of("worklogs").ShouldBe("[2,2,9000]");
        Of("timeSpent").ShouldBe("""{"timespent":9000}""");
        Of("remoteLinks").ShouldBe("""[["https://docs.example.com/a?b=1&c=2","Příručka","com.example.links"]]""");
        Of("attachment").ShouldBe("""[true,true,"größe, 重要"]""");
        Of("me").ShouldBe("""["collector@example.com","app"]""");
        Of("deployment").ShouldBe("\"Cloud\"");
        Of("fields").ShouldBe("16");
        Of("projects").ShouldBe("""[["SUPPORT","service_desk"],["PLAT","software"],["OPS","business"]]""");
        ShouldFail(seen.RootElement);
        Of("drift").ShouldBe("[]", "jira.js knows no such field or value");
        server.Media.CredentialsSeen.ShouldBe(0);
        server.Faults.ShouldBeEmpty();
        server.IsMended.ShouldBeTrue();
    }

    private static void ShouldFail(JsonElement seen)
    {
        string Of(string name) => seen.GetProperty(name).GetRawText();
        Of("missing").ShouldBe(
            """{"kind":"notFound","status":404,"messages":["Issue does not exist or you do not have permission to see it."]}""");
        Of("stranger").ShouldBe("""{"kind":"auth","status":401,"messages":"Client must be authenticated to access this resource."}""");
        Of("malformed").ShouldContain("\"status\":400,\"messages\":[\"Error in the JQL Query: Expecting operator but got 'SUPPORT'.");
        Of("unbounded").ShouldContain("\"status\":400,\"messages\":[\"Unbounded JQL queries are not allowed here.");
        Of("badToken").ShouldContain("\"status\":400,\"messages\":[\"The provided nextPageToken is invalid or has expired.\"]");
        Of("forbidden").ShouldContain("{\"kind\":\"forbidden\",\"status\":403");
        Of("limited").ShouldContain("{\"kind\":\"rateLimit\",\"status\":429");
        Of("limited").ShouldContain("\"retryAfterMs\":7000");
        Of("broken").ShouldContain("\"status\":500");
        var levels = seen.GetProperty("levels");
        levels[0].GetProperty("customfield_10328").GetProperty("errorMessage").GetString()!.ShouldStartWith("You do not have permission");
        var cycle = levels[1].GetProperty("customfield_10161").GetProperty("ongoingCycle");
        cycle.GetProperty("breached").GetBoolean().ShouldBeFalse();
        cycle.GetProperty("goalDuration").GetProperty("millis").GetInt64().ShouldBe(72 * 3_600_000);
        levels[1].GetProperty("customfield_10328").GetProperty("completedCycles").GetArrayLength().ShouldBe(1);
    }

    private sealed record Chosen(string Talkative, int Comments, int Histories, string Other)
    {
        public int CommentPages => (Comments + 99) / 100;
    }

    /// <summary>One issue of the seed that has much, and one of the test's own.</summary>
    private static Chosen Prepare(JiraSite site)
    {
        var talkative = site.Keys().First(key => key.StartsWith("SUPPORT-", StringComparison.Ordinal) && site.CommentIds(key).Count > 100);
        var shown = site.Show(talkative)!;
        if (site.Count % 2 != 0) site.Create("PLAT", "filler"); // the personal account sees an error on even ones, null on odd ones
        var own = site.Create("SUPPORT", "The test's own").Key;
        site.AddAttachment(own, "größe.txt", "text/plain", "größe, 重要"u8.ToArray());
        site.AddRemoteLink(own, "https://docs.example.com/a?b=1&c=2", "Příručka");
        site.AddWorklog(own, 3_600, "worked");
        site.AddWorklog(own, 5_400, "worked on");
        site.AddComment(own, "ends the first response");
        return new Chosen(talkative, site.CommentIds(talkative).Count, (int)shown["changelog"]!["total"]!, own);
    }

    private static async Task<string> RunAsync(JiraServer server, Chosen keys)
    {
        var script = Path.Combine(Root(), "tests", "Agnes.Connectors.Tests", "Jira", "jira-client.mjs");
        var info = new ProcessStartInfo("node",
        [
            script, server.Address, JiraServer.Email, JiraServer.Token, server.Gateway, JiraServer.SlaEmail, JiraServer.SlaToken,
            keys.Talkative, keys.Other, keys.Other, keys.Other, keys.Other,
        ])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["AUDIT_SCHEMAS"] = "true";
        using var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(Patience);
        using var node = Process.Start(info)!;
        try
        {
            var errors = node.StandardError.ReadToEndAsync(time.Token);
            var output = await node.StandardOutput.ReadToEndAsync(time.Token);
            return output.Length > 0 ? output : throw new InvalidOperationException($"jira.js ended: {await errors}");
        }
        finally
        {
            if (!node.HasExited) node.Kill(entireProcessTree: true);
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "package-lock.json"))) folder = folder.Parent
            ?? throw new InvalidOperationException("The repository is not around the tests.");
        return folder.FullName;
    }
}
