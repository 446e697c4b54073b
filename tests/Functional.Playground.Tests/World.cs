// What all tests share: a server, and a browser. Each test opens pages of its own.
using System.Diagnostics;
using Microsoft.Playwright;
using Playground.Server;

namespace Functional.Playground.Tests;

public sealed class World : IAsyncDisposable
{
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private World(Site site, IPlaywright playwright, IBrowser browser) => (Site, this.playwright, this.browser) = (site, playwright, browser);

    public Site Site { get; }

    public static async Task<World> BeginAsync()
    {
        var chromium = Chromium();
        var site = await Site.StartAsync(new SiteOptions());
        var playwright = await Microsoft.Playwright.Playwright.CreateAsync();
        // as root, and in containers, Chromium does not start with its sandbox; it sees nothing but our own page
        var options = new BrowserTypeLaunchOptions { ExecutablePath = chromium, Args = ["--no-sandbox"] };
        return new World(site, playwright, await playwright.Chromium.LaunchAsync(options));
    }

    /// <summary>A new page, of a browser that has seen nothing yet. What goes wrong in its scripts fails the test.</summary>
    /// <param name="hash">What stands behind the address' #.</param>
    /// <param name="width">Of the window.</param>
    /// <param name="height">Of the window.</param>
    /// <param name="address">Another server's.</param>
    public async Task<Visit> OpenAsync(string hash = "", int width = 1440, int height = 900, Uri? address = null)
    {
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height }, Locale = "en-GB" });
        await context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(20_000);
        var visit = new Visit(context, page);
        await page.GotoAsync($"{address ?? Site.Address}{(hash == "" ? "" : "#" + hash)}");
        return visit;
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
        await Site.DisposeAsync();
    }

    private static string Chromium()
    {
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("The tests need the browser Chromium: apt-get install chromium");
    }
}

/// <summary>A page that is open.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly List<string> errors = [];

    internal Visit(IBrowserContext context, IPage page)
    {
        (this.context, Page) = (context, page);
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) =>
        {
            // a server that is away is an error in the console, and nothing wrong with the page
            if (message.Type == "error" && !message.Text.Contains("WebSocket")) errors.Add(message.Text);
        };
    }

    public IPage Page { get; }

    public ILocator this[string selector] => Page.Locator(selector);

    /// <summary>Waits until something in the page holds. (Playwright's own waiting evaluates texts in the page, which the page's
    /// policy refuses.)</summary>
    public async Task Until(string expression, double seconds = 20)
    {
        var clock = Stopwatch.StartNew();
        while (!await Page.EvaluateAsync<bool>($"!!({expression})"))
        {
            Check.That(clock.Elapsed.TotalSeconds < seconds, $"after {seconds} s it does not hold that {expression}");
            await Task.Delay(30);
        }
    }

    public Task<string> Text(string selector) => Page.Locator(selector).InnerTextAsync();

    public async ValueTask DisposeAsync()
    {
        await context.CloseAsync();
        Check.That(errors.Count == 0, $"the page had errors: {string.Join("; ", errors)}");
    }
}

public static class Check
{
    public static void That(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }

    public static void Equal<T>(T expected, T found, string what) => That(Equals(expected, found), $"{what}: {found}, expected {expected}");
}
