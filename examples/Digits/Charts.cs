// Loss and accuracy, epoch by epoch, as a picture.
using System.Globalization;
using Functional.CSharp;
using ScottPlot;

namespace Digits;

internal static class Charts
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private static readonly Color Ink = Color.FromHex("#1f2933");
    private static readonly Color Faint = Color.FromHex("#e4e7eb");
    private static readonly Color Training = Color.FromHex("#9aa5b1");
    private static readonly Color Test = Color.FromHex("#0b7285");

    public static void Save(History history, Options options, string path)
    {
        var figure = new Multiplot();
        figure.AddPlots(2);
        figure.Layout = new ScottPlot.MultiplotLayouts.Grid(rows: 1, columns: 2);
        Loss(figure.GetPlot(0), history, options.Recipe == Recipe.Talk ? "mean squared error" : "cross-entropy");
        Accuracy(figure.GetPlot(1), history);
        figure.SavePng(path, 1500, 640);
    }

    /// <summary>On a logarithmic scale, on which equal progress looks equal.</summary>
    private static void Loss(Plot plot, History history, string title)
    {
        var (training, test) = (Logarithms(history["loss"]), Logarithms(history["val_loss"]));
        var best = Array.IndexOf(test, test.Min());
        Draw(plot, title, training, test, best, history["val_loss"][best], Alignment.UpperRight, Alignment.LowerLeft);

        var (low, high) = (training.Concat(test).Min(), training.Concat(test).Max());
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (var decade = (int)Math.Floor(low); decade <= Math.Ceiling(high); decade++)
            foreach (var digit in high - low < 0.7 ? Enumerable.Range(1, 9) : [1, 2, 5])
                ticks.AddMajor(decade + Math.Log10(digit), (digit * Math.Pow(10, decade)).ToString("G3", Invariant));
        plot.Axes.Left.TickGenerator = ticks;
        var room = Math.Max(0.05, (high - low) * 0.1);
        plot.Axes.SetLimitsY(low - room, high + room);
    }

    private static void Accuracy(Plot plot, History history)
    {
        var (training, test) = (history["accuracy"], history["val_accuracy"]);
        var best = Array.IndexOf(test, test.Max());
        Draw(plot, "accuracy", training, test, best, test[best], Alignment.LowerRight, Alignment.LowerCenter);
        var low = training.Concat(test).Min();
        plot.Axes.SetLimitsY(Math.Max(0, low - (1 - low) * 0.1), 1.0);
    }

    private static void Draw(
        Plot plot, string title, double[] training, double[] test, int best, double bestValue, Alignment legendPlace, Alignment labelSide)
    {
        var epochs = Enumerable.Range(1, test.Length).Select(epoch => (double)epoch).ToArray();
        plot.Font.Set(Functional.Plots.Fonts.Family);
        plot.FigureBackground.Color = Colors.White;
        plot.Axes.Color(Ink);
        plot.Grid.MajorLineColor = Faint;
        plot.Axes.Right.IsVisible = plot.Axes.Top.IsVisible = false;
        Style(plot.Add.Scatter(epochs, training), Training, "training");
        Style(plot.Add.Scatter(epochs, test), Test, "test");

        // the best value on the test digits, marked, and written on a line of its own
        var point = plot.Add.Marker(epochs[best], test[best], MarkerShape.FilledCircle, 12, Test);
        point.MarkerStyle.LineColor = Colors.White;
        point.MarkerStyle.LineWidth = 2;
        var label = plot.Add.Annotation($"best on test digits: {bestValue.ToString("0.0000", Invariant)} (epoch {best + 1})", labelSide);
        label.LabelFontSize = 17;
        label.LabelFontColor = Test;
        label.LabelBackgroundColor = label.LabelBorderColor = label.LabelShadowColor = Colors.Transparent;
        label.OffsetX = label.OffsetY = 12;

        plot.Title(title, 22);
        plot.XLabel("epoch", 17);
        foreach (var axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left }) axis.TickLabelStyle.FontSize = 15;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { IntegerTicksOnly = true };
        plot.Axes.SetLimitsX(0.5, test.Length + 0.5);
        var legend = plot.ShowLegend(legendPlace);
        legend.FontSize = 17;
        legend.OutlineColor = Faint;
        legend.ShadowColor = Colors.Transparent;
    }

    /// <summary>The logarithms, numbers too small for one counted as the smallest there is.</summary>
    private static double[] Logarithms(double[] values) => [.. values.Select(value => Math.Log10(Math.Max(value, 1e-12)))];

    private static void Style(ScottPlot.Plottables.Scatter line, Color color, string legend)
    {
        line.Color = color;
        line.LineWidth = 2.5f;
        line.MarkerSize = 0;
        line.LegendText = legend;
    }
}
