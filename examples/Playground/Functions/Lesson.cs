// What the network is to learn, and how it is seen how far it has got. Inputs lie in [−1, 1] for the network, whatever the
// visitor's units are, and so do the values of functions.
namespace Playground.Functions;

internal abstract class Lesson
{
    /// <summary>Examples to learn from [n, inputs], scaled.</summary>
    public required Tensor X { get; init; }

    /// <summary>What they should give [n, 1], scaled.</summary>
    public required Tensor Y { get; init; }

    /// <summary>How each input, and the answer, becomes what the network has.</summary>
    public required Scale[] InputScales { get; init; }

    public Scale OutputScale { get; init; } = new(0, 1);

    public int Inputs => X.Shape[1];

    /// <summary>Whether the answer is one of two classes, −1 and 1, not a number.</summary>
    public abstract bool Classifies { get; }

    /// <summary>What the page is told of the lesson, once.</summary>
    public abstract object Describe();

    /// <summary>Where the network is looked at [m, inputs], scaled.</summary>
    public abstract Tensor Places { get; }

    /// <summary>What the page shows of the network's answers at those places, and the errors measured on them.</summary>
    public abstract Seen See(double[] answers, Net net, Func<Tensor, Tensor> activation);

    /// <summary>A neuron's values at the places, as many as its little picture has.</summary>
    public abstract double[] Thin(double[] values);
}

/// <summary>How far the network has got.</summary>
/// <param name="Sup">The largest error; null where it is no function.</param>
/// <param name="L2">The root of the mean squared error; null where it is no function.</param>
/// <param name="Right">The share of new points told apart rightly; null where it is a function.</param>
/// <param name="Curve">The network's values, in the visitor's units; null in the plane.</param>
/// <param name="Field">The network's values in the plane, a byte each, row by row from below.</param>
internal sealed record Seen(double? Sup = null, double? L2 = null, double? Right = null, float[]? Curve = null, byte[]? Field = null);

/// <summary>From the visitor's units to [−1, 1] and back.</summary>
internal readonly record struct Scale(double Middle, double Half)
{
    public static Scale Of(IEnumerable<double> values)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        return Between(low, high);
    }

    public static Scale Between(double low, double high) => new((low + high) / 2, high > low ? (high - low) / 2 : 1);

    public double In(double value) => (value - Middle) / Half;

    public double Out(double value) => Middle + Half * value;
}
