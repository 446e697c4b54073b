// The facade's layers with arguments that are far too large, negative, or whose products wrap round to small numbers. What
// each of them must come to is counted in whole numbers of any size.
using System.Numerics;

namespace Fixtures;

/// <summary>Layers of two numbers, and how many elements their arrays have.</summary>
public static class ExtremeLayers
{
    private sealed record Case(string Name, int[] Input, Func<int, int, Layer> Make, Func<BigInteger, BigInteger, BigInteger[]?> Sizes);

    /// <summary>The longest stride of a window.</summary>
    private const int Steps = 1 << 30;

    private static readonly Case[] Cases =
    [
        new("Dense", [3], (a, _) => new Dense(a, activation: null, useBias: true), (a, _) => a < 1 ? null : [3 * a, a]),
        new("Embedding", [2], (a, b) => new Embedding(a, b), (a, b) => a < 2 || b < 1 ? null : [a * b, 2 * b]),
        new("Reshape", [8], (a, b) => new Reshape(a, b), (a, b) => Reshaped(8, a, b)),
        new("RepeatVector", [3], (a, _) => new RepeatVector(a), (a, _) => a < 1 ? null : [3 * a]),
        new("ZeroPadding1D", [4, 3], (a, b) => new ZeroPadding1D((a, b)), (a, b) => a < 0 || b < 0 ? null : [3 * (4 + a + b)]),
        new("ZeroPadding2D", [2, 2, 1], (a, b) => new ZeroPadding2D((a, b)), (a, b) => a < 0 || b < 0 ? null : [(2 + 2 * a) * (2 + 2 * b)]),
        new("Cropping1D", [9, 2], (a, b) => new Cropping1D((a, b)), (a, b) => a < 0 || b < 0 || a + b > 8 ? null : [2 * (9 - a - b)]),
        new("Cropping2D", [9, 9, 1], (a, b) => new Cropping2D((a, b)), (a, b) => a < 0 || b < 0 || a > 4 || b > 4 ? null : [(9 - 2 * a) * (9 - 2 * b)]),
        new("UpSampling1D", [4, 2], (a, _) => new UpSampling1D(a), (a, _) => a < 1 ? null : [8 * a]),
        new("UpSampling2D", [2, 2, 1], (a, b) => new UpSampling2D((a, b)), (a, b) => a < 1 || b < 1 ? null : [4 * a * b]),
        new("Conv1D", [6, 2], (a, b) => new Conv1D(a, b), (a, b) => a < 1 || b < 1 || b > 6 ? null : [2 * a * b, a * (7 - b)]),
        new("Conv2D", [5, 5, 1], (a, b) => new Conv2D(a, 3, strides: b), (a, b) => a < 1 || b < 1 || b > Steps ? null : [9 * a, a * (1 + 2 / b) * (1 + 2 / b)]),
        new("Conv2D", [5, 5, 1], (a, b) => new Conv2D(a, 2, dilationRate: b), (a, b) => a < 1 || b < 1 || b > 4 ? null : [4 * a, a * (5 - b) * (5 - b)]),
        new("Conv2DTranspose", [2, 2, 1], (a, b) => new Conv2DTranspose(a, 2, strides: b), (a, b) => a < 1 || b < 1 ? null : [4 * a, a * Up(b) * Up(b)]),
        new("DepthwiseConv2D", [4, 4, 3], (a, _) => new DepthwiseConv2D(2, depthMultiplier: a), (a, _) => a < 1 ? null : [12 * a, 27 * a]),
        new("SeparableConv2D", [4, 4, 3], (a, b) => new SeparableConv2D(a, 2, depthMultiplier: b), (a, b) => a < 1 || b < 1 ? null : [12 * b, 27 * b, 3 * a * b, 9 * a]),
        new("MaxPooling1D", [6, 2], (a, b) => new MaxPooling1D(a, b), (a, b) => a < 1 || b < 1 || a > 6 || b > Steps ? null : [2 * ((6 - a) / b + 1)]),
        new("AveragePooling2D", [6, 6, 1], (a, b) => new AveragePooling2D(a, b), (a, b) => a < 1 || b < 1 || a > 6 || b > Steps ? null : [((6 - a) / b + 1) * ((6 - a) / b + 1)]),
        new("LSTM", [3, 2], (a, _) => new LSTM(a), (a, _) => a < 1 ? null : [8 * a, 4 * a * a]),
        new("GRU", [3, 2], (a, _) => new GRU(a), (a, _) => a < 1 ? null : [6 * a, 3 * a * a]),
        new("SimpleRNN", [3, 2], (a, _) => new SimpleRNN(a), (a, _) => a < 1 ? null : [2 * a, a * a]),
    ];

    /// <summary>How many layers there are.</summary>
    public static int Count => Cases.Length;

    /// <summary>The layer's kind.</summary>
    public static string Name(int layer) => Cases[layer].Name;

    /// <summary>The numbers of elements of the layer's arrays for one example; null where there can be no such layer.</summary>
    public static BigInteger[]? Sizes(int layer, int a, int b) => Cases[layer].Sizes(a, b);

    /// <summary>Makes the layer, lets it answer one example of ones, and counts the answer's elements.</summary>
    public static int Run(int layer, int a, int b)
    {
        var (_, input, make, _) = Cases[layer];
        var first = make(a, b);
        var model = new Sequential([new InputLayer(input), first], seed: 1);
        return model.Predict(Tensor.Ones([1, .. input], DType.Float32)).Shape.Aggregate(1, (n, size) => n * size);
    }

    private static BigInteger Up(BigInteger stride) => 2 * stride + BigInteger.Max(0, 2 - stride);

    private static BigInteger[]? Reshaped(BigInteger size, BigInteger a, BigInteger b)
    {
        if (a == -1 && b > 0 && size % b == 0 && b <= size) return [size];
        if (b == -1 && a > 0 && size % a == 0 && a <= size) return [size];
        return a < 0 || b < 0 || a * b != size ? null : [size];
    }
}
