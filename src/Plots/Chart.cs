// A chart: a panel with few lines, direct colours and words in plain sight.
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Functional.Plots;

/// <summary>Where a legend stands.</summary>
public enum Corner
{
    /// <summary>On the right above.</summary>
    UpperRight,

    /// <summary>On the left above.</summary>
    UpperLeft,

    /// <summary>On the left below.</summary>
    LowerLeft,

    /// <summary>On the right below.</summary>
    LowerRight,
}

/// <summary>A chart that lines, points, bars and squares are added to. Every addition returns the chart, so that one sentence
/// makes a picture; <see cref="Draw"/> has the usual ones ready.</summary>
/// <example>
/// <code>
/// double[] xs = [0, 1, 2, 3], ys = [0, 1, 4, 9];
/// new Chart("Squares", "x", "x²").Line("squares", xs, ys).Legend(Corner.UpperLeft).Save("squares.png");
/// </code>
/// </example>
public sealed class Chart
{
    private readonly bool logX, logY;
    private int colours;

    /// <summary>An empty chart with its title and the names of its axes, each of which may be logarithmic; what is not positive
    /// has no place on such an axis, and is left out.</summary>
    public Chart(string title, string x = "", string y = "", bool logX = false, bool logY = false)
    {
        (this.logX, this.logY) = (logX, logY);
        Plot.Title(title, 17);
        Plot.XLabel(x, 14);
        Plot.YLabel(y, 14);
        Plot.FigureBackground.Color = Colors.White;
        Plot.Axes.Color(Palette.Ink);
        Plot.Axes.Title.Label.ForeColor = Palette.Ink;
        Plot.Grid.MajorLineColor = Palette.Faint;
        Plot.Axes.Right.FrameLineStyle.Width = Plot.Axes.Top.FrameLineStyle.Width = 0;
        Plot.Axes.Bottom.TickLabelStyle.FontSize = Plot.Axes.Left.TickLabelStyle.FontSize = 12.5f;
        Plot.Axes.Left.MinimumSize = 72;
        Plot.Axes.Right.MinimumSize = 24;
        Plot.Legend.FontSize = 13;
        Plot.Legend.OutlineWidth = 0;
        Plot.Legend.ShadowColor = Colors.Transparent;
        Plot.Legend.BackgroundColor = Colors.White.WithAlpha(0.88);
        if (logX) Plot.Axes.Bottom.TickGenerator = new LogarithmicTicks();
        if (logY) Plot.Axes.Left.TickGenerator = new LogarithmicTicks();
        Plot.Font.Set(Fonts.Family);
    }

    /// <summary>ScottPlot's plot underneath, for all that is not here. On logarithmic axes it has logarithms (base 10).</summary>
    public Plot Plot { get; } = new();

    /// <summary>A line. Without a name it does not appear in the legend; without a colour it takes the next one. A NaN interrupts it.</summary>
    public Chart Line(string name, IEnumerable<double> xs, IEnumerable<double> ys, Color? colour = null, double width = 2.5)
    {
        var (x, y) = Placed(name, xs, ys);
        var line = Plot.Add.ScatterLine(x, y, colour ?? Palette.Of(colours++));
        line.LineWidth = (float)width;
        line.LegendText = name;
        return this;
    }

    /// <summary>A cloud of points, each so many pixels wide.</summary>
    public Chart Points(string name, IEnumerable<double> xs, IEnumerable<double> ys, Color? colour = null, double size = 6)
    {
        var (x, y) = Placed(name, xs, ys);
        var points = Plot.Add.ScatterPoints(x, y, colour ?? Palette.Of(colours++));
        points.MarkerSize = (float)size;
        points.LegendText = name;
        return this;
    }

    /// <summary>The area between two lines over the same places.</summary>
    public Chart Band(string name, IEnumerable<double> xs, IEnumerable<double> low, IEnumerable<double> high, Color? colour = null)
    {
        double[] places = [.. xs];
        var (x, below) = Placed(name, places, low);
        var (_, above) = Placed(name, places, high);
        var band = Plot.Add.FillY(x, below, above);
        band.FillColor = colour ?? Palette.Of(colours++).WithAlpha(0.25);
        band.LineWidth = band.MarkerSize = 0;
        band.LegendText = name;
        return this;
    }

