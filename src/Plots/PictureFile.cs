// A drawing becomes a file, of the kind that the file's name says.
using SkiaSharp;

namespace Functional.Plots;

internal static class PictureFile
{
    /// <summary>Draws on a white ground into a PNG or an SVG file; folders on the way are made.</summary>
    public static void Save(string path, int width, int height, Action<SKCanvas> draw)
    {
        if (width < 1 || height < 1)
            throw new ArgumentException($"a picture of {width}×{height} pixels; both are at least 1");
        var save = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => (Action<string, int, int, Action<SKCanvas>>)Png,
            ".svg" => Svg,
            _ => throw new ArgumentException($"'{path}' is neither a .png nor an .svg file; pictures are written as one of these"),
        };
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        save(path, width, height, draw);
    }

    private static void Png(string path, int width, int height, Action<SKCanvas> draw)
    {
        using var surface = SKSurface.Create(new SKImageInfo(width, height));
        surface.Canvas.Clear(SKColors.White);
        draw(surface.Canvas);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        data.SaveTo(file);
    }

    private static void Svg(string path, int width, int height, Action<SKCanvas> draw)
    {
        using var file = File.Create(path);
        using var canvas = SKSvgCanvas.Create(SKRect.Create(width, height), file);
        canvas.Clear(SKColors.White);
        draw(canvas);
    }
}
