// Keras' names for losses and optimisers: as strings, enums and objects; saved and loaded they are what they were.
namespace Fixtures;

public static class NameCases
{
    private static readonly float[,] X = { { 0.1f, 0.9f }, { 0.4f, -0.2f }, { -0.7f, 0.3f }, { 0.5f, 0.5f } };
    private static readonly float[,] Y = { { 0, 1 }, { 1, 0 }, { 0, 1 }, { 1, 0 } };
    private static readonly int[] Labels = [1, 0, 1, 0];

    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("every loss trains by its name, by its enum and after it was saved", () =>
        {
            foreach (var loss in Enum.GetValues<Losses>())
            {
                Loss byName = ((Loss)loss).Name;
                var takesLabels = byName.Name.StartsWith("sparse", StringComparison.Ordinal);
                Expect.Equal(After(byName, "sgd", takesLabels), After(loss, "sgd", takesLabels));
                Expect.True(double.IsFinite(Model(byName, "sgd").Fit(X, takesLabels ? Labels : Y, verbose: 0)["loss"][0]), byName.Name);
            }
        }
        );
        yield return ("losses with settings are those of F#, and stay so in a file", () =>
        {
            (Loss Object, Func<Tensor, Tensor, Tensor> Function, bool TakesLabels)[] losses =
            [
                (new Huber(0.5), (t, p) => LossModule.huber(0.5, t, p), false),
                (new BinaryCrossentropy(fromLogits: true), LossModule.binaryCrossEntropyFromLogits, false),
                (new BinaryCrossentropy(labelSmoothing: 0.5), (t, p) => LossModule.binaryCrossEntropy((t * 0.5) + 0.25, p), false),
                (new CategoricalCrossentropy(fromLogits: true), LossModule.categoricalCrossEntropyFromLogits, false),
                (new CategoricalCrossentropy(labelSmoothing: 0.5), (t, p) => LossModule.categoricalCrossEntropy((t * 0.5) + 0.25, p), false),
                (new SparseCategoricalCrossentropy(), LossModule.sparseCategoricalCrossEntropy, true),
                (new SparseCategoricalCrossentropy(fromLogits: true, ignoreClass: 0), (t, p) => LossModule.sparseCategoricalCrossEntropyIgnoring(0, true, t, p), true),
                (new BinaryFocalCrossentropy(applyClassBalancing: true, gamma: 3, fromLogits: true), (t, p) => LossModule.binaryFocalCrossEntropy(0.25, 3, t, TensorMath.Sigmoid(p)), false),
                (new CategoricalFocalCrossentropy(alpha: 0.5), (t, p) => LossModule.categoricalFocalCrossEntropy(0.5, 2, t, p), false),
                (new Tversky(0.3, 0.9), (t, p) => LossModule.tversky(0.3, 0.9, t, p), false),
            ];
            foreach (var (loss, function, takesLabels) in losses)
                Expect.Equal(After(loss, "sgd", takesLabels), After(new Loss(function), "sgd", takesLabels, saves: false));
            Expect.Throws<ArgumentException>(() => new CategoricalCrossentropy(labelSmoothing: 2), "smoothing", "2");
            Expect.Throws<ArgumentException>(() => new Huber(0), "delta");
        }
        );
        yield return ("every metric is reported under its name, and stays in a file what it was", () =>
        {
            string[] ofClasses = ["sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "sparse_categorical_crossentropy", "mean_io_u", "accuracy"];
            string[] others =
            [
                "binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy", "precision", "recall", "f1_score", "auc", "true_positives", "true_negatives",
                "false_positives", "false_negatives", "one_hot_mean_io_u", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score",
                "mean_squared_logarithmic_error", "mean_absolute_percentage_error", "log_cosh", "poisson", "kl_divergence", "hinge", "squared_hinge", "categorical_hinge",
                "binary_crossentropy", "categorical_crossentropy", "cosine_similarity",
            ];
            Metric[] withSettings =
            [
                Metric.AUC(Curve.PR, 50), Metric.Precision(0.3), Metric.Recall(0.3), Metric.BinaryAccuracy(0.3), Metric.TopK(2), Metric.SensitivityAtSpecificity(0.5),
                Metric.SpecificityAtSensitivity(0.5), Metric.PrecisionAtRecall(0.5), Metric.RecallAtPrecision(0.5),
            ];
            var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            void Reports(Loss loss, TensorLike y, Metric[] metrics)
            {
                var model = Model(loss, "sgd");
                model.Compile(loss, "sgd", metrics);
                var numbers = model.Evaluate(X, y);
                Expect.Equal(string.Join(" ", numbers.Names), "loss " + string.Join(" ", metrics.Select(metric => metric.Name)));
                model.Save(path);
                Expect.Equal(Functional.CSharp.Model.Load(path).Evaluate(X, y).ToString(), numbers.ToString());
            }

            try
            {
                Reports("sparse_categorical_crossentropy", Labels, [.. ofClasses.Select(name => (Metric)name)]);
                Reports("mse", Y, [.. others.Select(name => (Metric)name)]);
                foreach (var metric in withSettings) Reports("mse", Y, [metric]);
            }
            finally
            {
                File.Delete(path);
            }
        }
        );
        yield return ("every optimiser and schedule trains, and goes on from a file as it would have", () =>
        {
            foreach (var name in new[] { "sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "nadam", "lion", "adamax", "lamb", "adafactor", "ftrl" })
            {
                Expect.Equal(((Optimizer)name).Name, name);
                Expect.True(After("mse", name, false).Length > 0, name);
            }
            LearningRate[] rates =
            [
                LearningRate.InverseTime(0.1, 2, 0.5, staircase: true), LearningRate.Polynomial(0.1, 3, cycle: true), LearningRate.CosineRestarts(0.1, 2),
                LearningRate.Piecewise([1, 3], [0.1, 0.05, 0.01]),
            ];
            foreach (var rate in rates) After("mse", new Adamax(rate), false);
            Expect.Throws<ArgumentException>(() => Model("mse", new Ftrl(0.0)), "Ftrl", "above 0");
        }
        );
    }

    private static Sequential Model(Loss loss, Optimizer optimizer)
    {
        var model = new Sequential([new Dense(2, "sigmoid") { InputShape = [2] }], seed: 3);
        model.Compile(loss, optimizer);
        return model;
    }

    /// <summary>The weights after two trainings, between which the model is saved and loaded.</summary>
    private static string After(Loss loss, Optimizer optimizer, bool takesLabels, bool saves = true)
    {
        TensorLike y = takesLabels ? Labels : Y;
        string Weights(Model model) => string.Join(" ", model.Weights.SelectMany(w => w.ToDoubles()));
        var whole = Model(loss, optimizer);
        whole.Fit(X, y, epochs: 3, batchSize: 2, verbose: 0, seed: 1);
        if (saves)
        {
            var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            try
            {
                whole.Save(path);
                var loaded = Functional.CSharp.Model.Load(path);
                loaded.Fit(X, y, epochs: 2, batchSize: 2, verbose: 0, seed: 2);
                whole.Fit(X, y, epochs: 2, batchSize: 2, verbose: 0, seed: 2);
                Expect.Equal(Weights(loaded), Weights(whole));
            }
            finally
            {
                File.Delete(path);
            }
        }
        else
        {
            whole.Fit(X, y, epochs: 2, batchSize: 2, verbose: 0, seed: 2);
        }
        return Weights(whole);
    }
}
