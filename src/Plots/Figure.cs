// Several charts as one picture.
using ScottPlot;

namespace Functional.Plots;

/// <summary>Charts side by side.</summary>
public static class Figure
{
    /// <summary>Charts in a grid of so many columns as one .png or .svg file; each has the given size in pixels.</summary>
    /// <example>
    /// <code>
    /// double[] loss = [1, 0.5, 0.3], accuracy = [0.5, 0.8, 0.9];
    /// Figure.Save("both.png", 2, 640, 440, Draw.History("Loss", ("training", loss)), Draw.History("Accuracy", ("training", accuracy)));
    /// </code>
    /// </example>
    public static void Save(string path, int columns, int width, int height, params IEnumerable<Chart> charts)
    {
        Plot[] plots = [.. charts.Select(chart => chart.Plot)];
        if (plots.Length == 0 || columns < 1)
            throw new ArgumentException($"a figure of {plots.Length} charts in {columns} columns; there is at least one of each");
        var rows = (plots.Length + columns - 1) / columns;
        PictureFile.Save(path, columns * width, rows * height, canvas =>
        {
            for (var i = 0; i < plots.Length; i++)
            {
                var (left, top) = (i % columns * width, i / columns * height);
                // the charts before it stay
                plots[i].RenderManager.ClearCanvasBeforeEachRender = false;
                plots[i].Render(canvas, new PixelRect(left, left + width, top + height, top));
            }
        });
    }
}
