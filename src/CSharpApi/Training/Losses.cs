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

    /// <summary>The mean of (log(1 + prediction) − log(1 + target))²; <c>"msle"</c>.</summary>
    MeanSquaredLogarithmicError,

    /// <summary>100 times the mean of |prediction − target|/|target|; <c>"mape"</c>.</summary>
    MeanAbsolutePercentageError,

    /// <summary>The mean of log(cosh(prediction − target)).</summary>
    LogCosh,

    /// <summary>The mean of prediction − target·log(prediction).</summary>
    Poisson,

    /// <summary>The mean of max(0, 1 + the largest prediction of another class − that of the class); targets are one-hot rows.</summary>
    CategoricalHinge,

    /// <summary>The binary cross-entropy, easy examples counting less; <see cref="CSharp.BinaryFocalCrossentropy"/> has its settings.</summary>
    BinaryFocalCrossentropy,

    /// <summary>The categorical cross-entropy, easy examples counting less; <see cref="CSharp.CategoricalFocalCrossentropy"/> has its settings.</summary>
    CategoricalFocalCrossentropy,

    /// <summary>1 − twice the overlap of target and prediction by their sum.</summary>
    Dice,

    /// <summary>Dice's with weights for what is missed and what is wrong; <see cref="CSharp.Tversky"/> has them.</summary>
    Tversky,
}

/// <summary>A loss; Keras' names, <see cref="Losses"/> and functions convert to it.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: "sgd");
/// model.Compile(loss: Losses.MeanSquaredError, optimizer: "sgd");
/// model.Compile(loss: (target, prediction) => (prediction - target).Norm(), optimizer: "sgd");
/// </code></example>
public class Loss
{
    private readonly JsonObject? settings;

    private static readonly IReadOnlyList<(string, Losses)> Known =
    [
        .. Enum.GetValues<Losses>().Select(loss => (Names.Snake(loss), loss)),
        ("mse", Losses.MeanSquaredError), ("mae", Losses.MeanAbsoluteError), ("kld", Losses.KlDivergence),
        ("kullback_leibler_divergence", Losses.KlDivergence),
        ("msle", Losses.MeanSquaredLogarithmicError), ("mape", Losses.MeanAbsolutePercentageError), ("bce", Losses.BinaryCrossentropy), ("cce", Losses.CategoricalCrossentropy),
    ];

    /// <summary>A loss of one's own.</summary>
    /// <param name="function">Takes target and prediction to a single number, or, as Keras' do, to one for each example, whose
    /// mean is taken.</param>
    /// <param name="name">What it is called.</param>
    public Loss(Func<Tensor, Tensor, Tensor> function, string name = "custom")
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        Function = Bridge.Curry<Tensor, Tensor, Tensor>((target, prediction) => Mean(function(target, prediction)));
    }

    private Loss(Losses loss)
    {
        Name = Names.Snake(loss);
        HasKnownName = true;
        TakesLabels = loss is Losses.SparseCategoricalCrossentropy or Losses.SparseCategoricalCrossentropyFromLogits;
        Function = Bridge.Curry(Named(loss));
    }

    /// <summary>A loss with settings, which a file holds under their names.</summary>
    private protected Loss(Losses loss, LossFunction function, bool takesLabels, params (string Name, JsonNode? Value)[] settings)
    {
        (Name, Function, TakesLabels, HasKnownName) = (Names.Snake(loss), function, takesLabels, true);
        this.settings = new JsonObject { ["name"] = Name };
        foreach (var (name, value) in settings)
            if (value is not null) this.settings[name] = value;
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
    public static Loss Huber(double delta) => new Huber(delta);

    /// <summary>One number of those of the examples.</summary>
    internal static Tensor Mean(Tensor numbers) => numbers.Rank == 0 ? numbers : numbers.Mean();

    /// <summary>What a file says of the loss; null where it is a function of the user's own.</summary>
    internal JsonNode? Describe() => settings is not null ? settings.DeepClone() : HasKnownName ? JsonValue.Create(Name) : null;

    /// <summary>The loss that <see cref="Describe"/> wrote.</summary>
    internal static Loss Read(JsonNode? description) =>
        description is JsonObject set ? LossReader.Read(set) : Described.Text(description, "a loss");

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
        Losses.MeanSquaredLogarithmicError => LossModule.meanSquaredLogarithmicError,
        Losses.MeanAbsolutePercentageError => LossModule.meanAbsolutePercentageError,
        Losses.LogCosh => LossModule.logCosh,
        Losses.Poisson => LossModule.poisson,
        Losses.CategoricalHinge => LossModule.categoricalHinge,
        Losses.BinaryFocalCrossentropy => (target, prediction) => LossModule.binaryFocalCrossEntropy(null, 2.0, target, prediction),
        Losses.CategoricalFocalCrossentropy => (target, prediction) => LossModule.categoricalFocalCrossEntropy(0.25, 2.0, target, prediction),
        Losses.Dice => LossModule.dice,
        Losses.Tversky => (target, prediction) => LossModule.tversky(0.5, 0.5, target, prediction),
        _ => throw new ArgumentOutOfRangeException(nameof(loss), $"Losses: {loss} is none of its values"),
    };
}
