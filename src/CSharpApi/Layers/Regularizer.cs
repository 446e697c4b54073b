// Penalties on the size of weights, which a layer adds to the loss.
namespace Functional.CSharp;

/// <summary>A penalty on a layer's weights, added to the loss; <c>"l1"</c>, <c>"l2"</c> and <c>"l1_l2"</c> convert to it.</summary>
/// <example><code>new Dense(500, kernelRegularizer: Regularizer.L2(1e-4));</code></example>
public sealed class Regularizer
{
    /// <summary>A penalty of one's own.</summary>
    /// <param name="penalty">Takes weights to a single number.</param>
    public Regularizer(Func<Tensor, Tensor> penalty)
        : this(penalty, double.NaN, double.NaN)
    {
        ArgumentNullException.ThrowIfNull(penalty);
    }

    private Regularizer(Func<Tensor, Tensor> penalty, double l1, double l2)
    {
        Penalty = penalty;
        L1Strength = l1;
        L2Strength = l2;
    }

    /// <summary>Weights to a single number.</summary>
    internal Func<Tensor, Tensor> Penalty { get; }

    /// <summary>The factor of Σ|w|; NaN for a penalty of one's own.</summary>
    internal double L1Strength { get; }

    /// <summary>The factor of Σw²; NaN for a penalty of one's own.</summary>
    internal double L2Strength { get; }

    /// <summary>The penalty of a Keras name, with Keras' strength of 0.01.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Regularizer(string name) =>
        Names.Find<Func<Regularizer>>("regularizer", name, [("l1", () => L1()), ("l2", () => L2()), ("l1_l2", () => L1L2())])();

    /// <summary>strength·Σ|w|.</summary>
    public static Regularizer L1(double strength = 0.01) => new(w => Functional.Penalty.l1(strength, w), strength, 0);

    /// <summary>strength·Σw².</summary>
    public static Regularizer L2(double strength = 0.01) => new(w => Functional.Penalty.l2(strength, w), 0, strength);

    /// <summary>l1·Σ|w| + l2·Σw².</summary>
    public static Regularizer L1L2(double l1 = 0.01, double l2 = 0.01) => new(w => Functional.Penalty.l1l2(l1, l2, w), l1, l2);

    /// <summary>The penalty of two strengths, as it was: one that is 0 is not computed.</summary>
    internal static Regularizer Read(double l1, double l2) => l1 == 0 ? L2(l2) : l2 == 0 ? L1(l1) : L1L2(l1, l2);

    /// <summary>Whether the penalty is one of the user's own, which text cannot hold.</summary>
    internal bool IsCustom => double.IsNaN(L1Strength);
}
