// The usual pictures, one call each.
using System.Globalization;
using ScottPlot;
using SkiaSharp;

namespace Functional.Plots;

/// <summary>The usual pictures, one call each; what is returned can be added to, and is saved as a .png or an .svg file.</summary>
/// <example>
/// <code>
/// double[] sizes = [4, 8, 16, 32], errors = [1e-1, 2.5e-2, 6e-3, 1.6e-3];
/// Draw.Convergence("Trapezoids", "N", sizes, ("sup error", errors)).Save("trapezoids.svg");
/// </code>
/// </example>
public static class Draw
{
    /// <summary>Curves over the same places.</summary>
    public static Chart Curves(string title, string x, string y, double[] xs, params (string Name, double[] Values)[] curves) =>
        Added(new Chart(title, x, y), xs, curves).Legend();

    /// <summary>Errors over the same places, without their signs, on a logarithmic axis.</summary>
    public static Chart Errors(string title, string x, double[] xs, params (string Name, double[] Errors)[] errors) =>
        Added(new Chart(title, x, "error", logY: true), xs, [.. errors.Select(e => (e.Name, e.Errors.Select(Math.Abs).ToArray()))]).Legend();

    /// <summary>Errors against sizes, both logarithmic, each with the line of its rate (<see cref="Rate"/>).</summary>
    public static Chart Convergence(string title, string x, double[] sizes, params (string Name, double[] Errors)[] errors)
    {
        var chart = new Chart(title, x, "error", logX: true, logY: true);
        for (var i = 0; i < errors.Length; i++)
        {
            var (name, values) = errors[i];
            var rate = Rate(sizes, values);
            var said = double.IsNaN(rate.Exponent) ? name : $"{name} ∝ {x}^{rate.Exponent.ToString("F2", CultureInfo.InvariantCulture)}";
            chart.Points(said, sizes, values, Palette.Of(i), 9).Line("", sizes, values, Palette.Of(i), 1.5);
            if (!double.IsNaN(rate.Exponent))
                chart.Line("", sizes, sizes.Select(size => rate.Factor * Math.Pow(size, rate.Exponent)), Palette.Grey, 1);
        }
        return chart.Legend();
    }

    /// <summary>The power law that errors follow: error = factor·size^exponent, by least squares of the logarithms; NaN where
    /// fewer than two sizes have a positive error.</summary>
    public static (double Exponent, double Factor) Rate(double[] sizes, double[] errors)
    {
        (double X, double Y)[] points =
            [.. sizes.Zip(errors).Where(p => p is { First: > 0, Second: > 0 } && double.IsFinite(p.Second)).Select(p => (Math.Log(p.First), Math.Log(p.Second)))];
        if (points.Select(p => p.X).Distinct().Count() < 2) return (double.NaN, double.NaN);
        var (x, y) = (points.Average(p => p.X), points.Average(p => p.Y));
        var exponent = points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
        return (exponent, Math.Exp(y - exponent * x));
    }

    /// <summary>Values over a rectangle as colours: rows go up along y, columns to the right along x, and the outer ones lie on
    /// the rectangle's edges.</summary>
    public static Chart HeatMap(string title, string x, string y, double[,] values, (double From, double To) rangeX, (double From, double To) rangeY)
    {
        Enough("HeatMap", values);
        var chart = new Chart(title, x, y);
        var map = chart.Plot.Add.Heatmap(values);
        map.FlipVertically = true;
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        var (halfX, halfY) = (0.5 * (rangeX.To - rangeX.From) / (values.GetLength(1) - 1), 0.5 * (rangeY.To - rangeY.From) / (values.GetLength(0) - 1));
        map.Position = new CoordinateRect(rangeX.From - halfX, rangeX.To + halfX, rangeY.From - halfY, rangeY.To + halfY);
        chart.Plot.Add.ColorBar(map);
        chart.Plot.HideGrid();
        return chart.LimitsX(rangeX.From, rangeX.To).LimitsY(rangeY.From, rangeY.To);
    }

