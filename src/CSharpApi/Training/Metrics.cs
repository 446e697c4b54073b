// Metrics by Keras' string, or as a function of one's own.
namespace Functional.CSharp;

/// <summary>A number about predictions that training reports; Keras' names convert to it.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: "sgd", metrics: ["accuracy", Metric.TopK(3)]);
/// </code></example>
public sealed class Metric
{
    private static readonly IReadOnlyList<(string, Func<Metric>)> Known =
    [
        ("accuracy", () => new(MetricModule.accuracy, "accuracy")), ("acc", () => new(MetricModule.accuracy, "accuracy")),
        ("binary_accuracy", () => new(MetricModule.binaryAccuracy(0.5), "binary_accuracy")),
        ("categorical_accuracy", () => new(MetricModule.categoricalAccuracy, "categorical_accuracy")),
        ("sparse_categorical_accuracy", () => new(MetricModule.sparseCategoricalAccuracy, "sparse_categorical_accuracy")),
        ("top_k_categorical_accuracy", () => TopK(5)),
        ("precision", () => new(MetricModule.precision(0.5), "precision")),
        ("recall", () => new(MetricModule.recall(0.5), "recall")),
        ("f1_score", () => new(MetricModule.f1(0.5), "f1_score")), ("f1", () => new(MetricModule.f1(0.5), "f1_score")),
        ("mean_squared_error", () => new(MetricModule.meanSquaredError, "mse")), ("mse", () => new(MetricModule.meanSquaredError, "mse")),
        ("mean_absolute_error", () => new(MetricModule.meanAbsoluteError, "mae")), ("mae", () => new(MetricModule.meanAbsoluteError, "mae")),
        ("r2_score", () => new(MetricModule.rSquared, "r2_score")), ("r2", () => new(MetricModule.rSquared, "r2_score")),
    ];

    /// <summary>A metric of one's own: the mean over all examples of a number that is a mean over each batch.</summary>
    /// <param name="name">What the number is called in the history.</param>
    /// <param name="function">Takes target and prediction to a single number, as a loss does.</param>
    public Metric(string name, Func<Tensor, Tensor, Tensor> function)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(function);
        Value = MetricModule.ofMean(name, Bridge.Curry(function));
    }

    private Metric(MetricType.Metric<Tensor> value, string? knownName)
    {
        Value = value;
        KnownName = knownName;
    }

    /// <summary>What the number is called in the history.</summary>
    public string Name => Value.Name;

    internal MetricType.Metric<Tensor> Value { get; }

    /// <summary>The name that this metric can be made of again; null where there is none.</summary>
    internal string? KnownName { get; }

    /// <summary>The metric of a Keras name: <c>"accuracy"</c>, <c>"mae"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Metric(string name) => Names.Find("metric", name, Known)();

    /// <summary>How often the class is among the k largest numbers of a prediction.</summary>
    /// <param name="k">How many are looked at.</param>
    public static Metric TopK(int k) => new(MetricModule.topK(k), k == 5 ? "top_k_categorical_accuracy" : null);

    /// <summary>How often a prediction is on its target's side of a threshold.</summary>
    /// <param name="threshold">Keras' is 0.5.</param>
    public static Metric BinaryAccuracy(double threshold = 0.5) => new(MetricModule.binaryAccuracy(threshold), null);
}
