// Metrics by Keras' string, or as a function of one's own.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

/// <summary>A number about predictions that training reports; Keras' names convert to it.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: "sgd", metrics: ["accuracy", Metric.TopK(3)]);
/// </code></example>
public sealed class Metric
{
    private const string TopKName = "top_k_categorical_accuracy";
    private const string ThresholdName = "binary_accuracy";

    private readonly string? knownName;
    private readonly (string Name, double Value)? setting;

    private static readonly IReadOnlyList<(string, Func<MetricType.Metric<Tensor>>)> Known =
    [
        ("accuracy", () => MetricModule.accuracy), ("acc", () => MetricModule.accuracy),
        (ThresholdName, () => MetricModule.binaryAccuracy(0.5)),
        ("categorical_accuracy", () => MetricModule.categoricalAccuracy),
        ("sparse_categorical_accuracy", () => MetricModule.sparseCategoricalAccuracy),
        (TopKName, () => MetricModule.topK(5)),
        ("precision", () => MetricModule.precision(0.5)),
        ("recall", () => MetricModule.recall(0.5)),
        ("f1_score", () => MetricModule.f1(0.5)), ("f1", () => MetricModule.f1(0.5)),
        ("mean_squared_error", () => MetricModule.meanSquaredError), ("mse", () => MetricModule.meanSquaredError),
        ("mean_absolute_error", () => MetricModule.meanAbsoluteError), ("mae", () => MetricModule.meanAbsoluteError),
        ("r2_score", () => MetricModule.rSquared), ("r2", () => MetricModule.rSquared),
    ];

    /// <summary>A metric of one's own: the mean over all examples of a number that is a mean over each batch.</summary>
    /// <param name="name">What the number is called in the history.</param>
    /// <param name="function">Takes target and prediction to a single number, or, as Keras' do, to one for each example, as a loss
    /// does.</param>
    /// <param name="higherIsBetter">Which values are better: what callbacks go by that watch it. Where it is not said, they
    /// have to be told: <c>mode: "max"</c>.</param>
    public Metric(string name, Func<Tensor, Tensor, Tensor> function, bool? higherIsBetter = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(function);
        var metric = MetricModule.ofMean(name, Bridge.Curry<Tensor, Tensor, Tensor>((target, prediction) => Loss.Mean(function(target, prediction))));
        Value = higherIsBetter is { } higher ? MetricModule.withBetter(higher ? Better.Higher : Better.Lower, metric) : metric;
    }

    private Metric(MetricType.Metric<Tensor> value, string knownName, (string Name, double Value)? setting = null)
    {
        Value = value;
        this.knownName = knownName;
        this.setting = setting;
    }

    /// <summary>What the number is called in the history.</summary>
    public string Name => Value.Name;

    internal MetricType.Metric<Tensor> Value { get; }

    /// <summary>What a file says of the metric; null where it is a function of the user's own.</summary>
    internal JsonNode? Describe() => knownName is null ? null : setting is { } one
        ? new JsonObject { ["name"] = knownName, [one.Name] = one.Value }
        : JsonValue.Create(knownName);

    /// <summary>The metric that <see cref="Describe"/> wrote.</summary>
    internal static Metric Read(JsonNode? description) => description is not JsonObject set
        ? Described.Text(description, "a metric")
        : Described.Text(set["name"], "a metric's name") switch
        {
            TopKName => TopK(Described.Whole(set, "k")),
            ThresholdName => BinaryAccuracy(Described.Number(set, "threshold")),
            var other => throw new InvalidDataException($"load: the model's description has a metric \"{other}\" with settings; there are {TopKName}, {ThresholdName}"),
        };

    /// <summary>The metric of a Keras name: <c>"accuracy"</c>, <c>"mae"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Metric(string name)
    {
        var (known, make) = Names.Find("metric", name, [.. Known.Select(one => (one.Item1, one))]);
        return new(MetricModule.called(known, make()), known);
    }

    /// <summary>How often the class is among the k largest numbers of a prediction.</summary>
    /// <param name="k">How many are looked at.</param>
    public static Metric TopK(int k) => new(MetricModule.topK(k), TopKName, k == 5 ? null : ("k", k));

    /// <summary>How often a prediction is on its target's side of a threshold.</summary>
    /// <param name="threshold">Keras' is 0.5.</param>
    public static Metric BinaryAccuracy(double threshold = 0.5) => new(MetricModule.binaryAccuracy(threshold), ThresholdName, ("threshold", threshold));
}