    /// <summary>Bars side by side in groups: for each series its name, its colour and a value for each group.</summary>
    public Chart Bars(string[] groups, params (string Name, Color Colour, double[] Values)[] series)
    {
        var width = 0.8 / series.Length;
        for (var i = 0; i < series.Length; i++)
        {
            var (name, colour, values) = series[i];
            if (values.Length != groups.Length)
                throw new ArgumentException($"bars '{name}': {values.Length} values for {groups.Length} groups; there is one for each");
            var left = (i - 0.5 * (series.Length - 1)) * width;
            var bars = Plot.Add.Bars(values.Select((value, group) =>
                new Bar { Position = group + left, Value = value, FillColor = colour, Size = 0.92 * width, LineWidth = 0 }).ToArray());
            bars.LegendText = name;
        }
        Name(Plot.Axes.Bottom, groups);
        Plot.Axes.Margins(bottom: 0);
        return this;
    }

    /// <summary>A matrix as coloured squares, row 0 at the top; words stand in the squares, "" for none.</summary>
    public Chart Matrix(string[] rows, string[] columns, double[,] values, string[,] words)
    {
        var (height, width) = (values.GetLength(0), values.GetLength(1));
        if (rows.Length != height || columns.Length != width || words.GetLength(0) != height || words.GetLength(1) != width)
            throw new ArgumentException(
                $"a matrix of {height}×{width} with {rows.Length} names of rows, {columns.Length} of columns and {words.GetLength(0)}×{words.GetLength(1)} words; they go together");
        var (low, high) = (values.Cast<double>().Min(), values.Cast<double>().Max());
        var map = Plot.Add.Heatmap(values);
        map.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        for (var row = 0; row < height; row++)
            for (var column = 0; column < width; column++)
            {
                if (words[row, column] == "") continue;
                var label = Plot.Add.Text(words[row, column], column, height - 1 - row);
                label.LabelAlignment = Alignment.MiddleCenter;
                label.LabelFontSize = 12;
                label.LabelFontName = Fonts.Family;
                label.LabelFontColor = values[row, column] > low + 0.55 * (high - low) ? Colors.White : Palette.Ink;
            }
        Name(Plot.Axes.Bottom, columns);
        Name(Plot.Axes.Left, rows.Reverse().ToArray());
        Plot.HideGrid();
        Plot.Axes.Margins(0, 0);
        return this;
    }

    /// <summary>The names of columns written upright, where they would touch each other lying down.</summary>
    public Chart Upright()
    {
        Plot.Axes.Bottom.TickLabelStyle.Rotation = -90;
        Plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        Plot.Axes.Bottom.MinimumSize = 100;
        return this;
    }

    /// <summary>A legend in a corner.</summary>
    public Chart Legend(Corner corner = Corner.UpperRight)
    {
        Plot.ShowLegend(corner switch
        {
            Corner.UpperLeft => Alignment.UpperLeft,
            Corner.LowerLeft => Alignment.LowerLeft,
            Corner.LowerRight => Alignment.LowerRight,
            _ => Alignment.UpperRight,
        });
        return this;
    }

    /// <summary>What the horizontal axis shows.</summary>
    public Chart LimitsX(double from, double to)
    {
        Plot.Axes.SetLimitsX(Place(from, logX), Place(to, logX));
        return this;
    }

    /// <summary>What the vertical axis shows.</summary>
    public Chart LimitsY(double from, double to)
    {
        Plot.Axes.SetLimitsY(Place(from, logY), Place(to, logY));
        return this;
    }

    /// <summary>Writes the chart, a .png or an .svg file.</summary>
    public void Save(string path, int width = 760, int height = 480) => Figure.Save(path, 1, width, height, this);

    private static double Place(double value, bool log) => !log ? value : value > 0 ? Math.Log10(value) : double.NaN;

    private (double[] X, double[] Y) Placed(string name, IEnumerable<double> xs, IEnumerable<double> ys)
    {
        double[] x = [.. xs.Select(x => Place(x, logX))], y = [.. ys.Select(y => Place(y, logY))];
        if (x.Length != y.Length)
            throw new ArgumentException($"'{name}': {x.Length} places and {y.Length} values; there is a value for each place");
        return (x, y);
    }

    private static void Name(IAxis axis, string[] names)
    {
        axis.TickGenerator = new NumericManual([.. Enumerable.Range(0, names.Length).Select(i => (double)i)], names);
        axis.MajorTickStyle.Length = 0;
    }
}
