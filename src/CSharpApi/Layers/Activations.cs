// Activation functions by enum, by Keras' string, or as a function of one's own.

namespace Functional.CSharp;

/// <summary>The activation functions that have names.</summary>
public enum Activations
{
    /// <summary>x itself.</summary>
    Linear,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x where positive, else 0.2·x.</summary>
    LeakyRelu,

    /// <summary>x where positive, else eˣ − 1.</summary>
    Elu,

    /// <summary>The self-normalising scaled elu.</summary>
    Selu,

    /// <summary>x·Φ(x), with the normal distribution function.</summary>
    Gelu,

    /// <summary>The approximation of gelu by tanh.</summary>
    GeluTanh,

    /// <summary>log(1 + eˣ).</summary>
    Softplus,

    /// <summary>x/(1 + |x|).</summary>
    Softsign,

    /// <summary>1/(1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>relu6(x + 3)/6: x/6 + ½ within [0, 1].</summary>
    HardSigmoid,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>eˣ.</summary>
    Exponential,

    /// <summary>exp(−x²).</summary>
    Gaussian,

    /// <summary>x·sigmoid(x), also called SiLU.</summary>
    Swish,

    /// <summary>eˣ/Σ eˣ along the last axis.</summary>
    Softmax,

    /// <summary>The logarithm of the softmax.</summary>
    LogSoftmax,

    /// <summary>max(0, x), at most 6.</summary>
    Relu6,

    /// <summary>x where positive, else eˣ − 1, as <see cref="Elu"/>; they differ for other alphas.</summary>
    Celu,

    /// <summary>x·sigmoid(x), also called swish.</summary>
    Silu,

    /// <summary>x·hard_sigmoid(x).</summary>
    HardSilu,

    /// <summary>x·hard_sigmoid(x), also called hard SiLU.</summary>
    HardSwish,

    /// <summary>x within [−1, 1].</summary>
    HardTanh,

    /// <summary>x where |x| is above 0.5, else 0.</summary>
    HardShrink,

    /// <summary>x brought towards 0 by 0.5.</summary>
    SoftShrink,

    /// <summary>x − tanh(x).</summary>
    TanhShrink,

    /// <summary>The logarithm of the sigmoid.</summary>
    LogSigmoid,

    /// <summary>x·tanh(softplus(x)).</summary>
    Mish,

    /// <summary>(x + √(x² + 4))/2.</summary>
    Squareplus,

    /// <summary>0 up to −1, x from 1 on, (x + 1)²/4 between.</summary>
    SparsePlus,

    /// <summary>0 up to −1, 1 from 1 on, (x + 1)/2 between.</summary>
    SparseSigmoid,

    /// <summary>The nearest probabilities along the last axis, many of them 0.</summary>
    Sparsemax,
}

/// <summary>An activation function: a name, an enum or a function convert to it.</summary>
/// <example><code>
/// new Dense(500, activation: "relu");
/// new Dense(500, activation: Activations.Relu);
/// new Dense(500, activation: new ActivationFunction(x => x * Sigmoid(x)));
/// </code></example>
public sealed class ActivationFunction
{
    /// <summary>A function of one's own, which keeps the shape.</summary>
    /// <param name="function">Takes a tensor of any shape to one of that shape.</param>
    /// <param name="name">What it is called in summaries.</param>
    public ActivationFunction(Func<Tensor, Tensor> function, string name = "custom")
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        Function = Bridge.Curry(function);
    }

    private ActivationFunction(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var known = ActivationsModule.Activation.names.Select(n => (n, n)).ToList();
        Name = Names.Find("activation", name, known);
        Function = ActivationsModule.Activation.ofName(Name);
        HasKnownName = true;
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    internal Microsoft.FSharp.Core.FSharpFunc<Tensor, Tensor> Function { get; }

    /// <summary>Whether the name says which function it is, so that it can be saved.</summary>
    internal bool HasKnownName { get; }

    /// <summary>The activation of a Keras name: <c>"relu"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator ActivationFunction(string name) => new(name);

    /// <summary>The activation of an enum.</summary>
    public static implicit operator ActivationFunction(Activations activation) => new(Names.Snake(activation));

    /// <summary>A function of one's own.</summary>
    public static implicit operator ActivationFunction(Func<Tensor, Tensor> function) => new(function);
}
