// Losses by enum, by Keras' string, or as a function of one's own.
using System.Text.Json.Nodes;
using LossFunction = Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>>;

namespace Functional.CSharp;

/// <summary>The losses that have names, with Keras' meanings.</summary>
public enum Losses
{
    /// <summary>The mean of (prediction − target)²; <c>"mse"</c>.</summary>
    MeanSquaredError,

    /// <summary>The mean of |prediction − target|; <c>"mae"</c>.</summary>
    MeanAbsoluteError,

    /// <summary>½Σ(prediction − target)², summed over everything: the loss of the talk.</summary>
    HalfSquaredError,

    /// <summary>Huber's loss with delta 1.</summary>
    Huber,

    /// <summary>The cross-entropy of probabilities of a yes.</summary>
    BinaryCrossentropy,

    /// <summary>The binary cross-entropy of logits, right for logits of any size.</summary>
    BinaryCrossentropyFromLogits,

    /// <summary>The cross-entropy of probabilities of classes; targets are one-hot rows.</summary>
    CategoricalCrossentropy,

    /// <summary>The cross-entropy of logits of classes; targets are one-hot rows.</summary>
    CategoricalCrossentropyFromLogits,

    /// <summary>The cross-entropy of probabilities of classes; targets are class numbers.</summary>
    SparseCategoricalCrossentropy,

    /// <summary>The cross-entropy of logits of classes; targets are class numbers.</summary>
    SparseCategoricalCrossentropyFromLogits,

    /// <summary>The Kullback–Leibler divergence of the prediction from the target.</summary>
    KlDivergence,

    /// <summary>The mean of max(0, 1 − target·prediction); targets are −1 and 1.</summary>
    Hinge,

    /// <summary>The mean of max(0, 1 − target·prediction)².</summary>
    SquaredHinge,

    /// <summary>Minus the cosine of the angle between target and prediction.</summary>
    CosineSimilarity,
}

/// <summary>A loss; Keras' names, <see cref="Losses"/> and functions convert to it.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: "sgd");
/// model.Compile(loss: Losses.MeanSquaredError, optimizer: "sgd");
/// model.Compile(loss: (target, prediction) => (prediction - target).Norm(), optimizer: "sgd");
/// </code></example>
public sealed class Loss
{
    private readonly double? delta;

    private static readonly IReadOnlyList<(string, Losses)> Known =
    [
        .. Enum.GetValues<Losses>().Select(loss => (Names.Snake(loss), loss)),
        ("mse", Losses.MeanSquaredError), ("mae", Losses.MeanAbsoluteError), ("kld", Losses.KlDivergence),
        ("kullback_leibler_divergence", Losses.KlDivergence),
        ("bce", Losses.BinaryCrossentropy), ("cce", Losses.CategoricalCrossentropy),
    ];

    /// <summary>A loss of one's own.</summary>
    /// <param name="function">Takes target and prediction to a single number.</param>
    /// <param name="name">What it is called.</param>
    public Loss(Func<Tensor, Tensor, Tensor> function, string name = "custom")
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        Function = Bridge.Curry(function);
    }

    private Loss(double delta)
        : this((target, prediction) => LossModule.huber(delta, target, prediction), "huber")
    {
        if (!(delta > 0 && double.IsFinite(delta)))
            throw new ArgumentOutOfRangeException(nameof(delta), $"Loss.Huber: delta is a number above 0; {delta} was given");
        this.delta = delta;
    }

    private Loss(Losses loss)
    {
        Name = Names.Snake(loss);
        HasKnownName = true;
        TakesLabels = loss is Losses.SparseCategoricalCrossentropy or Losses.SparseCategoricalCrossentropyFromLogits;
        Function = Bridge.Curry(Named(loss));
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    internal LossFunction Function { get; }

    internal bool HasKnownName { get; }

    /// <summary>Whether targets are class numbers.</summary>
    internal bool TakesLabels { get; }

    /// <summary>The loss of a Keras name: <c>"mse"</c>, <c>"categorical_crossentropy"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Loss(string name) => new(Names.Find("loss", name, Known));

    /// <summary>The loss of an enum.</summary>
    public static implicit operator Loss(Losses loss) => new(loss);

    /// <summary>A loss of one's own.</summary>
    public static implicit operator Loss(Func<Tensor, Tensor, Tensor> function) => new(function);

    /// <summary>Huber's loss: quadratic near the target, linear beyond <paramref name="delta"/>.</summary>
    /// <param name="delta">Where it becomes linear.</param>
    /// <exception cref="ArgumentOutOfRangeException">A delta that is not above 0.</exception>
    public static Loss Huber(double delta) => new(delta);

    /// <summary>What a file says of the loss; null where it is a function of the user's own.</summary>
    internal JsonNode? Describe() => delta is { } number
        ? new JsonObject { ["name"] = Name, ["delta"] = number }
        : HasKnownName ? JsonValue.Create(Name) : null;

    /// <summary>The loss that <see cref="Describe"/> wrote.</summary>
    internal static Loss Read(JsonNode? description) =>
        description is JsonObject huber ? Huber(Described.Number(huber, "delta")) : Described.Text(description, "a loss");

    private static Func<Tensor, Tensor, Tensor> Named(Losses loss) => loss switch
    {
        Losses.MeanSquaredError => LossModule.meanSquaredError,
        Losses.MeanAbsoluteError => LossModule.meanAbsoluteError,
        Losses.HalfSquaredError => LossModule.halfSquaredError,
        Losses.Huber => (target, prediction) => LossModule.huber(1.0, target, prediction),
        Losses.BinaryCrossentropy => LossModule.binaryCrossEntropy,
        Losses.BinaryCrossentropyFromLogits => LossModule.binaryCrossEntropyFromLogits,
        Losses.CategoricalCrossentropy => LossModule.categoricalCrossEntropy,
        Losses.CategoricalCrossentropyFromLogits => LossModule.categoricalCrossEntropyFromLogits,
        Losses.SparseCategoricalCrossentropy => LossModule.sparseCategoricalCrossEntropy,
        Losses.SparseCategoricalCrossentropyFromLogits => LossModule.sparseCategoricalCrossEntropyFromLogits,
        Losses.KlDivergence => LossModule.kullbackLeibler,
        Losses.Hinge => LossModule.hinge,
        Losses.SquaredHinge => LossModule.squaredHinge,
        Losses.CosineSimilarity => LossModule.cosineSimilarity,
        _ => throw new ArgumentOutOfRangeException(nameof(loss), $"Losses: {loss} is none of its values"),
    };
}
