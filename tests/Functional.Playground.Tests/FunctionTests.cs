// The exhibit of any function, as a visitor uses it.
namespace Functional.Playground.Tests;

public sealed class FunctionTests(World world)
{
    private const string Sup = "parseFloat(document.getElementById('f-sup').textContent)";

    public async Task ATypedFunctionIsLearntUntilTheErrorIsSmallEnough()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-formula"].FillAsync("sin(3*x)");
        await visit["#f-formula"].PressAsync("Enter");
        await visit["#f-speed"].SelectOptionAsync("0");
        await visit["#f-run"].ClickAsync();
        await visit.Until("document.getElementById('f-status').textContent.startsWith('Reached')");
        Check.That(await visit.Page.EvaluateAsync<double>(Sup) < 0.05, "the error is not below 0.05");
    }

    public async Task ASharedLinkShowsTheSameCurve()
    {
        await using var first = await world.OpenAsync("function");
        await first["#f-run"].ClickAsync();
        await first.Until("parseInt(document.getElementById('f-steps').textContent.replace(',', '')) > 300");
        await first["#f-run"].ClickAsync();
        await first.Until("document.getElementById('f-status').textContent.startsWith('Paused')");
        await first["#f-share"].ClickAsync();
        var link = await first.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        Check.Equal(first.Page.Url, link, "the copied link");

        await using var second = await world.OpenAsync(link[(link.IndexOf('#') + 1)..]);
        await second.Until("document.getElementById('f-sup').textContent !== '–'");
        foreach (var number in (string[])["#f-sup", "#f-l2", "#f-steps"])
            Check.Equal(await first.Text(number), await second.Text(number), number);
    }

    public async Task AFunctionDrawnByHandIsLearnt()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-draw"].ClickAsync();
        var box = (await visit["#f-plot .u-over"].BoundingBoxAsync())!;
        await visit.Page.Mouse.MoveAsync(box.X + 2, box.Y + box.Height * 0.8f);
        await visit.Page.Mouse.DownAsync();
        await visit.Page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + box.Height * 0.2f, new() { Steps = 20 });
        await visit.Page.Mouse.MoveAsync(box.X + box.Width - 2, box.Y + box.Height * 0.8f, new() { Steps = 20 });
        await visit.Page.Mouse.UpAsync();
        await visit["#f-epsilon"].FillAsync("0.2");
        await visit["#f-epsilon"].PressAsync("Tab");
        await visit["#f-speed"].SelectOptionAsync("0");
        await visit["#f-run"].ClickAsync();
        await visit.Until("document.getElementById('f-status').textContent.startsWith('Reached')");
    }

    public async Task TwoClassesAreToldApartAndAWeightIsEditedMeanwhile()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["input[value=plane]"].CheckAsync();
        await visit["#f-sets button[value=xor]"].ClickAsync();
        await visit["#f-run"].ClickAsync();
        await visit.Until("parseFloat(document.getElementById('f-sup').textContent) > 95");
        await visit["#f-diagram button.cell >> nth=0"].ClickAsync();
        var before = await visit.Text("#f-loss");
        await visit["#f-weights input >> nth=0"].FillAsync("25");
        await visit["#f-weights input >> nth=0"].PressAsync("Enter");
        await visit.Until($"document.getElementById('f-loss').textContent !== '{before}'");
    }

    public async Task NumbersThatRunAwayAreSaidAndTheLastGoodStateIsBack()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-activation"].SelectOptionAsync("linear");
        await visit["#f-optimizer"].SelectOptionAsync("sgd");
        await visit["#f-rate"].SelectOptionAsync("10");
        await visit["#f-run"].ClickAsync();
        await visit.Until("document.getElementById('f-status').textContent.includes('NaN')");
        Check.That(double.IsFinite(await visit.Page.EvaluateAsync<double>(Sup)), "no number is shown");
    }

    public async Task WhatAVisitorDoesWrongIsSaid()
    {
        await using var visit = await world.OpenAsync("function");
        async Task Says(string formula, string sentence)
        {
            await visit["#f-formula"].FillAsync(formula);
            await visit["#f-formula"].PressAsync("Enter");
            await visit.Until($"document.getElementById('f-error').textContent.includes(\"{sentence}\")");
        }

        await Says("1/x", "no finite value at x = 0");
        await Says("sin(3*", "cannot read");
        await Says("sqrt(x)", "no finite value at x = -2");
        await visit["#f-csv"].SetInputFilesAsync(new Microsoft.Playwright.FilePayload { Name = "text.csv", MimeType = "text/csv", Buffer = "x,y\n1,2\nhello,world\n3,4\n"u8.ToArray() });
        await visit.Until("document.getElementById('f-error').textContent.includes('hello')");
        await Says("abs(x)", "");
        await visit.Until("document.getElementById('f-error').textContent === ''");
    }

    public async Task OnesOwnTableIsLearnt()
    {
        await using var visit = await world.OpenAsync("function");
        var rows = string.Concat(Enumerable.Range(0, 50).Select(i => FormattableString.Invariant($"{i / 10.0};{Math.Sqrt(i)}\n")));
        await visit["#f-csv"].SetInputFilesAsync(new Microsoft.Playwright.FilePayload { Name = "roots.csv", MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes("x;y\n" + rows) });
        await visit.Until("document.getElementById('f-legend').textContent.includes('points')");
        await visit["#f-epsilon"].FillAsync("0.3");
        await visit["#f-epsilon"].PressAsync("Tab");
        await visit["#f-run"].ClickAsync();
        await visit.Until("document.getElementById('f-status').textContent.startsWith('Reached')");
    }
}
