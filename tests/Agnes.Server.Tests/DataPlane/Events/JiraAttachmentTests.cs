using System.Text;
using Agnes.Emulators.Jira;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>
/// Files of issues: whole or not at all, within their limit whatever Jira says of their size, and for whoever may read the
/// table.
/// </summary>
public sealed class JiraAttachmentTests(Postgres postgres)
{
    [Fact]
    public async Task Files_are_fetched_without_showing_the_credentials_and_sent_to_whoever_may_read_the_table()
    {
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = 2 }));
        await using var shop = await JiraShop.OpenAsync(postgres, jira, change: set =>
            (set["JIRA_ATTACHMENTS"], set["JIRA_ATTACHMENT_BYTES_MAX"]) = ("true", "1000"));
        var key = jira.Site.Keys()[0];
        foreach (var id in jira.Site.AttachmentIds(key).ToList()) jira.Site.DeleteAttachment(key, id);
        jira.Site.AddAttachment(key, "../../notes größe.txt", "text/html", Encoding.UTF8.GetBytes("<b>hello</b>"));
        jira.Site.AddAttachment(key, "large.bin", "application/octet-stream", 5_000, sizeSaid: 10);
        var events = jira.Site.AddAttachment(key, "half.bin", "application/octet-stream", 900).Events;
        jira.Break(Step.Media, new Trouble(), new Trouble { Delay = TimeSpan.FromMilliseconds(1) }, new Trouble { BreaksOff = true });
        await shop.PostAsync(events);
        var ids = jira.Site.AttachmentIds(key);
        await shop.SeenAsync(
            "SELECT attachment_id, local_path IS NOT NULL FROM attachments ORDER BY attachment_id",
            $"[[\"{ids[0]}\",true],[\"{ids[1]}\",false],[\"{ids[2]}\",false]]");
        jira.Media.CredentialsSeen.ShouldBe(0);

        var sent = await shop.Server.SendAsync("GET", $"/api/attachments/jira/{key}/{ids[0]}", token: shop.Admin);
        (sent.Status, sent.Body, sent.Header("Content-Type")).ShouldBe((200, "<b>hello</b>", "application/octet-stream"));
        sent.Header("Content-Disposition")!.ShouldStartWith("attachment;");
        (await shop.Server.SendAsync("GET", $"/api/attachments/jira/{key}/{ids[1]}", token: shop.Admin)).Status.ShouldBe(404);
        (await shop.Server.SendAsync("GET", $"/api/attachments/jira/..%2F{key}/{ids[0]}", token: shop.Admin)).Status.ShouldBe(404);
        (await shop.Server.SendAsync("GET", $"/api/attachments/jira/{key}/{ids[0]}")).Status.ShouldBe(401);
        var analyst = await AnalystAsync(shop);
        (await shop.Server.SendAsync("GET", $"/api/attachments/jira/{key}/{ids[0]}", token: analyst))
            .Status.ShouldBe(404, "the table is not granted");

        var folder = Path.Combine(Path.GetDirectoryName(shop.Server.StateDir)!, "extracts", "jira", "raw", "attachments", key);
        Directory.EnumerateFileSystemEntries(folder).Count().ShouldBe(1, "nothing is left of what did not come whole");
        await shop.PostAsync(jira.Site.Update(key, "summary", "again").Events);
        await shop.SeenAsync("SELECT count(*) FROM attachments WHERE local_path IS NOT NULL", "[[2]]");
    }

    private static async Task<string> AnalystAsync(JiraShop shop)
    {
        const string email = "ana@example.com";
        var made = await shop.Server.SendAsync("POST", "/api/users", $$"""{"email":"{{email}}","name":"Ana"}""", shop.Admin);
        await shop.Server.SendAsync("POST", $"/api/users/{made.Text("id")}/set-password", """{"password":"correct horse battery"}""",
            shop.Admin);
        return await shop.Server.SignInAsync(email, "correct horse battery");
    }
}
