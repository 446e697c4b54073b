// Keras' losses that have settings, as classes with its names and defaults. Each makes the F# loss of its settings.
using System.Text.Json.Nodes;
using Function = Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>>;

namespace Functional.CSharp;

/// <summary>Huber's loss: quadratic near the target, linear beyond <c>delta</c>.</summary>
/// <param name="delta">Where it becomes linear.</param>
/// <example><code>model.Compile(loss: new Huber(delta: 0.5), optimizer: "adam");</code></example>
/// <exception cref="ArgumentOutOfRangeException">A delta that is not above 0.</exception>
public sealed class Huber(double delta = 1.0)
    : Loss(Losses.Huber, LossSettings.Huber(delta), false, ("delta", delta));

/// <summary>The cross-entropy of a yes: of probabilities, or of logits.</summary>
/// <param name="fromLogits">Whether predictions are logits, not probabilities.</param>
/// <param name="labelSmoothing">Brings targets towards ½ by this share.</param>
/// <example><code>model.Compile(loss: new BinaryCrossentropy(fromLogits: true), optimizer: "adam");</code></example>
/// <exception cref="ArgumentException">A label smoothing outside [0, 1].</exception>
public sealed class BinaryCrossentropy(bool fromLogits = false, double labelSmoothing = 0.0)
    : Loss(
        Losses.BinaryCrossentropy,
        LossModule.smoothedBinary(labelSmoothing, LossSettings.Of(fromLogits ? LossModule.binaryCrossEntropyFromLogits : LossModule.binaryCrossEntropy)),
        false,
        ("from_logits", fromLogits),
        ("label_smoothing", labelSmoothing));

/// <summary>The cross-entropy of classes, for targets that are one-hot rows.</summary>
/// <param name="fromLogits">Whether predictions are logits, not probabilities.</param>
/// <param name="labelSmoothing">Spreads this share of every target over all classes.</param>
/// <example><code>model.Compile(loss: new CategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1), optimizer: "adam");</code></example>
/// <exception cref="ArgumentException">A label smoothing outside [0, 1].</exception>
public sealed class CategoricalCrossentropy(bool fromLogits = false, double labelSmoothing = 0.0)
    : Loss(
        Losses.CategoricalCrossentropy,
        LossModule.smoothed(labelSmoothing, LossSettings.Of(fromLogits ? LossModule.categoricalCrossEntropyFromLogits : LossModule.categoricalCrossEntropy)),
        false,
        ("from_logits", fromLogits),
        ("label_smoothing", labelSmoothing));

/// <summary>The cross-entropy of classes, for targets that are class numbers.</summary>
/// <param name="fromLogits">Whether predictions are logits, not probabilities.</param>
/// <param name="ignoreClass">A label whose places do not count, such as 255 where nothing was labelled; null for none.</param>
/// <example><code>model.Compile(loss: new SparseCategoricalCrossentropy(fromLogits: true, ignoreClass: 255), optimizer: "adam");</code></example>
public sealed class SparseCategoricalCrossentropy(bool fromLogits = false, int? ignoreClass = null)
    : Loss(
        Losses.SparseCategoricalCrossentropy,
        LossSettings.Of(ignoreClass is { } ignored
            ? (t, p) => LossModule.sparseCategoricalCrossEntropyIgnoring(ignored, fromLogits, t, p)
            : fromLogits ? LossModule.sparseCategoricalCrossEntropyFromLogits : LossModule.sparseCategoricalCrossEntropy),
        true,
        ("from_logits", fromLogits),
        ("ignore_class", ignoreClass));

/// <summary>The binary cross-entropy in which easy examples count little.</summary>
/// <param name="applyClassBalancing">Whether ones are multiplied by <paramref name="alpha"/>, zeros by 1 − alpha.</param>
/// <param name="alpha">The weight of ones.</param>
/// <param name="gamma">How much less easy examples count.</param>
/// <param name="fromLogits">Whether predictions are logits, not probabilities.</param>
/// <param name="labelSmoothing">Brings targets towards ½ by this share.</param>
/// <example><code>model.Compile(loss: new BinaryFocalCrossentropy(gamma: 3), optimizer: "adam");</code></example>
/// <exception cref="ArgumentException">A label smoothing outside [0, 1].</exception>
public sealed class BinaryFocalCrossentropy(
    bool applyClassBalancing = false, double alpha = 0.25, double gamma = 2.0, bool fromLogits = false, double labelSmoothing = 0.0)
    : Loss(
        Losses.BinaryFocalCrossentropy,
        LossModule.smoothedBinary(
            labelSmoothing,
            LossSettings.Of((t, p) => LossModule.binaryFocalCrossEntropy(
                Bridge.Option<double>(applyClassBalancing ? alpha : null), gamma, t, fromLogits ? TensorMath.Sigmoid(p) : p))),
        false,
        ("apply_class_balancing", applyClassBalancing),
        ("alpha", alpha),
        ("gamma", gamma),
        ("from_logits", fromLogits),
        ("label_smoothing", labelSmoothing));

