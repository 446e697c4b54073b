// Sizes for the axes of space: a number for all of them, or one for each, as Keras takes ints and tuples.
using Microsoft.FSharp.Collections;

namespace Functional.CSharp;

/// <summary>Sizes along the axes of space: a number stands for all of them.</summary>
/// <example><code>
/// new Conv2D(32, 3);
/// new Conv2D(32, (3, 5), strides: 2);
/// </code></example>
public readonly struct Sizes
{
    private readonly int[]? numbers;

    private Sizes(int[] numbers) => this.numbers = numbers;

    /// <summary>The same size along every axis.</summary>
    public static implicit operator Sizes(int size) => new([size]);

    /// <summary>Height and width.</summary>
    public static implicit operator Sizes((int Height, int Width) sizes) => new([sizes.Height, sizes.Width]);

    /// <summary>A size for each axis.</summary>
    public static implicit operator Sizes(int[] sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        return new([.. sizes]);
    }

    /// <summary>Whether any were given.</summary>
    internal bool AreGiven => numbers is { Length: > 0 };

    /// <summary>A size of at least 1 for each of a number of axes; those of <paramref name="otherwise"/> when none are given.</summary>
    internal int[] For(string layer, string argument, int axes, int otherwise = 1)
    {
        var all = AreGiven ? numbers! : [otherwise];
        if (all.Length == 1) all = [.. Enumerable.Repeat(all[0], axes)];
        if (all.Length != axes)
            throw new ArgumentException($"{layer}: {argument} has {all.Length} numbers ({string.Join(", ", all)}) for {axes} axes of space; give {axes}, or one for all", argument);
        if (all.Any(size => size < 1))
            throw new ArgumentOutOfRangeException(argument, $"{layer}: {argument} is {string.Join("×", all)}; every number must be at least 1");
        return all;
    }
}

/// <summary>Widths at the begin and the end of each axis of space: a number stands for all of them.</summary>
/// <example><code>
/// new ZeroPadding2D(1);
/// new ZeroPadding2D((1, 2));               // above and below 1, left and right 2
/// new ZeroPadding2D(((1, 0), (2, 0)));     // above 1, left 2
/// new ZeroPadding1D((1, 0));               // before 1
/// </code></example>
public readonly struct Margins
{
    private readonly (int Low, int High)[]? pairs;
    private readonly bool isPair;

    private Margins((int Low, int High)[] pairs, bool isPair = false)
    {
        this.pairs = pairs;
        this.isPair = isPair;
    }

    /// <summary>The same width at every end.</summary>
    public static implicit operator Margins(int width) => new([(width, width)]);

    /// <summary>Two numbers: for a sequence, before and behind; for an image, along its height and along its width.</summary>
    public static implicit operator Margins((int First, int Second) widths) =>
        new([(widths.First, widths.First), (widths.Second, widths.Second)], isPair: true);

    /// <summary>Above and below, left and right.</summary>
    public static implicit operator Margins(((int Top, int Bottom) Height, (int Left, int Right) Width) widths) =>
        new([widths.Height, widths.Width]);

    /// <summary>The widths as a file has them: two for each axis.</summary>
    internal static Margins OfNumbers(int[] numbers) => new([.. numbers.Chunk(2).Select(pair => (pair[0], pair[1]))]);

    /// <summary>A pair for each of a number of axes; 1 at every end when none are given.</summary>
    internal (int Low, int High)[] For(string layer, string argument, int axes)
    {
        var all = pairs ?? [(1, 1)];
        if (isPair && axes == 1) all = [(all[0].Low, all[1].Low)];
        if (all.Length == 1) all = [.. Enumerable.Repeat(all[0], axes)];
        if (all.Length != axes)
            throw new ArgumentException($"{layer}: {argument} has widths for {all.Length} axes, the layer has {axes} axes of space", argument);
        if (all.Any(pair => pair.Low < 0 || pair.High < 0))
            throw new ArgumentOutOfRangeException(argument, $"{layer}: {argument} is {string.Join(", ", all)}; a width cannot be negative");
        return all;
    }

    internal static int[] Numbers((int Low, int High)[] pairs) => [.. pairs.SelectMany(pair => new[] { pair.Low, pair.High })];

    internal static FSharpList<Tuple<int, int>> List((int Low, int High)[] pairs) => Bridge.List(pairs.Select(pair => Tuple.Create(pair.Low, pair.High)));
}
