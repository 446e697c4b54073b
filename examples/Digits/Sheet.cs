// A sheet of test digits with the network's answers, and the mistakes it is most sure of.
using Functional;
using Functional.CSharp;
using Functional.Plots;
using SkiaSharp;

namespace Digits;

internal static class Sheet
{
    private const int Side = 28;
    private const int Scale = 3;
    private const int Digit = Side * Scale;
    private const int Cell = Digit + 20;
    private const int Line = Digit + 54;
    private const int Columns = 12;
    private const int Margin = 40;

    private static readonly SKColor Paper = new(0xfa, 0xfb, 0xfc);
    private static readonly SKColor Ink = new(0x1f, 0x29, 0x33);
    private static readonly SKColor Quiet = new(0x7b, 0x87, 0x94);
    private static readonly SKColor Right = new(0x0b, 0x72, 0x85);
    private static readonly SKColor Wrong = new(0xc9, 0x2a, 0x2a);

    public static void Save(DigitData digits, Tensor answers, double accuracy, string path)
    {
        var images = digits.XTest.ToArray<float>();
        var truth = digits.YTest.ToArray<int>();
        var said = answers.ArgMax().ToArray<int>();
        var sure = answers.Max(axis: 1).ToDoubles();
        var mistakes = Enumerable.Range(0, truth.Length).Where(i => said[i] != truth[i]).OrderByDescending(i => sure[i]).ToList();

        var first = Enumerable.Range(0, Math.Min(4 * Columns, truth.Length)).ToList();
        var worst = mistakes.Take(4 * Columns).ToList();
        int firstRows = Rows(first.Count), worstRows = Rows(worst.Count);
        var width = 2 * Margin + Columns * Cell;
        var height = Margin + 52 + firstRows * Line + 12 + 52 + worstRows * Line + Margin / 2;

        using var surface = SKSurface.Create(new SKImageInfo(width, height));
        var canvas = surface.Canvas;
        canvas.Clear(Paper);
        var y = Margin;
        Heading(canvas, ref y, $"The first {first.Count} test digits", $"and what the network says; {accuracy:P2} of all {truth.Length:N0} are right");
        Draw(first, ref y);
        y += 12;
        Heading(canvas, ref y, $"{mistakes.Count:N0} mistakes", mistakes.Count == 0 ? "there are none" : $"the {worst.Count} it was most sure of: its answer, and what it should have been");
        Draw(worst, ref y);

        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());

        void Draw(List<int> places, ref int top)
        {
            for (var k = 0; k < places.Count; k++)
            {
                var (left, row) = (Margin + k % Columns * Cell + 10, top + k / Columns * Line);
                Picture(canvas, images.AsSpan(places[k] * Side * Side, Side * Side), left, row);
                Answer(canvas, said[places[k]], truth[places[k]], sure[places[k]], left, row + Digit);
            }
            top += Rows(places.Count) * Line;
        }
    }

    private static int Rows(int count) => (count + Columns - 1) / Columns;

    private static void Heading(SKCanvas canvas, ref int y, string title, string rest)
    {
        using var bold = new SKFont(Fonts.Typeface(SKFontStyle.Bold), 26);
        using var plain = new SKFont(Fonts.Typeface(SKFontStyle.Normal), 18);
        using var paint = new SKPaint { Color = Ink, IsAntialias = true };
        canvas.DrawText(title, Margin + 10, y + 26, bold, paint);
        paint.Color = Quiet;
        canvas.DrawText(rest, Margin + 10 + bold.MeasureText(title) + 14, y + 26, plain, paint);
        y += 52;
    }

    /// <summary>The digit as ink on paper.</summary>
    private static void Picture(SKCanvas canvas, ReadOnlySpan<float> pixels, int left, int top)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var i = 0; i < pixels.Length; i++)
        {
            var ink = Math.Clamp(pixels[i], 0f, 1f);
            byte Mix(byte paper, byte dark) => (byte)(paper + (dark - paper) * ink);
            bitmap.SetPixel(i % Side, i / Side, new SKColor(Mix(255, Ink.Red), Mix(255, Ink.Green), Mix(255, Ink.Blue)));
        }
        using var image = SKImage.FromBitmap(bitmap);
        var frame = SKRect.Create(left, top, Digit, Digit);
        canvas.DrawImage(image, frame, new SKSamplingOptions(SKCubicResampler.Mitchell));
        using var border = new SKPaint { Color = new SKColor(0xdd, 0xe2, 0xe8), IsStroke = true, StrokeWidth = 1, IsAntialias = true };
        canvas.DrawRect(frame, border);
    }

    /// <summary>The answer, a bar that says how sure the network is, and the truth where it differs.</summary>
    private static void Answer(SKCanvas canvas, int said, int truth, double sure, int left, int top)
    {
        var color = said == truth ? Right : Wrong;
        using var bold = new SKFont(Fonts.Typeface(SKFontStyle.Bold), 20);
        using var plain = new SKFont(Fonts.Typeface(SKFontStyle.Normal), 15);
        using var paint = new SKPaint { Color = new SKColor(0xe4, 0xe7, 0xeb), IsAntialias = true };
        canvas.DrawRect(SKRect.Create(left, top + 4, Digit, 4), paint);
        paint.Color = color;
        canvas.DrawRect(SKRect.Create(left, top + 4, (float)(Digit * sure), 4), paint);
        canvas.DrawText($"{said}", left, top + 30, bold, paint);
        paint.Color = Quiet;
        canvas.DrawText(said == truth ? $"{sure:P0}" : $"not {truth}", left + Digit, top + 29, SKTextAlign.Right, plain, paint);
    }
}
