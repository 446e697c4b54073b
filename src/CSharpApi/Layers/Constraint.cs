// What weights are brought back to after every step of an optimiser.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

/// <summary>What a layer's weights are brought back to after every step; <c>"max_norm"</c>, <c>"non_neg"</c>,
/// <c>"unit_norm"</c> and <c>"min_max_norm"</c> convert to it.</summary>
/// <example><code>new Dense(500, kernelConstraint: Constraint.MaxNorm(3));</code></example>
public sealed class Constraint
{
    private readonly string? name;
    private readonly double[] numbers;
    private readonly int[] axis;

    /// <summary>A constraint of one's own.</summary>
    /// <param name="project">Takes weights to weights of the same shape.</param>
    public Constraint(Func<Tensor, Tensor> project)
        : this(null, [], [], project)
    {
        ArgumentNullException.ThrowIfNull(project);
    }

    private Constraint(string? name, double[] numbers, int[] axis, Func<Tensor, Tensor> project)
    {
        this.name = name;
        this.numbers = numbers;
        this.axis = axis;
        Project = project;
    }

    internal Func<Tensor, Tensor> Project { get; }

    /// <summary>The constraint of a Keras name, with Keras' numbers.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Constraint(string name) => Names.Find<Func<Constraint>>(
        "constraint", name, [("max_norm", () => MaxNorm()), ("non_neg", NonNeg), ("unit_norm", () => UnitNorm()), ("min_max_norm", () => MinMaxNorm())])();

    /// <summary>Weights longer than <paramref name="maxValue"/> are scaled down to it.</summary>
    /// <param name="maxValue">The greatest length.</param>
    /// <param name="axis">The axes of one length; 0, of a dense layer what goes into one unit, when none are given. For
    /// <see cref="Conv2D"/> 0, 1, 2 are all that one filter sees.</param>
    public static Constraint MaxNorm(double maxValue = 2, params int[] axis) =>
        Along("max_norm", [maxValue], axis, (axes, w) => ConstraintModule.maxNorm(maxValue, Bridge.List(axes), w));

    /// <summary>Negative weights become 0.</summary>
    public static Constraint NonNeg() => new("non_neg", [], [], ConstraintModule.nonNegative);

    /// <summary>Weights are scaled to length 1.</summary>
    /// <param name="axis">The axes of one length; 0 when none are given.</param>
    public static Constraint UnitNorm(params int[] axis) =>
        Along("unit_norm", [], axis, (axes, w) => ConstraintModule.unitNorm(Bridge.List(axes), w));

    /// <summary>Weights are scaled so that their length comes between two numbers.</summary>
    /// <param name="minValue">The least length.</param>
    /// <param name="maxValue">The greatest length.</param>
    /// <param name="rate">How much of the way is gone in a step, in (0, 1].</param>
    /// <param name="axis">The axes of one length; 0 when none are given.</param>
    public static Constraint MinMaxNorm(double minValue = 0, double maxValue = 1, double rate = 1, params int[] axis) =>
        Along("min_max_norm", [minValue, maxValue, rate], axis, (axes, w) => ConstraintModule.minMaxNorm(minValue, maxValue, rate, Bridge.List(axes), w));

    /// <summary>As a file has it; null for a function of the user's own.</summary>
    internal JsonNode? ToJson() => name is null
        ? null
        : new JsonObject
        {
            ["name"] = name,
            ["numbers"] = new JsonArray([.. numbers.Select(number => JsonValue.Create(number))]),
            ["axis"] = new JsonArray([.. axis.Select(one => JsonValue.Create(one))]),
        };

    internal static Constraint Read(JsonNode? node, string what)
    {
        var json = Described.Object(node, what);
        var (numbers, axis) = (Described.Numbers(json["numbers"], "numbers"), Described.Wholes(json["axis"], "axis"));
        return (Described.Text(json, "name"), numbers) switch
        {
            ("max_norm", [var most]) => MaxNorm(most, axis),
            ("unit_norm", []) => UnitNorm(axis),
            ("min_max_norm", [var least, var most, var rate]) => MinMaxNorm(least, most, rate, axis),
            ("non_neg", []) => NonNeg(),
            var (name, _) => throw Described.Damaged($"there is no constraint \"{name}\" of {numbers.Length} numbers"),
        };
    }

    private static Constraint Along(string name, double[] numbers, int[] axis, Func<int[], Tensor, Tensor> project)
    {
        ArgumentNullException.ThrowIfNull(axis);
        int[] axes = axis.Length == 0 ? [0] : [.. axis];
        return new(name, numbers, axes, w => project(axes, w));
    }
}
