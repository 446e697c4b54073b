// A drawing as MNIST's digits are: as large as a box of 20×20 allows, its centre of mass in the middle of 28×28 (LeCun et al.,
// "Gradient-based learning applied to document recognition", 1998).
namespace Playground.Digits;

internal static class Drawing
{
    public const int Side = 28;

    private const double Box = 20;

    /// <summary>The digit's pixels, from 0 to 1; null where nothing is drawn.</summary>
    /// <param name="ink">How much ink there is at each place of a square, row by row, from 0 to 255.</param>
    public static float[]? Read(byte[] ink)
    {
        var side = (int)Math.Sqrt(ink.Length);
        int left = side, right = -1, top = side, bottom = -1;
        double mass = 0, massX = 0, massY = 0;
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var here = ink[y * side + x];
                if (here < 32) continue;
                (left, right, top, bottom) = (Math.Min(left, x), Math.Max(right, x), Math.Min(top, y), Math.Max(bottom, y));
                mass += here;
                massX += here * (x + 0.5);
                massY += here * (y + 0.5);
            }
        if (right < 0) return null;

        // a dot is not blown up to a disc that fills the box
        var size = Math.Max(Math.Max(right - left, bottom - top) + 1, side * 0.15);
        var step = size / Box;
        // a drawing that is heavy on one side stays inside the picture all the same
        double Middle(double centre, int low, int high) => Math.Clamp(centre, (low + high + 1) / 2.0 - 3 * step, (low + high + 1) / 2.0 + 3 * step);
        var (middleX, middleY) = (Middle(massX / mass, left, right), Middle(massY / mass, top, bottom));
        var pixels = new float[Side * Side];
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
                pixels[y * Side + x] = (float)Mean(ink, side, middleX + (x - Side / 2) * step, middleY + (y - Side / 2) * step, step);
        return pixels;
    }

    /// <summary>The mean ink, from 0 to 1, of a square of the drawing with its corner at a place.</summary>
    private static double Mean(byte[] ink, int side, double left, double top, double size)
    {
        var samples = Math.Max(2, (int)Math.Ceiling(size));
        var sum = 0.0;
        for (var i = 0; i < samples * samples; i++)
        {
            var x = (int)Math.Floor(left + (i % samples + 0.5) * size / samples);
            var y = (int)Math.Floor(top + (i / samples + 0.5) * size / samples);
            if ((uint)x < side && (uint)y < side) sum += ink[y * side + x];
        }
        return sum / (255.0 * samples * samples);
    }
}
