// Weights of data, and training batch by batch: against plain loops, and against what Fit does.
namespace Fixtures;

public static class WeightCases
{
    private static readonly float[][] X = [[1, 0.5f], [2, -1], [3, 0.25f], [4, 2], [-1, 1], [0.5f, 0.5f]];
    private static readonly float[] Y = [0, 1, 1, 0, 1, 0];
    private static readonly float[] Weights = [1, 0.5f, 2, 0, 3, 1.5f];

    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("examples count by their weights: the loss, its step, and weighted metrics alone", () =>
        {
            var model = Linear();
            double[] w = [.. model.Weights[0].ToDoubles()];
            var b = model.Weights[1].ToDoubles()[0];
            double Off(int i) => (w[0] * X[i][0]) + (w[1] * X[i][1]) + b - Y[i];
            var examples = Enumerable.Range(0, 6).ToArray();
            var (loss, sum) = (examples.Average(i => Weights[i] * Off(i) * Off(i)), examples.Sum(i => (double)Weights[i]));

            model.Compile("mse", new SGD(0.1), ["mae"], weightedMetrics: ["mse", "accuracy"]);
            var measured = model.Evaluate(X, Y, batchSize: 4, sampleWeight: Weights);
            Near(measured.Loss, loss);
            Near(measured["mae"], examples.Average(i => Math.Abs(Off(i))));
            Near(measured["mse"], examples.Sum(i => Weights[i] * Off(i) * Off(i)) / sum);
            Near(measured["accuracy"], examples.Where(i => (Off(i) + Y[i] > 0.5) == (Y[i] == 1)).Sum(i => (double)Weights[i]) / sum);

            var history = model.Fit(X, Y, batchSize: 6, verbose: 0, sampleWeight: Weights, validationData: (X, Y), validationSampleWeight: Weights);
            Near(history["loss"][0], loss);
            for (var j = 0; j < 2; j++)
                Near(model.Weights[0].ToDoubles()[j], w[j] - (0.1 * examples.Average(i => 2 * Weights[i] * Off(i) * X[i][j])));
            Near(model.Weights[1].ToDoubles()[0], b - (0.1 * examples.Average(i => 2 * Weights[i] * Off(i))));
            Near(history["val_loss"][0], model.Evaluate(X, Y, sampleWeight: Weights).Loss);
        }
        );
        yield return ("classes count by their weights, whatever form the targets have", () =>
        {
            Dictionary<int, double> classes = new() { [1] = 3 };
            float[] weights = [1, 3, 3, 1, 3, 1];
            float[,] oneHot = { { 1, 0 }, { 0, 1 }, { 0, 1 }, { 1, 0 }, { 0, 1 }, { 1, 0 } };
            int[] labels = [0, 1, 1, 0, 1, 0];
            string After(Loss loss, int outputs, TensorLike y, bool byClass)
            {
                var model = new Sequential([new Dense(outputs, outputs == 1 ? "sigmoid" : "softmax") { InputShape = [2] }], seed: 2);
                model.Compile(loss, "adam");
                if (byClass) model.Fit(X, y, batchSize: 4, epochs: 3, verbose: 0, seed: 1, classWeight: classes);
                else model.Fit(X, y, batchSize: 4, epochs: 3, verbose: 0, seed: 1, sampleWeight: weights);
                return Bits(model);
            }

            Expect.Equal(After("bce", 1, Y, true), After("bce", 1, Y, false));
            Expect.Equal(After("categorical_crossentropy", 2, oneHot, true), After("categorical_crossentropy", 2, oneHot, false));
            Expect.Equal(After("sparse_categorical_crossentropy", 2, labels, true), After("sparse_categorical_crossentropy", 2, labels, false));
            Expect.Equal(After("categorical_crossentropy", 2, oneHot, true), After("sparse_categorical_crossentropy", 2, labels, true));
        }
        );
        yield return ("steps have weights of their own, and padded ones none", () =>
        {
            // zeros are padding
            float[,,] x = { { { 1 }, { 2 }, { 0 } }, { { 3 }, { 0 }, { 0 } } };
            float[,,] y = { { { 1 }, { 0 }, { 7 } }, { { 2 }, { 7 }, { 7 } } };
            float[,] weights = { { 1, 0.5f, 9 }, { 2, 9, 9 } };
            var model = new Sequential([new Masking { InputShape = [3, 1] }, new Dense(1)], seed: 1);
            model.Compile("mse", "sgd", ["mae"], weightedMetrics: ["mse"]);
            var (w, b) = (model.Weights[0].ToDoubles()[0], model.Weights[1].ToDoubles()[0]);
            double Off(double x, double y) => (w * x) + b - y;
            double[] offs = [Off(1, 1), Off(2, 0), Off(3, 2)];
            double[] counts = [1, 0.5, 2];
            var measured = model.Evaluate(x, y, sampleWeight: weights);
            Near(measured.Loss, offs.Zip(counts).Sum(one => one.First * one.First * one.Second) / 3);
            Near(measured["mae"], offs.Average(Math.Abs));
            Near(measured["mse"], offs.Zip(counts).Sum(one => one.First * one.First * one.Second) / 3.5);
            Near(model.Evaluate(x, y, sampleWeight: new float[] { 2, 3 }).Loss, ((2 * ((offs[0] * offs[0]) + (offs[1] * offs[1]))) + (3 * offs[2] * offs[2])) / 3);
        }
        );
        yield return ("weights that cannot be meant are refused", () =>
        {
            var model = Linear();
            Expect.Throws<ArgumentException>(() => model.Fit(X, Y, verbose: 0, sampleWeight: Weights, classWeight: new Dictionary<int, double> { [0] = 1 }), "sampleWeight", "classWeight", "both");
            Expect.Throws<ArgumentException>(() => model.Fit(X, Y, verbose: 0, classWeight: new Dictionary<int, double> { [0] = -1 }), "class 0", "-1");
            Expect.Throws<ArgumentException>(() => model.Fit(X, Y, verbose: 0, sampleWeight: new float[] { 1, 2 }), "weights", "[2]", "6×1");
            Expect.Throws<ArgumentException>(() => model.Fit(X, Y, verbose: 0, validationSampleWeight: Weights), "validationSampleWeight", "validationData");
            Expect.Throws<ArgumentException>(() => model.Evaluate(X, Y, sampleWeight: new[] { Tensor.Of(Weights), Tensor.Of(Weights) }), "2 outputs", "1");
            model.Compile("mse", "sgd", weightedMetrics: ["r2_score"]);
            Expect.Throws<ArgumentException>(() => model.Evaluate(X, Y, sampleWeight: Weights), "r2_score", "weights");
        }
        );
        yield return ("batch by batch is what Fit does, bit for bit, with weights, too", () =>
        {
            foreach (var optimizer in new[] { "sgd", "adam" })
                foreach (var eager in new[] { false, true })
                {
                    var (whole, byBatch) = (Linear(optimizer, eager), Linear(optimizer, eager));
                    whole.Fit(X, Y, batchSize: 2, epochs: 2, verbose: 0, shuffle: false, sampleWeight: Weights);
                    for (var epoch = 0; epoch < 2; epoch++)
                        for (var i = 0; i < 6; i += 2)
                            byBatch.TrainOnBatch(X[i..(i + 2)], Y[i..(i + 2)], sampleWeight: Weights[i..(i + 2)]);
                    Expect.Equal(Bits(byBatch), Bits(whole));
                    // what is learnt further goes on from there, with the optimiser's memory
                    whole.Fit(X, Y, batchSize: 6, verbose: 0, shuffle: false);
                    byBatch.Fit(X, Y, batchSize: 6, verbose: 0, shuffle: false);
                    whole.TrainOnBatch(X, Y);
                    byBatch.TrainOnBatch(X, Y);
                    Expect.Equal(Bits(byBatch), Bits(whole));
                }
        }
        );
        yield return ("weights set between batches count, measuring and answering learn nothing", () =>
        {
            var (model, twin) = (Linear("adam"), Linear("adam"));
            Tensor[] fresh = [Tensor.Ones([2, 1], DType.Float32), Tensor.Ones([1], DType.Float32)];
            foreach (var one in new[] { model, twin })
            {
                one.TrainOnBatch(X, Y);
                one.Weights = fresh;
                if (one == model)
                {
                    Near(one.TestOnBatch(X, Y).Loss, one.Evaluate(X, Y).Loss);
                    Expect.Numbers(one.PredictOnBatch(X) - one.Predict(X), 0, 0, 0, 0, 0, 0);
                }
                one.TrainOnBatch(X, Y);
            }
            Expect.Equal(Bits(model), Bits(twin));
            var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            try
            {
                model.TrainOnBatch(X, Y);
                model.Save(path);
                var loaded = Model.Load(path);
                loaded.TrainOnBatch(X, Y);
                model.TrainOnBatch(X, Y);
                Expect.Equal(Bits(loaded), Bits(model));
            }
            finally
            {
                File.Delete(path);
            }
            Expect.Throws<ArgumentException>(() => model.TrainOnBatch(X, new float[2]), "6 inputs");
            Expect.Throws<ArgumentException>(() => model.TrainOnBatch(new float[,] { { float.NaN, 1 } }, new float[] { 1 }), "NaN");
        }
        );
    }

    private static Sequential Linear(string optimizer = "sgd", bool eager = false)
    {
        var model = new Sequential([new Dense(1) { InputShape = [2] }], seed: 1);
        model.Compile("mse", optimizer, ["mae"], eager);
        return model;
    }

    private static string Bits(Model model) => string.Join(" ", model.Weights.SelectMany(w => w.ToDoubles()));

    private static void Near(double actual, double expected) =>
        Expect.True(Math.Abs(actual - expected) <= 1e-5 * Math.Max(1, Math.Abs(expected)), $"expected {expected}; got {actual}");
}
