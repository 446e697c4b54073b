// What Keras honours is honoured here, or refused: nothing is ignored in silence, nothing means something else.
namespace Fixtures;

public static class SilenceCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("an endless generator is bounded by stepsPerEpoch, a short one ends its epochs with a warning", () =>
        {
            var drawn = 0;
            IEnumerable<(Tensor, Tensor)> Endless(long seed)
            {
                while (true)
                {
                    drawn++;
                    yield return (Tensor.Ones([2, 1], DType.Float32), Tensor.Ones([2, 1], DType.Float32));
                }
            }

            var history = One().Fit(Endless, epochs: 2, stepsPerEpoch: 5, verbose: 0);
            Expect.Equal((history.Epochs, drawn, history.Warnings.Count), (2, 10, 0));
            var shorter = One().Fit(seed => Endless(seed).Take(3), epochs: 2, stepsPerEpoch: 5, verbose: 0);
            Expect.Equal((shorter.Epochs, shorter.Warnings.Count), (2, 1));
            Expect.True(shorter.Warnings[0].Contains("3 of 5 batches", StringComparison.Ordinal), shorter.Warnings[0]);
            Expect.Throws<ArgumentException>(() => One().Fit(Endless, stepsPerEpoch: 0, verbose: 0), "0 batches");
        }
        );
        yield return ("weights that a callback sets or reads are those that training goes on from", () =>
        {
            Tensor five = Tensor.Full([1, 1], 5, DType.Float32), none = Tensor.Zeros([1], DType.Float32);
            var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            double After(Func<Sequential, LambdaCallback> callback)
            {
                var model = One();
                model.Fit(Inputs, Targets, epochs: 2, batchSize: 4, verbose: 0, shuffle: false, callbacks: [callback(model)]);
                return model.Weights[0].ToDoubles()[0];
            }

            try
            {
                var saved = One();
                saved.Weights = [five, none];
                saved.SaveWeights(file);
                Expect.Equal(After(m => new(onTrainEnd: () => m.Weights = [five, none])), 5);
                Expect.Equal(After(m => new(onTrainEnd: () => m.LoadWeights(file))), 5);
                Expect.Equal(After(m => new(onEpochEnd: (epoch, _) => m.Weights = [five * epoch, none])), 10);
                Expect.Equal(After(m => new(onBatchEnd: (epoch, _, _) => m.Weights = [five * epoch, none])), 10);

                // w = 5, b = 0: the mean of 2(5x − x)·x over 1, 2, 3, 4 is 60; of the bias 2(5x − x) it is 20; twice
                var (w, b) = (5.0, 0.0);
                for (var step = 0; step < 2; step++)
                {
                    double[] xs = [1, 2, 3, 4];
                    var (dw, db) = (xs.Average(x => 2 * ((w * x) + b - x) * x), xs.Average(x => 2 * ((w * x) + b - x)));
                    (w, b) = (w - (0.01 * dw), b - (0.01 * db));
                }
                Expect.True(Math.Abs(After(m => new(onTrainBegin: () => m.Weights = [five, none])) - w) < 1e-5, "training goes on from the weights set before it");
            }
            finally
            {
                File.Delete(file);
            }
        }
        );
        yield return ("names in braces of a checkpoint's path are filled, or refused before training", () =>
        {
            var folder = Directory.CreateTempSubdirectory().FullName;
            try
            {
                One().Fit(Inputs, Targets, epochs: 2, verbose: 0, callbacks: [new ModelCheckpoint(Path.Combine(folder, "w.{epoch:02d}-{loss:.2f}-{epoch:D3}-{epoch}.st"))]);
                var names = Directory.GetFiles(folder).Select(Path.GetFileName).Order().ToArray();
                Expect.Equal(names.Length, 2);
                Expect.True(System.Text.RegularExpressions.Regex.IsMatch(names[1]!, @"^w\.02-\d+\.\d\d-002-2\.st$"), names[1]!);
                Expect.Throws<ArgumentException>(() => One().Fit(Inputs, Targets, verbose: 0, callbacks: [new ModelCheckpoint(Path.Combine(folder, "{val_loss:.2f}.st"))]), "{val_loss}", "epoch, loss");
                Expect.Throws<ArgumentException>(() => One().Fit(Inputs, Targets, verbose: 0, callbacks: [new ModelCheckpoint(Path.Combine(folder, "{loss:Q7}.st"))]), "Q7");
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }
        );
        yield return ("metrics are called in the history as they were asked for", () =>
        {
            string[] asked = ["acc", "r2_score", "f1_score", "mean_squared_error", "mean_absolute_error", "mae", "mse"];
            var model = One("sigmoid");
            model.Compile("bce", "sgd", [.. asked.Select(name => (Metric)name)]);
            var history = model.Fit(Inputs, new float[] { 0, 1, 0, 1 }, verbose: 0, callbacks: [new EarlyStopping("f1_score")]);
            Expect.Equal(string.Join(" ", history.Names), "loss " + string.Join(" ", asked));
            Expect.Equal(((Metric)"top_k_categorical_accuracy").Name, "top_k_categorical_accuracy");
        }
        );
        yield return ("data of any type of number and rank is cast, one number for each example is a column", () =>
        {
            double Loss(TensorLike x, TensorLike y)
            {
                var model = One();
                return model.Fit(x, y, epochs: 2, verbose: 0, shuffle: false)["loss"][1];
            }

            var expected = Loss(new float[,] { { 1 }, { 2 }, { 3 }, { 4 } }, new float[] { 1, 2, 3, 4 });
            Expect.Equal(Loss(new double[] { 1, 2, 3, 4 }, new int[] { 1, 2, 3, 4 }), expected);
            Expect.Equal(Loss(new byte[,] { { 1 }, { 2 }, { 3 }, { 4 } }, new long[] { 1, 2, 3, 4 }), expected);
            Expect.Equal(Loss(Tensor.Of(1.0, 2, 3, 4), Tensor.Of(1.0, 2, 3, 4)), expected);
            Expect.Equal(Loss(Tensor.Of(new[] { 1, 2, 3, 4 }, [4, 1]), Tensor.Of(1L, 2, 3, 4)), expected);
            var images = new Sequential([new Flatten { InputShape = [1, 2, 2] }, new Dense(1)], seed: 1);
            Expect.Shape(images.Predict(new byte[3, 1, 2, 2]), 3, 1);
            Expect.Throws<ArgumentException>(() => images.Predict(new string[3]), "no numbers");

            var tokens = new Sequential([new Embedding(5, 2, inputLength: 2)], seed: 1);
            Expect.Shape(tokens.Predict(new byte[,] { { 1, 4 } }), 1, 2, 2);
            var classes = new Sequential([new Dense(3, "softmax") { InputShape = [1] }], seed: 1);
            classes.Compile("sparse_categorical_crossentropy", "sgd");
            Expect.Equal(classes.Evaluate(Inputs, new float[] { 0, 1, 2, 1 }).Loss, classes.Evaluate(Inputs, new[] { 0, 1, 2, 1 }).Loss);
            Expect.Throws<ArgumentException>(() => classes.Evaluate(Inputs, new[] { 0.5, 1, 2, 1 }), "class numbers", "whole");
        }
        );
        yield return ("losses of one number for each example are averaged, hinges take 0 and 1, padded sequences count 0", () =>
        {
            var model = One();
            model.Compile((target, prediction) => TensorMath.Square(target - prediction).Mean(axis: -1), "sgd", [new Metric("distance", (target, prediction) => TensorMath.Square(target - prediction))]);
            var custom = model.Evaluate(Inputs, Targets);
            model.Compile("mse", "sgd");
            Expect.True(Math.Abs(custom.Loss - model.Evaluate(Inputs, Targets).Loss) < 1e-6 && Math.Abs(custom["distance"] - custom.Loss) < 1e-6, "the mean over the examples");
            model.Compile("hinge", "sgd");
            Expect.Equal(model.Evaluate(Inputs, new float[] { 0, 1, 1, 0 }).Loss, model.Evaluate(Inputs, new float[] { -1, 1, 1, -1 }).Loss);

            var masked = new Sequential([new Masking { InputShape = [2, 1] }, new Dense(1)], seed: 1);
            masked.Compile("mse", "sgd", ["mae"]);
            var (loss, mae) = masked.Evaluate(new float[3, 2, 1], new float[3, 2, 1]);
            Expect.Equal((loss, mae), (0, 0));
        }
        );
        yield return ("what would be copied, dropped or not counted in silence is refused", () =>
        {
            var twice = new Dense(2);
            Expect.Throws<ArgumentException>(() => new Sequential([twice, twice]), "dense", "once");
            var x = Model.Input(2);
            var trained = new Model(x, new Dense(1).Apply(x));
            Expect.Throws<ArgumentException>(() => new Model(x, new Dense(1).Apply(x), weightsFrom: trained), "weightsFrom", "no layer in common");
            var model = One();
            model.Compile("mse", new SGD(LearningRate.Cosine(0.1, 10)));
            Expect.Throws<ArgumentException>(() => model.Fit(Inputs, Targets, verbose: 0, callbacks: [new ReduceLROnPlateau("loss", minLr: 1e-3)]), "minLr", "schedule");
            var built = new Sequential([new Conv1D(1, 3) { InputShape = [6, 1] }]);
            built.Build();
            Expect.Equal(built.CountParams(), 4);
        }
        );
        yield return ("the rate of an epoch is what a function says, and the first epochs and a baseline are heeded", () =>
        {
            var rates = new List<double>();
            var model = One();
            var before = model.Weights[0].ToDoubles()[0];
            model.Fit(Inputs, Targets, epochs: 3, batchSize: 4, verbose: 0, callbacks:
            [
                new LearningRateScheduler((epoch, rate) =>
                {
                    rates.Add(rate);
                    return epoch == 0 ? 0.0 : 0.02 * epoch;
                }),
                new LambdaCallback(onEpochEnd: (epoch, _) =>
                {
                    if (epoch == 1) Expect.Equal(model.Weights[0].ToDoubles()[0], before);
                }),
            ]);
            Expect.Equal(string.Join(" ", rates), "0.01 0 0.02");
            Expect.True(model.Weights[0].ToDoubles()[0] != before, "later epochs learn");
            model.Compile("mse", new SGD(LearningRate.Cosine(0.1, 10)));
            Expect.Throws<ArgumentException>(() => model.Fit(Inputs, Targets, verbose: 0, callbacks: [new LearningRateScheduler(epoch => 0.1)]), "LearningRateScheduler", "schedule");

            // a number that never changes improves once, in the first epoch that is looked at
            int Epochs(EarlyStopping stopping)
            {
                var number = new Metric("number", (_, prediction) => (prediction.Mean() * 0) + 1, higherIsBetter: false);
                var still = One();
                still.Compile("mse", new SGD(0.0), [number]);
                return still.Fit(Inputs, Targets, epochs: 12, verbose: 0, callbacks: [stopping]).Epochs;
            }

            Expect.Equal(Epochs(new EarlyStopping("number", patience: 2)), 3);
            Expect.Equal(Epochs(new EarlyStopping("number", patience: 2, startFromEpoch: 4)), 7);
            Expect.Equal(Epochs(new EarlyStopping("number", patience: 3, baseline: 0.5)), 3);
        }
        );
        yield return ("layers are found by their names, and the last one is taken away", () =>
        {
            var model = new Sequential([new Dense(2) { InputShape = [3], Name = "first" }, new Dense(1), new Rescaling(0.5, 1)]);
            Expect.Equal(model.GetLayer("first"), model.Layers[0]);
            Expect.Equal(model.GetLayer("dense_2"), model.Layers[1]);
            Expect.Throws<ArgumentException>(() => model.GetLayer("last"), "last", "first, dense_2, rescaling_1");
            Expect.True(model.Pop() is Rescaling && model.Layers.Count == 2, "the last layer");
        }
        );
        yield return ("activations have the values of Keras 3, as layers and by name", () =>
        {
            Tensor x = Tensor.Of(-4.0, -1, 0.5, 8);
            Tensor By(Layer layer) => new Sequential([layer]).Predict(x.Reshape(1, 4)).Reshape(4);
            Expect.Numbers(By(new Activation("leaky_relu")) * 10, -8, -2, 5, 80);
            Expect.Numbers(By(new Activation(Activations.HardSigmoid)) * 6, 0, 2, 3.5, 6);
            Expect.Numbers(By(new ReLU(maxValue: 6, negativeSlope: 0.5)), -2, -0.5, 0.5, 6);
            Expect.Numbers(By(new Identity()), -4, -1, 0.5, 8);
            Expect.Numbers(By(new Rescaling(0.5, 1)), -1, 0.5, 1.25, 5);
            var length = Math.Sqrt(16 + 1 + 0.25 + 64);
            Expect.Numbers(By(new UnitNormalization()), -4 / length, -1 / length, 0.5 / length, 8 / length);
            Expect.Numbers(By(new Softmax()).Sum(), 1);
            Expect.Numbers(By(new Activation(Activations.Relu6)), 0, 0, 0.5, 6);
            foreach (var name in Enum.GetValues<Activations>()) Expect.Shape(By(new Activation(name)), 4);
            Expect.Throws<ArgumentOutOfRangeException>(() => new ReLU(negativeSlope: -1), "negativeSlope");
        }
        );
    }

    private static readonly float[][] Inputs = [[1], [2], [3], [4]];
    private static readonly float[] Targets = [1, 2, 3, 4];

    private static Sequential One(string activation = "linear")
    {
        var model = new Sequential([new Dense(1, activation) { InputShape = [1] }], seed: 1);
        model.Compile("mse", new SGD(0.01));
        return model;
    }
}
