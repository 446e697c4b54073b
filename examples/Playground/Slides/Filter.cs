// The talk's slide of a convolution: a filter of 3×3 over an image, and of every 2×2 numbers the largest.
using Playground.Server;

namespace Playground.Slides;

internal static class Filter
{
    private const int MostSide = 96;

    public static object Apply(Wish wish)
    {
        var (height, width) = (wish.Whole("height", 4, MostSide), wish.Whole("width", 4, MostSide));
        var (pixels, kernel) = (wish.Numbers("image", MostSide * MostSide), wish.Numbers("kernel", 9));
        if (pixels.Length != height * width || kernel.Length != 9) throw new Refusal("malformed");
        var image = Tensor.Of(pixels, [1, height, width, 1]).Cast(DType.Float32);
        var given = new Initializer((dtype, shape, _) => Tensor.Of(kernel, shape).Cast(dtype));
        var filter = new Conv2D(filters: 1, kernelSize: 3, useBias: false, kernelInitializer: given);
        var map = new Sequential([filter]).Predict(image);
        var pooled = new Sequential([new MaxPooling2D(2)]).Predict(map);
        return new { map = Shown(map), pooled = Shown(pooled) };
    }

    private static object Shown(Tensor image) => new { height = image.Shape[1], width = image.Shape[2], values = image.ToArray<float>() };
}
