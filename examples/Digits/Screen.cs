// What the program says on the way.
using System.Globalization;
using Functional.CSharp;
using Spectre.Console;

namespace Digits;

internal static class Screen
{
    public static void Title(Options options) =>
        AnsiConsole.Write(new Rule($"[bold]digits[/], recipe [teal]{options.Recipe.ToString().ToLowerInvariant()}[/]").LeftJustified().RuleStyle("grey"));

    /// <summary>Loads, with a bar for each file that has to be downloaded.</summary>
    public static DigitSet WhileLoading(Func<Action<string, long, long>, DigitSet> load) =>
        AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn()).Start(context =>
        {
            var bars = new Dictionary<string, ProgressTask>();
            return load((file, received, total) =>
            {
                if (!bars.TryGetValue(file, out var bar)) bars[file] = bar = context.AddTask(Markup.Escape(file));
                if (total > 0) bar.MaxValue = total;
                bar.IsIndeterminate = total <= 0;
                bar.Value = received;
            });
        });

    public static void Data(DigitData digits)
    {
        Console.WriteLine($"data: {digits.Source}");
        Console.WriteLine($"{digits.XTrain.Shape[0]:N0} digits to learn from, {digits.XTest.Shape[0]:N0} to be tested on; {Runtime.Threads} threads");
        Console.WriteLine();
    }

    public static void Trained(History history, TimeSpan time)
    {
        var how = history.End switch
        {
            TrainingEnd.Interrupted => "interrupted; what was learnt is kept",
            TrainingEnd.Stopped => history.StopReason,
            _ => "done",
        };
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{history.Epochs} epochs in {time.TotalSeconds:F1} s: {how}"));
    }

    public static void Files(Options options, params string[] names)
    {
        Console.WriteLine();
        foreach (var name in names)
            if (System.IO.File.Exists(options.File(name))) Console.WriteLine($"wrote {options.File(name)}");
    }

    public static void Result(double loss, double accuracy)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"test loss {loss:F4}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"test accuracy {accuracy:F4}"));
    }

    /// <summary>An error in one sentence; the exit code.</summary>
    public static int Failure(Exception e)
    {
        Console.Error.WriteLine($"Digits: {e.Message}");
        return 1;
    }
}