    /// <summary>The same values as a surface, seen from above and aside.</summary>
    public static Chart Surface(string title, string x, string y, double[,] values, (double From, double To) rangeX, (double From, double To) rangeY)
    {
        Enough("Surface", values);
        var chart = new Chart(title);
        chart.Plot.Add.Plottable(new Surface(values, rangeX, rangeY, x, y));
        chart.Plot.HideAxesAndGrid();
        chart.Plot.Axes.Title.IsVisible = true;
        return chart;
    }

    /// <summary>What training went through, epoch by epoch from 1, on a logarithmic axis.</summary>
    public static Chart History(string title, params (string Name, double[] Values)[] histories)
    {
        var chart = new Chart(title, "epoch", "", logY: true);
        foreach (var (name, values) in histories)
            chart.Line(name, Enumerable.Range(1, values.Length).Select(epoch => (double)epoch), values);
        return chart.Legend();
    }

    /// <summary>How often what is (rows) was taken for what (columns).</summary>
    public static Chart Confusion(string title, string[] names, int[,] counts)
    {
        var (rows, columns) = (counts.GetLength(0), counts.GetLength(1));
        var (values, words) = (new double[rows, columns], new string[rows, columns]);
        for (var row = 0; row < rows; row++)
        {
            double all = Math.Max(1, Enumerable.Range(0, columns).Sum(column => counts[row, column]));
            for (var column = 0; column < columns; column++)
            {
                values[row, column] = counts[row, column] / all;
                words[row, column] = counts[row, column] == 0 ? "" : counts[row, column].ToString(CultureInfo.InvariantCulture);
            }
        }
        return new Chart(title, "was taken for", "is").Matrix(names, names, values, words);
    }

    /// <summary>Images in rows, each given by its pixels row by row, from the least (white) to the largest (dark) of all; words
    /// stand under each.</summary>
    public static Sheet Images(string title, int imageWidth, double[][] images, string[]? words = null, int columns = 10, int scale = 3)
    {
        const int Margin = 28, Heading = 60, Gap = 14;
        if (images.Length == 0 || columns < 1 || scale < 1)
            throw new ArgumentException($"Draw.Images: {images.Length} images in {columns} columns, {scale} times as large; all are at least 1");
        if (imageWidth < 1 || images.Any(image => image.Length != images[0].Length || image.Length % imageWidth != 0))
            throw new ArgumentException($"Draw.Images: images of {string.Join(", ", images.Select(image => image.Length).Distinct())} pixels in rows of {imageWidth}; all have the same whole number of rows");
        if (words is not null && words.Length != images.Length)
            throw new ArgumentException($"Draw.Images: {words.Length} words for {images.Length} images; there is one for each");
        var (width, height) = (imageWidth * scale, images[0].Length / imageWidth * scale);
        var (line, rows) = (height + Gap + (words is null ? 0 : 20), (images.Length + columns - 1) / columns);
        var (low, high) = (images.Min(image => image.Min()), images.Max(image => image.Max()));
        var sheet = new Sheet(2 * Margin + Math.Min(columns, images.Length) * (width + Gap) - Gap, Heading + rows * line + Margin - Gap);
        sheet.Bold(title, Margin, 38, 20, Shade.Ink, SKTextAlign.Left);
        for (var i = 0; i < images.Length; i++)
        {
            var (x, y) = (Margin + i % columns * (width + Gap), Heading + i / columns * line);
            var pixels = new SKColor[images[i].Length / imageWidth, imageWidth];
            for (var k = 0; k < images[i].Length; k++)
                pixels[k / imageWidth, k % imageWidth] = Shade.Dark((images[i][k] - low) / Math.Max(1e-12, high - low));
            sheet.Image(pixels, x, y, width, height);
            sheet.Frame(x, y, width, height, Shade.Line, 1);
            if (words is not null) sheet.Words(words[i], x + 0.5 * width, y + height + 17, 13, Shade.Ink, SKTextAlign.Center);
        }
        return sheet;
    }

    private static Chart Added(Chart chart, double[] xs, (string Name, double[] Values)[] curves)
    {
        foreach (var (name, values) in curves) chart.Line(name, xs, values);
        return chart;
    }

    private static void Enough(string name, double[,] values)
    {
        if (values.GetLength(0) < 2 || values.GetLength(1) < 2)
            throw new ArgumentException($"Draw.{name}: {values.GetLength(0)}×{values.GetLength(1)} values; there are at least two along each axis");
    }
}