/// <summary>The categorical cross-entropy in which easy examples count little; targets are one-hot rows.</summary>
/// <param name="alpha">What everything is multiplied by.</param>
/// <param name="gamma">How much less easy examples count.</param>
/// <param name="fromLogits">Whether predictions are logits, not probabilities.</param>
/// <param name="labelSmoothing">Spreads this share of every target over all classes.</param>
/// <example><code>model.Compile(loss: new CategoricalFocalCrossentropy(gamma: 3), optimizer: "adam");</code></example>
/// <exception cref="ArgumentException">A label smoothing outside [0, 1].</exception>
public sealed class CategoricalFocalCrossentropy(double alpha = 0.25, double gamma = 2.0, bool fromLogits = false, double labelSmoothing = 0.0)
    : Loss(
        Losses.CategoricalFocalCrossentropy,
        LossModule.smoothed(
            labelSmoothing,
            LossSettings.Of((t, p) => LossModule.categoricalFocalCrossEntropy(alpha, gamma, t, fromLogits ? TensorMath.Softmax(p) : p))),
        false,
        ("alpha", alpha),
        ("gamma", gamma),
        ("from_logits", fromLogits),
        ("label_smoothing", labelSmoothing));

/// <summary>1 − the overlap of target and prediction, with weights for what is missed and what is wrong.</summary>
/// <param name="alpha">The weight of what of the target is not predicted.</param>
/// <param name="beta">The weight of what is predicted and not of the target.</param>
/// <example><code>model.Compile(loss: new Tversky(alpha: 0.7, beta: 0.3), optimizer: "adam");</code></example>
public sealed class Tversky(double alpha = 0.5, double beta = 0.5)
    : Loss(Losses.Tversky, LossSettings.Of((t, p) => LossModule.tversky(alpha, beta, t, p)), false, ("alpha", alpha), ("beta", beta));

internal static class LossSettings
{
    public static Function Of(Func<Tensor, Tensor, Tensor> loss) => Bridge.Curry(loss);

    public static Function Huber(double delta) => delta > 0 && double.IsFinite(delta)
        ? Of((target, prediction) => LossModule.huber(delta, target, prediction))
        : throw new ArgumentOutOfRangeException(nameof(delta), $"Loss.Huber: delta is a number above 0; {delta} was given");
}

/// <summary>Losses made again from what <see cref="Loss.Describe"/> wrote of those with settings.</summary>
internal static class LossReader
{
    private static readonly Dictionary<string, Func<JsonObject, Loss>> Makers = new()
    {
        ["huber"] = o => new Huber(Number(o, "delta")),
        ["binary_crossentropy"] = o => new BinaryCrossentropy(Switch(o, "from_logits"), Number(o, "label_smoothing")),
        ["categorical_crossentropy"] = o => new CategoricalCrossentropy(Switch(o, "from_logits"), Number(o, "label_smoothing")),
        ["sparse_categorical_crossentropy"] = o => new SparseCategoricalCrossentropy(
            Switch(o, "from_logits"), o["ignore_class"] is null ? null : Described.Whole(o, "ignore_class")),
        ["binary_focal_crossentropy"] = o => new BinaryFocalCrossentropy(
            Switch(o, "apply_class_balancing"), Number(o, "alpha"), Number(o, "gamma"), Switch(o, "from_logits"), Number(o, "label_smoothing")),
        ["categorical_focal_crossentropy"] = o => new CategoricalFocalCrossentropy(
            Number(o, "alpha"), Number(o, "gamma"), Switch(o, "from_logits"), Number(o, "label_smoothing")),
        ["tversky"] = o => new Tversky(Number(o, "alpha"), Number(o, "beta")),
    };

    public static Loss Read(JsonObject description)
    {
        var name = Described.Text(description["name"], "a loss's name");
        return Makers.TryGetValue(name, out var make)
            ? make(description)
            : throw new InvalidDataException($"load: the model's description has a loss \"{name}\" with settings; there are {string.Join(", ", Makers.Keys)}");
    }

    private static double Number(JsonObject from, string name) => Described.Number(from, name);

    private static bool Switch(JsonObject from, string name) => Described.Switch(from[name], name);
}
