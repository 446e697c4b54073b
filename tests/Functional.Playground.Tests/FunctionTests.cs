// The exhibit of any function, as a visitor uses it.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

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

    public async Task TheNetworkAsSourceComputesTheSameFunction()
    {
        await using var visit = await world.OpenAsync("function");
        await visit["#f-speed"].SelectOptionAsync("0");
        await visit["#f-run"].ClickAsync();
        await visit.Until("document.getElementById('f-status').textContent.startsWith('Reached')");
        var f = CompiledSource(await Saved(visit, "#f-csharp"));
        var error = Enumerable.Range(0, 401).Max(i => Math.Abs(f(i / 100.0 - 2) - Math.Sin(3 * (i / 100.0 - 2))));
        Check.That(error < 0.0501, $"the C# source is {error} away from the function that it has learnt");

        var script = Path.ChangeExtension(Path.GetTempFileName(), ".fsx");
        var source = (await Saved(visit, "#f-fsharp")).Replace("module Network", "module Network =", StringComparison.Ordinal);
        var indented = string.Join("\n", source.Split('\n').Select(line => line.StartsWith("module", StringComparison.Ordinal) || line.StartsWith("///", StringComparison.Ordinal) ? line : "    " + line));
        await File.WriteAllTextAsync(script, indented + "\nfor i in 0 .. 4 do printfn \"%.12f\" (Network.f (float i - 2.0))\n");
        using var fsi = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", ["fsi", "--quiet", script]) { RedirectStandardOutput = true })!;
        var said = (await fsi.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        File.Delete(script);
        for (var i = 0; i <= 4; i++) Check.That(Math.Abs(said[i] - f(i - 2)) < 1e-9, $"at {i - 2} F# says {said[i]}, C# {f(i - 2)}");
    }

    private static async Task<string> Saved(Visit visit, string button)
    {
        var download = await visit.Page.RunAndWaitForDownloadAsync(() => visit[button].ClickAsync());
        return await File.ReadAllTextAsync(await download.PathAsync());
    }

    private static Func<double, double> CompiledSource(string source)
    {
        var runtime = Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.*.dll").Where(file => Path.GetFileName(file) is "System.Private.CoreLib.dll" or "System.Runtime.dll");
        var compilation = CSharpCompilation.Create(
            "Source", [CSharpSyntaxTree.ParseText(source)], runtime.Select(file => MetadataReference.CreateFromFile(file)), new(OutputKind.DynamicallyLinkedLibrary));
        using var bytes = new MemoryStream();
        var made = compilation.Emit(bytes);
        Check.That(made.Success, string.Join("\n", made.Diagnostics));
        var f = System.Reflection.Assembly.Load(bytes.ToArray()).GetType("Network")!.GetMethod("F")!;
        return f.CreateDelegate<Func<double, double>>();
    }
}
