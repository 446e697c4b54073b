// A surface over a rectangle, seen from above and aside, its farthest squares drawn first.
using System.Globalization;
using ScottPlot;
using SkiaSharp;

namespace Functional.Plots;

internal sealed class Surface(double[,] values, (double From, double To) x, (double From, double To) y, string nameX, string nameY) : IPlottable
{
    private const double Turn = 0.62, Tilt = 0.52;

    private readonly double low = values.Cast<double>().Where(double.IsFinite).DefaultIfEmpty(0).Min();
    private readonly double high = values.Cast<double>().Where(double.IsFinite).DefaultIfEmpty(1).Max();

    public bool IsVisible { get; set; } = true;

    public IAxes Axes { get; set; } = new Axes();

    public IEnumerable<LegendItem> LegendItems => [];

    public AxisLimits GetAxisLimits() => new(0, 1, 0, 1);

    public void Render(RenderPack rp)
    {
        var (canvas, place) = (rp.Canvas, rp.DataRect);
        var scale = Math.Min(place.Width / 1.45, place.Height / 1.45);
        SKPoint At(double u, double v, double w)
        {
            var (across, _) = Turned(u, v);
            return new(place.HorizontalCenter + (float)(scale * across), place.VerticalCenter + 0.03f * (float)scale - (float)(scale * Up(u, v, w)));
        }
        Box(canvas, At);
        Squares(canvas, At);
        Words(canvas, At);
    }

    /// <summary>A point of the unit square turned about its middle: what lies across, and what lies farther away.</summary>
    private static (double Across, double Away) Turned(double u, double v)
    {
        var (a, b) = (u - 0.5, v - 0.5);
        return (a * Math.Cos(Turn) - b * Math.Sin(Turn), a * Math.Sin(Turn) + b * Math.Cos(Turn));
    }

    private static double Up(double u, double v, double w) => Turned(u, v).Away * Math.Sin(Tilt) + 0.62 * (w - 0.5) * Math.Cos(Tilt);

    private double Height(double value) => high > low ? (value - low) / (high - low) : 0.5;

    private static void Box(SKCanvas canvas, Func<double, double, double, SKPoint> at)
    {
        using var thin = new SKPaint { Color = Shade.Line, IsAntialias = true, IsStroke = true, StrokeWidth = 1 };
        foreach (var (u, v, s, t) in new[] { (0, 0, 1, 0), (0, 0, 0, 1), (1, 0, 1, 1), (0, 1, 1, 1) })
            canvas.DrawLine(at(u, v, 0), at(s, t, 0), thin);
        foreach (var (u, v) in new[] { (0, 1), (1, 1), (1, 0) })
            canvas.DrawLine(at(u, v, 0), at(u, v, 1), thin);
        canvas.DrawLine(at(0, 1, 1), at(1, 1, 1), thin);
        canvas.DrawLine(at(1, 1, 1), at(1, 0, 1), thin);
    }

    private void Squares(SKCanvas canvas, Func<double, double, double, SKPoint> at)
    {
        var (rows, columns) = (values.GetLength(0), values.GetLength(1));
        var colours = new ScottPlot.Colormaps.Viridis();
        using var fill = new SKPaint { IsAntialias = true };
        using var edge = new SKPaint { Color = SKColors.White.WithAlpha(90), IsAntialias = true, IsStroke = true, StrokeWidth = 0.6f };
        var cells =
            from row in Enumerable.Range(0, rows - 1)
            from column in Enumerable.Range(0, columns - 1)
            orderby Turned((column + 0.5) / (columns - 1), (row + 0.5) / (rows - 1)).Away descending
            select (row, column);
        foreach (var (row, column) in cells)
        {
            (int Row, int Column)[] corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
            double[] heights = [.. corners.Select(corner => Height(values[corner.Row, corner.Column]))];
            if (!heights.All(double.IsFinite)) continue;
            using var path = new SKPath();
            path.AddPoly([.. corners.Select((c, i) => at(c.Column / (columns - 1.0), c.Row / (rows - 1.0), heights[i]))], close: true);
            fill.Color = colours.GetColor(heights.Average()).ToSKColor();
            canvas.DrawPath(path, fill);
            // a net over fine squares would hide their colours
            if (rows > 64 || columns > 64) edge.Color = fill.Color;
            canvas.DrawPath(path, edge);
        }
    }

    private void Words(SKCanvas canvas, Func<double, double, double, SKPoint> at)
    {
        using var typeface = Fonts.Typeface(SKFontStyle.Normal);
        using var font = new SKFont(typeface, 13);
        using var paint = new SKPaint { Color = Shade.Ink, IsAntialias = true };
        void Write(string text, SKPoint p, float right, float down, SKTextAlign align) =>
            canvas.DrawText(text, p.X + right, p.Y + down, align, font, paint);
        Write(Number(x.From), at(0, 0, 0), 10, 14, SKTextAlign.Left);
        Write(nameX, at(0.5, 0, 0), 14, 18, SKTextAlign.Left);
        Write(Number(x.To), at(1, 0, 0), 4, 16, SKTextAlign.Left);
        Write(Number(y.From), at(0, 0, 0), -10, 14, SKTextAlign.Right);
        Write(nameY, at(0, 0.5, 0), -14, 18, SKTextAlign.Right);
        Write(Number(y.To), at(0, 1, 0), -4, 16, SKTextAlign.Right);
        Write(Number(low), at(0, 1, 0), -8, -2, SKTextAlign.Right);
        Write(Number(high), at(0, 1, 1), -8, 4, SKTextAlign.Right);
    }

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}
