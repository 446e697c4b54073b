// The exhibit of drawn digits, as a visitor uses it.
using Microsoft.Playwright;

namespace Functional.Playground.Tests;

public sealed class DigitTests(World world)
{
    private static readonly (float X, float Y)[] Seven = [(0.25f, 0.2f), (0.75f, 0.2f), (0.45f, 0.85f)];

    public async Task ASevenDrawnByMouseIsReadAsSeven()
    {
        await using var visit = await TaughtAsync();
        await Draw(visit, Seven);
        await visit.Until("document.getElementById('d-answer').textContent === '7'");
        Check.Equal(10, await visit["#d-bars li"].CountAsync(), "bars");
        Check.Equal(8 + 8 + 16 + 16 + 1, await visit["#d-maps canvas"].CountAsync(), "maps");
    }

    public async Task ItLearnsWhatItIsToldAndForgetsIt()
    {
        await using var visit = await TaughtAsync();
        await Draw(visit, Seven);
        await visit.Until("document.getElementById('d-answer').textContent === '7'");
        await visit["#d-tell button >> nth=1"].ClickAsync();
        await visit.Until("document.getElementById('d-status').textContent.includes('1 of your drawings')");
        await visit.Until("document.getElementById('d-answer').textContent === '1'");
        await visit["#d-forget"].ClickAsync();
        await visit.Until("document.getElementById('d-answer').textContent === '7'");
    }

    public async Task AnEmptyPadIsSaidAndADrawingCanBeMadeByKeys()
    {
        await using var visit = await TaughtAsync();
        await visit["#d-tell button >> nth=3"].ClickAsync();
        await visit.Until("document.getElementById('d-status').textContent.includes('empty')");
        await visit["#d-clear"].FocusAsync();
        await visit["#d-pad"].FocusAsync();
        for (var i = 0; i < 10; i++) await visit.Page.Keyboard.PressAsync("ArrowUp");
        await visit.Page.Keyboard.PressAsync(" ");
        for (var i = 0; i < 19; i++) await visit.Page.Keyboard.PressAsync("ArrowDown");
        await visit.Until("document.getElementById('d-answer').textContent === '1'");
        await visit["#d-clear"].ClickAsync();
        await visit.Until("document.getElementById('d-answer').textContent === ''");
    }

    private async Task<Visit> TaughtAsync()
    {
        var visit = await world.OpenAsync("digit");
        await visit.Until("document.getElementById('d-source').textContent !== ''", seconds: 60);
        return visit;
    }

    private static async Task Draw(Visit visit, (float X, float Y)[] line)
    {
        var box = (await visit["#d-pad"].BoundingBoxAsync())!;
        var mouse = visit.Page.Mouse;
        await mouse.MoveAsync(box.X + line[0].X * box.Width, box.Y + line[0].Y * box.Height);
        await mouse.DownAsync();
        foreach (var (x, y) in line[1..]) await mouse.MoveAsync(box.X + x * box.Width, box.Y + y * box.Height, new MouseMoveOptions { Steps = 10 });
        await mouse.UpAsync();
    }
}
