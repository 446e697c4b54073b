// How weights begin: Keras' initialisers by name, by enum-like properties, or as a function of one's own.
using FSharpInitializer = Microsoft.FSharp.Core.FSharpFunc<Functional.DType, Microsoft.FSharp.Core.FSharpFunc<int[], Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>>>;

namespace Functional.CSharp;

/// <summary>How weights begin; Keras' names convert to it.</summary>
/// <example><code>
/// new Dense(500, kernelInitializer: "he_normal");
/// new Dense(500, kernelInitializer: Initializer.Normal(0.01));
/// </code></example>
public sealed class Initializer
{
    private static readonly IReadOnlyList<(string, Func<Initializer>)> Known =
    [
        ("glorot_uniform", () => GlorotUniform), ("glorot_normal", () => GlorotNormal),
        ("he_uniform", () => HeUniform), ("he_normal", () => HeNormal),
        ("lecun_uniform", () => LecunUniform), ("lecun_normal", () => LecunNormal),
        ("random_normal", () => Normal()), ("normal", () => Normal()),
        ("random_uniform", () => Uniform()), ("uniform", () => Uniform()),
        ("truncated_normal", () => TruncatedNormal()), ("orthogonal", () => Orthogonal()),
        ("variance_scaling", () => VarianceScaling()), ("identity", () => Identity()),
        ("zeros", () => Zeros), ("ones", () => Ones),
    ];

    /// <summary>An initialiser of one's own.</summary>
    /// <param name="draw">Element type, shape and key to a tensor of that type and shape; the same key gives the same numbers.</param>
    /// <param name="name">What it is called.</param>
    public Initializer(Func<DType, int[], Tensor, Tensor> draw, string name = "custom")
        : this(name, Bridge.Curry(draw ?? throw new ArgumentNullException(nameof(draw))))
    {
        ArgumentNullException.ThrowIfNull(name);
    }

    private Initializer(string name, FSharpInitializer function)
    {
        Name = name;
        Function = function;
    }

    /// <summary>Uniform within ±√(6/(inputs + outputs)): Keras' default for weights.</summary>
    public static Initializer GlorotUniform => new("glorot_uniform", InitializerModule.glorotUniform);

    /// <summary>Truncated normal of variance 2/(inputs + outputs).</summary>
    public static Initializer GlorotNormal => new("glorot_normal", InitializerModule.glorotNormal);

    /// <summary>Uniform within ±√(6/inputs), for relu.</summary>
    public static Initializer HeUniform => new("he_uniform", InitializerModule.heUniform);

    /// <summary>Truncated normal of variance 2/inputs, for relu.</summary>
    public static Initializer HeNormal => new("he_normal", InitializerModule.heNormal);

    /// <summary>Uniform within ±√(3/inputs), for selu.</summary>
    public static Initializer LecunUniform => new("lecun_uniform", InitializerModule.lecunUniform);

    /// <summary>Truncated normal of variance 1/inputs, for selu.</summary>
    public static Initializer LecunNormal => new("lecun_normal", InitializerModule.lecunNormal);

    /// <summary>Numbers of variance scale/fan.</summary>
    /// <param name="scale">What the variance is multiplied by.</param>
    /// <param name="mode"><c>"fan_in"</c>, <c>"fan_out"</c> or <c>"fan_avg"</c>: what it is divided by.</param>
    /// <param name="distribution"><c>"truncated_normal"</c> or <c>"uniform"</c>.</param>
    /// <exception cref="ArgumentException">A name that is not known, a scale that is not above 0.</exception>
    public static Initializer VarianceScaling(double scale = 1.0, string mode = "fan_in", string distribution = "truncated_normal") => new(
        "variance_scaling",
        InitializerModule.varianceScaling(
            scale,
            Names.Find("mode", mode, [("fan_in", InitializerModule.Fan.Inputs), ("fan_out", InitializerModule.Fan.Outputs), ("fan_avg", InitializerModule.Fan.Average)]),
            Names.Find("distribution", distribution, [("truncated_normal", false), ("uniform", true)])));

    /// <summary>The identity matrix times a gain, for weights of two axes.</summary>
    /// <param name="gain">What the diagonal is.</param>
    public static Initializer Identity(double gain = 1.0) => new((dtype, shape, key) => InitializerModule.identity(gain, dtype, shape, key), "identity");

    /// <summary>Zeros: Keras' default for biases.</summary>
    public static Initializer Zeros => new("zeros", InitializerModule.zeros);

    /// <summary>Ones.</summary>
    public static Initializer Ones => new("ones", InitializerModule.ones);

    /// <summary>What it is called.</summary>
    public string Name { get; }

    internal FSharpInitializer Function { get; }

    /// <summary>The initialiser of a Keras name: <c>"he_normal"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Initializer(string name) => Names.Find("initializer", name, Known)();

    /// <summary>The same number everywhere.</summary>
    public static Initializer Constant(double value) => new((dtype, shape, key) => InitializerModule.constant(value, dtype, shape, key), "constant");

    /// <summary>Normal around 0.</summary>
    public static Initializer Normal(double deviation = 0.05) => new((dtype, shape, key) => InitializerModule.normal(deviation, dtype, shape, key), "random_normal");

    /// <summary>Uniform between two bounds.</summary>
    public static Initializer Uniform(double low = -0.05, double high = 0.05) => new((dtype, shape, key) => InitializerModule.uniform(low, high, dtype, shape, key), "random_uniform");

    /// <summary>Normal around 0, drawn again where it is two deviations away or more.</summary>
    public static Initializer TruncatedNormal(double deviation = 0.05) => new((dtype, shape, key) => InitializerModule.truncatedNormal(deviation, dtype, shape, key), "truncated_normal");

    /// <summary>Orthonormal rows or columns, times a gain.</summary>
    public static Initializer Orthogonal(double gain = 1.0) => new((dtype, shape, key) => InitializerModule.orthogonal(gain, dtype, shape, key), "orthogonal");
}
