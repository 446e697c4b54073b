// Metrics by Keras' string, or as a function of one's own.
using System.Text.Json.Nodes;
using FSharpMetric = Functional.MetricType.Metric<Functional.Tensor>;

namespace Functional.CSharp;

/// <summary>Which curve an area is under.</summary>
public enum Curve
{
    /// <summary>True positives over false positives, as shares; <c>"ROC"</c>.</summary>
    ROC,

    /// <summary>Precision over recall; <c>"PR"</c>.</summary>
    PR,
}

/// <summary>A number about predictions that training reports; Keras' names convert to it.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: "sgd", metrics: ["accuracy", Metric.TopK(3)]);
/// </code></example>
public sealed class Metric
{
    private const string TopKName = "top_k_categorical_accuracy";
    private const string ThresholdName = "binary_accuracy";

    private readonly string? knownName;
    private readonly (string Name, double Value)[] settings = [];

    // a loss as a metric: its mean over the examples
    private static readonly IEnumerable<(string, Func<FSharpMetric>)> OfLosses = Enum.GetValues<Losses>()
        .Where(loss => loss is not (Losses.MeanSquaredError or Losses.MeanAbsoluteError or Losses.HalfSquaredError or Losses.CosineSimilarity))
        .Select(loss => (Names.Snake(loss), (Func<FSharpMetric>)(() => OfLoss(loss))));

    private static readonly IReadOnlyList<(string, Func<FSharpMetric>)> Known =
    [
        ("accuracy", () => MetricModule.accuracy), ("acc", () => MetricModule.accuracy),
        (ThresholdName, () => MetricModule.binaryAccuracy(0.5)),
        ("categorical_accuracy", () => MetricModule.categoricalAccuracy),
        ("sparse_categorical_accuracy", () => MetricModule.sparseCategoricalAccuracy),
        (TopKName, () => MetricModule.topK(5)), ("sparse_top_k_categorical_accuracy", () => MetricModule.topK(5)),
        ("precision", () => MetricModule.precision(0.5)),
        ("recall", () => MetricModule.recall(0.5)),
        ("f1_score", () => MetricModule.f1(0.5)), ("f1", () => MetricModule.f1(0.5)),
        ("true_positives", () => MetricModule.truePositives(0.5)), ("true_negatives", () => MetricModule.trueNegatives(0.5)),
        ("false_positives", () => MetricModule.falsePositives(0.5)), ("false_negatives", () => MetricModule.falseNegatives(0.5)),
        ("auc", () => Curves.auc(Curves.Curve.Roc, 200)),
        ("mean_io_u", () => MetricModule.meanIntersectionOverUnion), ("one_hot_mean_io_u", () => MetricModule.meanIntersectionOverUnion),
        ("mean_squared_error", () => MetricModule.meanSquaredError), ("mse", () => MetricModule.meanSquaredError),
        ("mean_absolute_error", () => MetricModule.meanAbsoluteError), ("mae", () => MetricModule.meanAbsoluteError),
        ("root_mean_squared_error", () => MetricModule.rootMeanSquaredError),
        ("cosine_similarity", () => MetricModule.cosineSimilarity),
        ("r2_score", () => MetricModule.rSquared), ("r2", () => MetricModule.rSquared),
        ("msle", () => OfLoss(Losses.MeanSquaredLogarithmicError)), ("mape", () => OfLoss(Losses.MeanAbsolutePercentageError)),
        ("bce", () => OfLoss(Losses.BinaryCrossentropy)), ("kld", () => OfLoss(Losses.KlDivergence)),
        .. OfLosses,
    ];

    // those that have settings, by what a file calls them
    private static readonly Dictionary<string, Func<JsonObject, Metric>> WithSettings = new()
    {
        [TopKName] = o => TopK(Described.Whole(o, "k")),
        [ThresholdName] = o => BinaryAccuracy(Described.Number(o, "threshold")),
        ["precision"] = o => Precision(Described.Number(o, "threshold")),
        ["recall"] = o => Recall(Described.Number(o, "threshold")),
        ["auc"] = o => AUC(Described.Number(o, "pr") == 1 ? Curve.PR : Curve.ROC, Described.Whole(o, "num_thresholds")),
        ["sensitivity_at_specificity"] = o => SensitivityAtSpecificity(Described.Number(o, "value"), Described.Whole(o, "num_thresholds")),
        ["specificity_at_sensitivity"] = o => SpecificityAtSensitivity(Described.Number(o, "value"), Described.Whole(o, "num_thresholds")),
        ["precision_at_recall"] = o => PrecisionAtRecall(Described.Number(o, "value"), Described.Whole(o, "num_thresholds")),
        ["recall_at_precision"] = o => RecallAtPrecision(Described.Number(o, "value"), Described.Whole(o, "num_thresholds")),
    };

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

    private Metric(FSharpMetric value, string knownName, params (string Name, double Value)[] settings)
    {
        Value = value;
        this.knownName = knownName;
        this.settings = settings;
    }

