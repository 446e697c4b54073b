namespace Functional;

/// <summary>How a tensor is written as text, by NumPy's names and defaults but for the precision, which is 4 here and 8 there.</summary>
/// <param name="Precision">The most decimals a float is given; 17 show all that a double has.</param>
/// <param name="LineWidth">Where lines are wrapped.</param>
/// <param name="Threshold">Tensors of more elements are shown in part; int.MaxValue shows all.</param>
/// <param name="EdgeItems">How many elements, then, at either end of an axis.</param>
/// <example><code>Console.WriteLine(Tensor.Of([1.0 / 3, 2.0 / 3]).ToString(new PrintOptions(Precision: 8)));</code></example>
public sealed record PrintOptions(int Precision = 4, int LineWidth = 75, int Threshold = 1000, int EdgeItems = 3)
{
    /// <summary>What is used where nothing else is said.</summary>
    public static PrintOptions Default { get; } = new();

    /// <summary>The same options, if they make sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A precision below 0, a line of no width, a negative count.</exception>
    internal PrintOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Precision);
        ArgumentOutOfRangeException.ThrowIfLessThan(LineWidth, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Threshold);
        ArgumentOutOfRangeException.ThrowIfLessThan(EdgeItems, 1);
        return this;
    }
}
