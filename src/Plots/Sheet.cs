// Pictures that are no charts: images, squares of numbers, boxes and words, at places in pixels.
using System.Globalization;
using SkiaSharp;

namespace Functional.Plots;

/// <summary>A picture of so many pixels. Places are those of a left upper corner, unless said otherwise.</summary>
public sealed class Sheet(int width, int height) : IDisposable
{
    private readonly SKPictureRecorder recorder = new();
    private SKCanvas? canvas;
    private SKPicture? picture;

    private SKCanvas Canvas
    {
        get
        {
            if (canvas is not null) return canvas;
            canvas = recorder.BeginRecording(SKRect.Create(width, height));
            // what was drawn before the sheet was saved
            if (picture is not null) canvas.DrawPicture(picture);
            return canvas;
        }
    }

    /// <summary>Words on a line: x is where they begin, end or have their middle.</summary>
    public void Words(string text, double x, double baseline, double size, SKColor colour, SKTextAlign align) =>
        Write(SKFontStyle.Normal, text, x, baseline, size, colour, align);

    /// <summary>The same in bold.</summary>
    public void Bold(string text, double x, double baseline, double size, SKColor colour, SKTextAlign align) =>
        Write(SKFontStyle.Bold, text, x, baseline, size, colour, align);

    /// <summary>A filled rectangle.</summary>
    public void Box(double x, double y, double width, double height, SKColor fill)
    {
        using var paint = new SKPaint { Color = fill, IsAntialias = true };
        Canvas.DrawRect((float)x, (float)y, (float)width, (float)height, paint);
    }

    /// <summary>The outline of a rectangle.</summary>
    public void Frame(double x, double y, double width, double height, SKColor colour, double thickness)
    {
        using var paint = Stroke(colour, thickness);
        Canvas.DrawRect((float)x, (float)y, (float)width, (float)height, paint);
    }

    /// <summary>A line.</summary>
    public void Line(double x1, double y1, double x2, double y2, SKColor colour, double thickness)
    {
        using var paint = Stroke(colour, thickness);
        Canvas.DrawLine((float)x1, (float)y1, (float)x2, (float)y2, paint);
    }

    /// <summary>An arrow to the right.</summary>
    public void Arrow(double x, double y, double length, SKColor colour)
    {
        Line(x, y, x + length, y, colour, 2);
        Line(x + length - 8, y - 6, x + length, y, colour, 2);
        Line(x + length - 8, y + 6, x + length, y, colour, 2);
    }

    /// <summary>An image, each pixel a square: for every row and column its colour.</summary>
    public void Image(SKColor[,] pixels, double x, double y, double width, double height)
    {
        var (rows, columns) = (pixels.GetLength(0), pixels.GetLength(1));
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                bitmap.SetPixel(column, row, pixels[row, column]);
        using var image = SKImage.FromBitmap(bitmap);
        Canvas.DrawImage(image, SKRect.Create((float)x, (float)y, (float)width, (float)height), new SKSamplingOptions(SKFilterMode.Nearest));
    }

    /// <summary>Numbers in squares of a size, shaded from the smallest to the largest.</summary>
    public void Numbers(double[,] values, double x, double y, double cell)
    {
        var (low, high) = (values.Cast<double>().Min(), values.Cast<double>().Max());
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1); column++)
            {
                var (value, left, top) = (values[row, column], x + column * cell, y + row * cell);
                Box(left, top, cell, cell, Shade.Blues(0.5 * (value - low) / Math.Max(1e-12, high - low)));
                Frame(left, top, cell, cell, Shade.Line, 1);
                Words(value.ToString(CultureInfo.InvariantCulture), left + 0.5 * cell, top + 0.64 * cell, 0.4 * cell, Shade.Ink, SKTextAlign.Center);
            }
    }

    /// <summary>Writes the sheet, a .png or an .svg file.</summary>
    public void Save(string path)
    {
        _ = Canvas;
        var before = picture;
        (picture, canvas) = (recorder.EndRecording(), null);
        before?.Dispose();
        PictureFile.Save(path, width, height, target => target.DrawPicture(picture));
    }

    /// <summary>Lets go of what was drawn.</summary>
    public void Dispose()
    {
        picture?.Dispose();
        recorder.Dispose();
    }

    private static SKPaint Stroke(SKColor colour, double thickness) =>
        new() { Color = colour, IsAntialias = true, IsStroke = true, StrokeWidth = (float)thickness };

    private void Write(SKFontStyle style, string text, double x, double y, double size, SKColor colour, SKTextAlign align)
    {
        using var typeface = Fonts.TypefaceFor(style, text);
        using var font = new SKFont(typeface, (float)size);
        using var paint = new SKPaint { Color = colour, IsAntialias = true };
        Canvas.DrawText(text, (float)x, (float)y, align, font, paint);
    }
}
