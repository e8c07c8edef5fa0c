using System.Text.RegularExpressions;
using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace Agnes.EndToEnd.Fixtures;

/// <summary>How a page is looked at.</summary>
public sealed record Look(int Width = 1280, int Height = 800, ColorScheme Scheme = ColorScheme.Light, bool Scripts = true)
{
    public static readonly Look Desktop = new();
    public static readonly Look Dark = new(Scheme: ColorScheme.Dark);
    public static readonly Look Phone = new(360, 740);
    public static readonly Look WithoutScripts = new(Scripts: false);
}

/// <summary>One browser for all tests, started when the first one asks; a test gets a profile of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Executable = "/usr/bin/chromium";

    /// <summary>Milliseconds. No test is about the time that a page takes, and the machine may be busy.</summary>
    private const float GoesOnMax = 120_000, ShowsMax = 60_000;

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    ];

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>Opens a window on the demo, signed in as somebody or as nobody.</summary>
    public async Task<Window> OpenAsync(DemoServer server, Person? person = null, Look? look = null)
    {
        var url = await server.UrlAsync();
        var window = await OpenAsync(url, look);
        if (person is not null) await window.Context.AddCookiesAsync([new() { Name = "access_token", Value = await server.SessionAsync(person), Url = url }]);
        return window;
    }

    /// <summary>Opens a window on a server, signed in as nobody.</summary>
    public async Task<Window> OpenAsync(string url, Look? look = null)
    {
        look ??= Look.Desktop;
        var (_, browser) = await _started.Value;
        var context = await browser.NewContextAsync(new()
        {
            BaseURL = url,
            ViewportSize = new() { Width = look.Width, Height = look.Height },
            ColorScheme = look.Scheme,
            JavaScriptEnabled = look.Scripts,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(GoesOnMax);
        return new Window(context, await context.NewPageAsync());
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (!_started.IsValueCreated) return;
        var (driver, browser) = await _started.Value;
        await browser.DisposeAsync();
        driver.Dispose();
    }

    private static async Task<(IPlaywright Driver, IBrowser Browser)> StartAsync()
    {
        Assertions.SetDefaultExpectTimeout(ShowsMax);
        var driver = await Playwright.CreateAsync();
        return (driver, await driver.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Headless = true, Args = Arguments }));
    }
}

/// <summary>A page with everything that went wrong in it so far.</summary>
public sealed class Window : IAsyncDisposable
{
    private static readonly Lazy<Task<string>> Axe = new(() => File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "axe.min.js")));
    private readonly List<string> _problems = [];

    internal Window(IBrowserContext context, IPage page)
    {
        (Context, Page) = (context, page);
        page.Console += (_, message) => Note(message.Type, message.Text);
        page.PageError += (_, error) => Note("exception", error);
    }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    /// <summary>Violations of the content security policy show here, as do failed requests and exceptions.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_problems) return [.. _problems];
        }
    }

    /// <summary>Goes to a path and waits until the page and what it loads by itself are there.</summary>
    public async Task<IResponse> GoAsync(string path)
    {
        var response = (await Page.GotoAsync(path))!;
        await Assertions.Expect(Page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
        return response;
    }

    /// <summary>Waits until the address ends in this; <c>*</c> stands for anything.</summary>
    public Task ArrivesAtAsync(string path) =>
        Assertions.Expect(Page).ToHaveURLAsync(new Regex($"{Regex.Escape(path).Replace("\\*", ".*", StringComparison.Ordinal)}$"));

    /// <summary>Changes how the page is looked at, and waits until it is drawn so.</summary>
    public async Task ChangeAsync(Look look)
    {
        await Page.EmulateMediaAsync(new() { ColorScheme = look.Scheme, ReducedMotion = ReducedMotion.Reduce });
        await Page.SetViewportSizeAsync(look.Width, look.Height);
        await Page.EvaluateAsync(
            """
            async () => {
              await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
              await Promise.allSettled(document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished));
              await new Promise(requestAnimationFrame);
            }
            """);
    }

    /// <summary>Leaves the page for an empty one, looked at like this, and forgets what went wrong.</summary>
    public async Task StartAnewAsync(Look look)
    {
        await Page.GotoAsync("about:blank");
        await Page.EmulateMediaAsync(new() { ColorScheme = look.Scheme, ReducedMotion = ReducedMotion.Reduce });
        await Page.SetViewportSizeAsync(look.Width, look.Height);
        lock (_problems) _problems.Clear();
    }

    /// <summary>What axe finds against WCAG and good practice, as short texts.</summary>
    public async Task<string[]> AccessibilityProblemsAsync()
    {
        // By evaluation: the content security policy would refuse a script tag. Half a megabyte, so once for a page.
        if (!await Page.EvaluateAsync<bool>("() => 'axe' in window")) await Page.EvaluateAsync(await Axe.Value);
        return await Page.EvaluateAsync<string[]>(
            "async () => (await axe.run()).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.split('\\n')[1]?.trim()}`))");
    }

    /// <summary>Elements that stick out of the window to the right.</summary>
    public Task<string[]> OverflowAsync() => Page.EvaluateAsync<string[]>(
        """
        () => document.documentElement.scrollWidth <= innerWidth ? [] :
          [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => `${e.tagName}.${e.className}`).slice(0, 5)
        """);

    public async ValueTask DisposeAsync() => await Context.DisposeAsync();

    private void Note(string kind, string text)
    {
        lock (_problems) _problems.Add($"{kind}: {text}");
    }
}
