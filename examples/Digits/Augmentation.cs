// Digits that are never twice the same: each is shifted, turned, sheared and stretched a little, at random, every time it is
// shown. One pass per pixel, cheap beside the training step.
using Functional;
using Functional.CSharp;

namespace Digits;

internal sealed class Augmentation(Tensor images, Tensor labels, int batchSize)
{
    private const int Side = 28;
    private const float Centre = (Side - 1) / 2f;

    private readonly float[] pixels = images.ToArray<float>();
    private readonly int[] digits = labels.ToArray<int>();

    /// <summary>Batches in an epoch; the last may be smaller.</summary>
    public int Batches => (digits.Length + batchSize - 1) / batchSize;

    /// <summary>All digits once, in random order and each in a random position; the same seed gives the same.</summary>
    public IEnumerable<(Tensor X, Tensor Y)> Epoch(long seed)
    {
        var random = new System.Random(seed.GetHashCode());
        var order = Enumerable.Range(0, digits.Length).ToArray();
        random.Shuffle(order);
        foreach (var places in order.Chunk(batchSize))
        {
            var batch = new float[places.Length * Side * Side];
            for (var i = 0; i < places.Length; i++)
                Move(pixels.AsSpan(places[i] * Side * Side, Side * Side), batch.AsSpan(i * Side * Side, Side * Side), random);
            yield return (
                Tensor.Of(batch, [places.Length, Side * Side]),
                Tensor.Of([.. places.Select(place => digits[place])]).OneHot(10));
        }
    }

    /// <summary>Draws the digit through a random affine map, with linear interpolation between pixels.</summary>
    private static void Move(ReadOnlySpan<float> from, Span<float> to, System.Random random)
    {
        float Uniform(float reach) => (2 * random.NextSingle() - 1) * reach;

        var (sin, cos) = MathF.SinCos(Uniform(0.2f));
        float shear = Uniform(0.2f), wide = 1 + Uniform(0.12f), high = 1 + Uniform(0.12f);
        float shiftX = Uniform(2f) + Centre, shiftY = Uniform(2f) + Centre;
        float xx = cos * wide, xy = (shear * cos - sin) * wide, yx = sin * high, yy = (cos + shear * sin) * high;

        for (var row = 0; row < Side; row++)
            for (var column = 0; column < Side; column++)
            {
                float dx = column - Centre, dy = row - Centre;
                float x = xx * dx + xy * dy + shiftX, y = yx * dx + yy * dy + shiftY;
                int left = (int)MathF.Floor(x), top = (int)MathF.Floor(y);
                if (left < -1 || top < -1 || left >= Side || top >= Side) continue;

                float right = x - left, below = y - top;
                var upper = (1 - right) * At(from, left, top) + right * At(from, left + 1, top);
                var lower = (1 - right) * At(from, left, top + 1) + right * At(from, left + 1, top + 1);
                to[row * Side + column] = (1 - below) * upper + below * lower;
            }
    }

    private static float At(ReadOnlySpan<float> image, int x, int y) =>
        (uint)x < Side && (uint)y < Side ? image[y * Side + x] : 0f;
}
