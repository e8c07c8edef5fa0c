using System.Collections.Concurrent;
using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

/// <summary>The page that shows the API, in a browser that holds its policy against it.</summary>
public sealed class ApiDocsTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task The_api_can_be_read_and_nothing_is_asked_of_another_host()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync());
        var asked = new ConcurrentBag<string>();
        window.Page.Request += (_, request) => asked.Add(request.Url);
        await window.Page.GotoAsync($"{await server.UrlAsync()}/docs");
        await Assertions.Expect(window.Page.GetByText("/api/health/live").First).ToBeVisibleAsync();
        var own = await server.UrlAsync();
        asked.ShouldNotBeEmpty();
        asked.Where(url => !url.StartsWith(own, StringComparison.Ordinal) && !url.StartsWith("data:", StringComparison.Ordinal) && !url.StartsWith("blob:", StringComparison.Ordinal)).ShouldBeEmpty();
        window.Problems.Where(problem => !problem.StartsWith("info: ", StringComparison.Ordinal)).ShouldBeEmpty();
    }
}
