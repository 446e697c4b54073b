// The talk's slides, as a visitor uses them.
namespace Functional.Playground.Tests;

public sealed class SlideTests(World world)
{
    public async Task TheFiltersSumsAreTheTalks()
    {
        await using var visit = await world.OpenAsync("slides");
        // the map's numbers are painted; what is asked and answered can be watched at the socket
        var answer = await visit.Page.EvaluateAsync<string>(
            """
            new Promise(done => {
                const socket = new WebSocket(`ws://${location.host}/live${location.search}`);
                const image = [3,5,6,0,5,4,5,4,1,0,5,1,2,2,3,2,4,3,1,5,5,4,1,6,3,3,4,3,2,1,3,4,6,2,1,0,1,1,1,3,6,5,1,1,2,6,3,1,2,5,0,3,0,1,1,4,2,4,5,2,6,5,1,6];
                socket.onopen = () => socket.send(JSON.stringify({ exhibit: "slides", do: "filter", image, height: 8, width: 8, kernel: [1,0,1,2,1,3,1,1,2] }));
                socket.onmessage = event => done(JSON.parse(event.data).found.pooled.values.join());
            })
            """);
        Check.Equal("36,44,43,37,26,35,38,34,40", answer, "the largest of every 2×2");
        await visit["#s-kernels"].SelectOptionAsync("outline");
        await visit["#s-images"].SelectOptionAsync("shapes");
        await visit.Until("document.getElementById('s-map').getContext('2d').getImageData(20, 20, 60, 60).data.some(value => value > 0)");
    }

    public async Task DescentEndsInTheBowlAndLeavesItWithTooLargeSteps()
    {
        await using var visit = await world.OpenAsync("slides");
        await visit.Until("document.getElementById('s-descent-said').textContent.includes('After 150 steps it is at')");
        await visit["#s-descent-rate"].FillAsync("0.2");
        await visit.Until("document.getElementById('s-descent-said').textContent.includes('left for good')");
        await visit["#s-surface-formula"].FillAsync("x^2 +* y");
        await visit["#s-surface-formula"].PressAsync("Enter");
        await visit.Until("document.getElementById('s-error').textContent.includes('cannot read')");
        await visit["#s-surfaces"].SelectOptionAsync("waves");
        await visit.Until("document.getElementById('s-error').textContent === '' && document.getElementById('s-descent-said').textContent.includes('it is at')");
    }

    public async Task GradientsVanishInThePlainNetworkAndLessWhereGatesKeep()
    {
        await using var visit = await world.OpenAsync("slides");
        var sizes = await visit.Page.EvaluateAsync<double[]>(
            """
            new Promise(done => {
                const socket = new WebSocket(`ws://${location.host}/live${location.search}`);
                socket.onopen = () => socket.send(JSON.stringify({ exhibit: "slides", do: "lags", length: 60, units: 16, keep: 4 }));
                socket.onmessage = event => done((({ plain, lstm, gru }) => [plain, lstm, gru].map(list => list.at(-1) / list[0]))(JSON.parse(event.data).found));
            })
            """);
        Check.That(sizes[0] < 1e-9 && sizes[1] > 1e-3 && sizes[2] > 1e-3, $"last against first: {string.Join(", ", sizes)}");
    }

    public async Task DropoutKeepsTheGapSmaller()
    {
        await using var visit = await world.OpenAsync("slides");
        await visit["#s-dropout-run"].ClickAsync();
        await visit.Until("document.getElementById('s-dropout-run').textContent === 'Again'", seconds: 60);
        var gaps = System.Text.RegularExpressions.Regex.Matches(await visit.Text("#s-dropout-said"), @"\d+\.\d+").Select(m => double.Parse(m.Value, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Check.That(gaps[1] < gaps[0], $"{gaps[0]} without dropout, {gaps[1]} with it");
    }
}
