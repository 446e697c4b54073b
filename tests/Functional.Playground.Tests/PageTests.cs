// The page as a whole: for everybody, in both languages, quick, light, and there again after the server was away.
using Deque.AxeCore.Playwright;
using Playground.Server;

namespace Functional.Playground.Tests;

public sealed class PageTests(World world)
{
    private static readonly string[] Exhibits = ["digit", "function", "slides", "talk"];

    public async Task NothingStandsInTheWayOfAnybody()
    {
        foreach (var theme in (string[])["light", "dark"])
        {
            await using var visit = await world.OpenAsync();
            await visit.Page.EvaluateAsync($"localStorage.setItem('theme', '{theme}')");
            await visit.Page.ReloadAsync();
            foreach (var exhibit in Exhibits)
            {
                await visit[$"#tab-{exhibit}"].ClickAsync();
                await visit.Page.Mouse.MoveAsync(5, 895);
                await visit.Page.WaitForTimeoutAsync(400);
                var found = await visit.Page.RunAxe();
                var violations = found.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {node.Html} {node.Any.FirstOrDefault()?.Message}"));
                Check.That(found.Violations.Length == 0, $"{exhibit}, {theme}: {string.Join("\n", violations)}");
            }
        }
    }

    public async Task LanguagesChangeInPlace()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-run"].ClickAsync();
        await visit["#language"].ClickAsync();
        await visit.Until("document.getElementById('tab-function').textContent === '任意函数' && document.documentElement.lang === 'zh-Hans'");
        foreach (var exhibit in Exhibits)
        {
            await visit[$"#tab-{exhibit}"].ClickAsync();
            await visit.Page.WaitForTimeoutAsync(200);
            var untold = await visit.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('[data-t]')].filter(e => e.textContent === e.dataset.t).map(e => e.dataset.t)");
            Check.That(untold.Length == 0, $"no words for {string.Join(", ", untold)}");
        }
        await visit["#language"].ClickAsync();
        await visit.Until("document.getElementById('tab-function').textContent === 'Any function'");
    }

    public async Task BothLanguagesSayTheSameThings()
    {
        await using var visit = await world.OpenAsync();
        var differences = await visit.Page.EvaluateAsync<string[]>(
            """
            Promise.all([import('/english.js'), import('/chinese.js')]).then(([en, zh]) => {
                const holes = text => (text.match(/\{\w+\}/g) ?? []).sort().join();
                const keys = new Set([...Object.keys(en.default), ...Object.keys(zh.default)]);
                return [...keys].filter(key => en.default[key] === undefined || zh.default[key] === undefined || holes(en.default[key]) !== holes(zh.default[key]));
            })
            """);
        Check.That(differences.Length == 0, $"they differ in {string.Join(", ", differences)}");
    }

    public async Task TheKeyboardReachesEveryControl()
    {
        await using var visit = await world.OpenAsync("function");
        await visit.Until("document.querySelectorAll('#f-diagram button').length > 10");
        var wanted = await visit.Page.EvaluateAsync<int>("[...document.querySelectorAll('button, input, select, [tabindex=\"0\"]')].filter(e => e.offsetParent && !e.disabled && e.tabIndex >= 0 && !(e.type === 'radio' && !e.checked)).length");
        var reached = new HashSet<string>();
        for (var i = 0; i < wanted + 5; i++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            reached.Add(await visit.Page.EvaluateAsync<string>("(e => e.tagName + '#' + e.id + '.' + e.className + [...document.querySelectorAll('*')].indexOf(e))(document.activeElement)"));
        }
        reached.RemoveWhere(name => name.StartsWith("BODY", StringComparison.Ordinal));
        Check.Equal(wanted, reached.Count, "controls that Tab reaches");
    }

    public async Task ThePictureStaysSmoothWhileItTrains()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-speed"].SelectOptionAsync("0");
        await visit["#f-epsilon"].FillAsync("0");
        await visit["#f-run"].ClickAsync();
        await visit.Page.WaitForTimeoutAsync(500);
        var frames = await visit.Page.EvaluateAsync<double>(
            """
            new Promise(done => {
                const times = [];
                const tick = time => times.push(time) < 120 ? requestAnimationFrame(tick) : done((times.length - 1) / (times.at(-1) - times[0]) * 1000);
                requestAnimationFrame(tick);
            })
            """);
        Console.WriteLine($"        {frames:F0} frames a second while training");
        // on a machine that does other things beside, a browser without a graphics card does not keep to 60 exactly
        Check.That(frames > 30, $"{frames:F0} frames a second");
    }

    public async Task ThePageIsLightAndSoonThere()
    {
        await using var visit = await world.OpenAsync("function");
        await visit.Until("document.getElementById('f-sup').textContent !== '–'");
        var bytes = await visit.Page.EvaluateAsync<double>("performance.getEntries().filter(e => e.encodedBodySize).reduce((sum, e) => sum + e.encodedBodySize, 0)");
        Console.WriteLine($"        {bytes / 1000:F0} KB");
        Check.That(bytes is > 50_000 and < 500_000, $"{bytes} bytes");
        var painted = await visit.Page.EvaluateAsync<double>("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1");
        Console.WriteLine($"        first picture after {painted:F0} ms");
        Check.That(painted is >= 0 and < 2000, $"the first picture takes {painted} ms");
    }

    public async Task ALostServerIsSaidAndThePageComesBackByItself()
    {
        var site = await Site.StartAsync(new SiteOptions());
        await using var visit = await world.OpenAsync("function", address: site.Address);
        await visit["#f-run"].ClickAsync();
        await visit.Until("parseInt(document.getElementById('f-steps').textContent.replace(',', '')) > 50");
        // the same address again, but the token of another run is no longer admitted: the page says so and keeps what it has
        await site.DisposeAsync();
        await visit.Until("!document.getElementById('lost').hidden");
        var steps = await visit.Text("#f-steps");
        await using var again = await Site.StartAsync(new SiteOptions { Port = site.Address.Port, Token = site.Address.Query["?token=".Length..] });
        await visit.Until("document.getElementById('lost').hidden");
        await visit.Until($"parseInt(document.getElementById('f-steps').textContent.replace(',', '')) > {steps.Replace(",", "")}");
    }

    public async Task NoWindowIsTooNarrow()
    {
        foreach (var (width, height) in ((int, int)[])[(1440, 900), (1024, 768), (390, 844)])
        {
            await using var visit = await world.OpenAsync("", width, height);
            foreach (var exhibit in Exhibits)
            {
                await visit[$"#tab-{exhibit}"].ClickAsync();
                await visit.Page.WaitForTimeoutAsync(200);
                var wider = await visit.Page.EvaluateAsync<double>("document.documentElement.scrollWidth - innerWidth");
                Check.That(wider <= 0, $"{exhibit} at {width}: {wider} pixels too wide");
            }
        }
    }
}