    /// <summary>What the number is called in the history.</summary>
    public string Name => Value.Name;

    internal FSharpMetric Value { get; }

    /// <summary>What a file says of the metric; null where it is a function of the user's own.</summary>
    internal JsonNode? Describe()
    {
        if (knownName is null) return null;
        if (settings.Length == 0) return JsonValue.Create(knownName);
        var description = new JsonObject { ["name"] = knownName };
        foreach (var (name, value) in settings) description[name] = value;
        return description;
    }

    /// <summary>The metric that <see cref="Describe"/> wrote.</summary>
    internal static Metric Read(JsonNode? description)
    {
        if (description is not JsonObject set) return Described.Text(description, "a metric");
        var name = Described.Text(set["name"], "a metric's name");
        return WithSettings.TryGetValue(name, out var make)
            ? make(set)
            : throw new InvalidDataException($"load: the model's description has a metric \"{name}\" with settings; there are {string.Join(", ", WithSettings.Keys)}");
    }

    /// <summary>The metric of a Keras name: <c>"accuracy"</c>, <c>"mae"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Metric(string name)
    {
        var (known, make) = Names.Find("metric", name, [.. Known.Select(one => (one.Item1, one))]);
        return new(MetricModule.called(known, make()), known);
    }

    /// <summary>How often the class is among the k largest numbers of a prediction.</summary>
    /// <param name="k">How many are looked at.</param>
    public static Metric TopK(int k) => new(MetricModule.topK(k), TopKName, k == 5 ? [] : [("k", k)]);

    /// <summary>How often a prediction is on its target's side of a threshold.</summary>
    /// <param name="threshold">Keras' is 0.5.</param>
    public static Metric BinaryAccuracy(double threshold = 0.5) => new(MetricModule.binaryAccuracy(threshold), ThresholdName, ("threshold", threshold));

    /// <summary>The share of those said to be positive that are.</summary>
    /// <param name="threshold">What predictions of a positive are above.</param>
    public static Metric Precision(double threshold = 0.5) => new(MetricModule.precision(threshold), "precision", ("threshold", threshold));

    /// <summary>The share of the positives that are said to be.</summary>
    /// <param name="threshold">What predictions of a positive are above.</param>
    public static Metric Recall(double threshold = 0.5) => new(MetricModule.recall(threshold), "recall", ("threshold", threshold));

    /// <summary>The area under a curve.</summary>
    /// <param name="curve"><c>"ROC"</c> or <c>"PR"</c>.</param>
    /// <param name="numThresholds">How many thresholds it is computed from.</param>
    public static Metric AUC(Curve curve = Curve.ROC, int numThresholds = 200) => new(
        Curves.auc(curve == Curve.PR ? Curves.Curve.PrecisionRecall : Curves.Curve.Roc, numThresholds),
        "auc",
        ("pr", curve == Curve.PR ? 1 : 0),
        ("num_thresholds", numThresholds));

    /// <summary>The largest sensitivity at a threshold whose specificity is at least a number.</summary>
    /// <param name="specificity">What must be reached.</param>
    /// <param name="numThresholds">How many thresholds are tried.</param>
    public static Metric SensitivityAtSpecificity(double specificity, int numThresholds = 200) => new(
        Curves.sensitivityAtSpecificity(specificity, numThresholds), "sensitivity_at_specificity", ("value", specificity), ("num_thresholds", numThresholds));

    /// <summary>The largest specificity at a threshold whose sensitivity is at least a number.</summary>
    /// <param name="sensitivity">What must be reached.</param>
    /// <param name="numThresholds">How many thresholds are tried.</param>
    public static Metric SpecificityAtSensitivity(double sensitivity, int numThresholds = 200) => new(
        Curves.specificityAtSensitivity(sensitivity, numThresholds), "specificity_at_sensitivity", ("value", sensitivity), ("num_thresholds", numThresholds));

    /// <summary>The largest precision at a threshold whose recall is at least a number.</summary>
    /// <param name="recall">What must be reached.</param>
    /// <param name="numThresholds">How many thresholds are tried.</param>
    public static Metric PrecisionAtRecall(double recall, int numThresholds = 200) => new(
        Curves.precisionAtRecall(recall, numThresholds), "precision_at_recall", ("value", recall), ("num_thresholds", numThresholds));

    /// <summary>The largest recall at a threshold whose precision is at least a number.</summary>
    /// <param name="precision">What must be reached.</param>
    /// <param name="numThresholds">How many thresholds are tried.</param>
    public static Metric RecallAtPrecision(double precision, int numThresholds = 200) => new(
        Curves.recallAtPrecision(precision, numThresholds), "recall_at_precision", ("value", precision), ("num_thresholds", numThresholds));

    private static FSharpMetric OfLoss(Losses loss) =>
        MetricModule.withBetter(Better.Lower, MetricModule.ofMean(Names.Snake(loss), ((Loss)loss).Function));
}
