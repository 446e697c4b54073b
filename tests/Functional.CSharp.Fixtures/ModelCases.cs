// Sequential models as a C# program writes them, and every mistake it may make.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class ModelCases
{
    private static readonly float[][] Inputs = [[0, 0], [0, 1], [1, 0], [1, 1]];
    private static readonly float[] Xor = [0, 1, 1, 0];

    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("the talk's network has 648,010 parameters, and its summary says so", () =>
        {
            var model = new Sequential();
            model.Add(new Dense(inputDim: 28 * 28, outputDim: 500));
            model.Add(new Activation("sigmoid"));
            model.Add(new Dense(outputDim: 500));
            model.Add(new Activation("sigmoid"));
            model.Add(new Dense(outputDim: 10));
            model.Add(new Activation("softmax"));
            Expect.Equal(model.CountParams(), 648_010L);
            var text = new StringWriter();
            Expect.Equal(model.Summary(text), text.ToString());
            foreach (var part in new[] { "dense_1 (Dense)", "activation_3 (Activation)", "(None, 500)", "392,500", "Total params: 648,010" })
                Expect.True(text.ToString().Contains(part), $"the summary has no '{part}':\n{text}");
            Expect.Equal(string.Join(" ", model.WeightNames), "[0].Weights [0].Bias [2].Weights [2].Bias [4].Weights [4].Bias");
            Expect.Equal(string.Join(",", model.OutputShape), "10");
        }
        );
        yield return ("exclusive or is learnt from plain arrays", () =>
        {
            var model = new Sequential([new Dense(8, activation: "tanh"), new Dense(1, activation: "sigmoid")], seed: 1);
            model.Compile(loss: "mse", optimizer: new Adam(lr: 0.05), metrics: ["accuracy"]);
            var history = model.Fit(Inputs, Xor, batchSize: 4, epochs: 200, verbose: 0, seed: 1);
            Expect.Equal(history.Epochs, 200);
            Expect.True(history["loss"][^1] < 0.05, $"the loss is {history["loss"][^1]}");
            var (_, accuracy) = model.Evaluate(Inputs, Xor);
            Expect.Equal(accuracy, 1.0);
            Expect.Shape(model.Predict(Inputs), 4, 1);
            Expect.Equal(history.End, TrainingEnd.Completed);
        }
        );
        yield return ("doubles and two-dimensional arrays are data too", () =>
        {
            var model = new Sequential([new Dense(2, kernelInitializer: "zeros", biasInitializer: Initializer.Constant(2))]);
            Expect.Numbers(model.Predict(new double[,] { { 1, 2, 3 } }), 2, 2);
            Expect.Numbers(model.Predict(new double[][] { [1, 2, 3] }), 2, 2);
            Expect.Numbers(model.Predict(new float[,] { { 1, 2, 3 } }), 2, 2);
        }
        );
        yield return ("classes as integers, with a sparse loss", () =>
        {
            var model = new Sequential([new Dense(3)], seed: 2);
            model.Compile("sparse_categorical_crossentropy_from_logits", new SGD(lr: 0.5), ["accuracy"]);
            float[][] x = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
            var history = model.Fit(x, new[] { 2, 0, 1 }, epochs: 100, verbose: 0, seed: 1);
            Expect.Equal(history.Last["accuracy"], 1.0);
            Expect.Throws<ArgumentException>(() => model.Evaluate(x, new[] { 2, 0, 3 }), "3");
        }
        );
        yield return ("functions stand where names may: activations, losses, metrics, layers with parameters", () =>
        {
            var model = new Sequential(
                [
                    new Dense(4, activation: new ActivationFunction(x => Sin(x))),
                    new Activation(x => x * 2),
                    new Lambda(x => x.Sum(axis: 1, keepDims: true), _ => [1]),
                    new CustomLayer<Line>((_, shape) => new(Tensor.Ones(shape, DType.Float32), Tensor.Zeros(shape, DType.Float32)), (line, x) => line.Slope * x + line.Intercept),
                ],
                seed: 3);
            model.Compile((target, prediction) => Square(prediction - target).Mean(), "sgd", [new Metric("bias", (target, prediction) => (prediction - target).Mean())]);
            var before = model.Evaluate(Inputs, Xor);
            model.Fit(Inputs, Xor, epochs: 20, verbose: 0, seed: 1);
            Expect.True(model.Evaluate(Inputs, Xor).Loss < before.Loss, "the loss fell");
            Expect.Equal(string.Join(" ", before.Names), "loss bias");
            Expect.Equal(model.WeightNames[^1], "[3].Intercept");
        }
        );
        yield return ("shapes flow: input layer, flatten, reshape, permute, repeat", () =>
        {
            var model = new Sequential([new InputLayer(2, 3), new Permute(2, 1), new Flatten(), new RepeatVector(2), new Reshape(3, -1), new PReLU(), new LeakyReLU(), new ELU(), new GaussianNoise(0.1)]);
            Expect.Equal(string.Join(",", model.OutputShape), "3,4");
            Expect.Numbers(model.Predict(Tensor.Of([1f, 2, 3, 4, 5, 6], [1, 2, 3])), 1, 4, 2, 5, 3, 6, 1, 4, 2, 5, 3, 6);
        }
        );
        yield return ("weights are read and set", () =>
        {
            var model = new Sequential([new Dense(1, inputDim: 2)]);
            model.Weights = [Tensor.Of(new float[,] { { 1 }, { 2 } }), Tensor.Of(3f)];
            Expect.Numbers(model.Predict(Inputs), 3, 5, 4, 6);
            Expect.Throws<ArgumentException>(() => model.Weights = [Tensor.Of(1f)], "2 weights", "[0].Weights, [0].Bias");
            Expect.Throws<ArgumentException>(() => model.Weights = [Tensor.Of(1f, 2f), Tensor.Of(3f)], "[0].Weights", "(2, 1)");
            Expect.Numbers(model.Predict(Inputs), 3, 5, 4, 6);
        }
        );
        yield return ("callbacks look on and stop", () =>
        {
            var (begun, batches, epochs, ended) = (0, 0, 0, 0);
            var watch = new LambdaCallback((_, numbers) => epochs += numbers.ContainsKey("val_loss") ? 1 : 0, (_, _, _) => batches++, () => begun++, () => ended++);
            var model = Small();
            var history = model.Fit(Inputs, Xor, batchSize: 2, epochs: 50, verbose: 0, seed: 1, validationData: (Inputs, Xor), callbacks: [watch, new StopAfter(3)]);
            Expect.Equal((begun, batches, epochs, ended), (1, 6, 3, 1));
            Expect.Equal((history.End, history.StopReason, history.Epochs), (TrainingEnd.Stopped, "enough", 3));
        }
        );
        yield return ("early stopping, reduction on a plateau, NaN: the ready-made callbacks", () =>
        {
            var model = Small();
            var history = model.Fit(Inputs, Xor, epochs: 100, verbose: 0, seed: 1, callbacks: [new EarlyStopping("loss", minDelta: 10, patience: 2, restoreBestWeights: true), new ReduceLROnPlateau("loss")]);
            Expect.Equal((history.End, history.Epochs), (TrainingEnd.Stopped, 3));
            Expect.Throws<ArgumentException>(() => model.Fit(Inputs, Xor, verbose: 0, callbacks: [new EarlyStopping()]), "val_loss", "validation data");
            var wild = Small(new SGD(lr: 1e30));
            Expect.Equal(wild.Fit(Inputs, Xor, epochs: 9, verbose: 0, seed: 1, callbacks: [new TerminateOnNaN()]).End, TrainingEnd.Stopped);
            Expect.True(wild.Weights.All(w => IsFinite(w).Min().ToBool()), "the weights from before the NaN are kept");
        }
        );
        yield return ("a model in a file is the same model, compiled as it was", () => InFolder(folder =>
        {
            var path = Path.Combine(folder, "model.safetensors");
            var model = new Sequential([new Flatten { InputShape = [1, 2] }, new Dense(3, "relu", kernelRegularizer: "l2"), new Dropout(0.5), new Dense(1, useBias: false) { Trainable = false, Name = "out" }], "small", 4);
            model.Compile("mse", new SGD(lr: 0.25), ["mae"]);
            model.Save(path);
            var loaded = Sequential.Load(path);
            var x = Tensor.Of<float>([1, 2, 3, 4], [2, 1, 2]);
            Expect.Numbers(loaded.Predict(x) - model.Predict(x), 0, 0);
            Expect.Equal(loaded.Summary(TextWriter.Null), model.Summary(TextWriter.Null));
            Expect.Equal(loaded.Evaluate(x, new float[] { 1, 2 }).ToString(), model.Evaluate(x, new float[] { 1, 2 }).ToString());
            Expect.Throws<InvalidDataException>(() => Small().LoadWeights(path), "another model", "[1].Weights");
            Expect.Throws<FileNotFoundException>(() => Sequential.Load(Path.Combine(folder, "none")));
            File.WriteAllText(path, "no safetensors");
            Expect.Throws<InvalidDataException>(() => Sequential.Load(path));
        }));
        yield return ("a model with functions is loaded into one that has them", () => InFolder(folder =>
        {
            var path = Path.Combine(folder, "model.safetensors");
            var model = new Sequential([new Dense(2, inputDim: 2), new Activation(x => Sin(x))]);
            model.SaveWeights(path);
            Expect.Throws<InvalidDataException>(() => Sequential.Load(path), "without a description");
            var twin = new Sequential([new Dense(2, inputDim: 2), new Activation(x => Sin(x))]);
            twin.LoadWeights(path);
            Expect.Numbers(twin.Predict(Inputs) - model.Predict(Inputs), 0, 0, 0, 0, 0, 0, 0, 0);
        }));
        yield return ("checkpoints and logs are written as epochs end", () => InFolder(folder =>
        {
            var (log, best) = (Path.Combine(folder, "log.csv"), Path.Combine(folder, "best-{epoch}.safetensors"));
            Small().Fit(Inputs, Xor, epochs: 3, verbose: 0, seed: 1, callbacks: [new CSVLogger(log), new ModelCheckpoint(best), new ModelCheckpoint(Path.Combine(folder, "best"), "loss", saveBestOnly: true)]);
            Expect.Equal(File.ReadAllLines(log).Length, 4);
            Expect.True(File.Exists(Path.Combine(folder, "best-3.safetensors")) && File.Exists(Path.Combine(folder, "best")), "the files are there");
            Expect.Shape(Sequential.Load(Path.Combine(folder, "best")).Predict(Inputs), 4, 1);
        }));
        yield return ("batches may be made as they are needed, also asynchronously", () =>
        {
            var seeds = new HashSet<long>();
            var model = Small();
            IEnumerable<(Tensor, Tensor)> Batches(long seed)
            {
                seeds.Add(seed);
                for (var i = 0; i < 3; i++) yield return (Tensor.Of<float>(Inputs), Tensor.Of<float>(Xor));
            }

            Expect.Equal(model.Fit(Batches, epochs: 2, stepsPerEpoch: 3, verbose: 0, seed: 1).Epochs, 2);
            Expect.Equal(seeds.Count, 2);
            Expect.Equal(model.FitAsync(Stream(), epochs: 2, verbose: 0).GetAwaiter().GetResult().Epochs, 2);
        }
        );
        yield return ("cancelling stops after the current batch and keeps what was learnt", () =>
        {
            using var source = new CancellationTokenSource();
            var model = Small();
            var before = model.Weights[0].ToArray<float>();
            var history = model.Fit(Inputs, Xor, epochs: 1000, verbose: 0, callbacks: [new LambdaCallback((epoch, _) => { if (epoch == 2) source.Cancel(); })], cancellationToken: source.Token);
            Expect.Equal((history.End, history.Epochs), (TrainingEnd.Interrupted, 2));
            Expect.True(!model.Weights[0].ToArray<float>().SequenceEqual(before), "the weights have changed");
        }
        );
        yield return ("training twice goes on with the optimiser's memory", () =>
        {
            var (once, twice) = (Small(new Adam()), Small(new Adam()));
            once.Fit(Inputs, Xor, epochs: 2, shuffle: false, verbose: 0);
            twice.Fit(Inputs, Xor, epochs: 1, shuffle: false, verbose: 0);
            twice.Fit(Inputs, Xor, epochs: 1, shuffle: false, verbose: 0);
            Expect.Numbers(once.Weights[0] - twice.Weights[0], 0, 0, 0, 0, 0, 0);
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            Expect.Throws<ArgumentException>(() => new Activation("sigmod"), "sigmod", "\"sigmoid\"");
            Expect.Throws<ArgumentException>(() => new Dense(3, kernelInitializer: "he"), "he_normal");
            Expect.Throws<ArgumentException>(() => new Dense(3, kernelRegularizer: "l3"), "l3", "\"l2\"");
            Expect.Throws<ArgumentException>(() => Small().Compile("mes", "sgd"), "mes", "\"mse\"");
            Expect.Throws<ArgumentException>(() => Small().Compile("mse", "sdg"), "sdg", "\"sgd\"");
            Expect.Throws<ArgumentException>(() => Small().Compile("mse", "sgd", ["acuracy"]), "acuracy", "\"accuracy\"");
            Expect.Throws<ArgumentOutOfRangeException>(() => new Dense(0), "0 units");
            Expect.Throws<InvalidOperationException>(() => new Sequential([new Dense(3)]).Fit(Inputs, Xor), "Compile");
            Expect.Throws<InvalidOperationException>(() => new Sequential([new Dense(3)]).Summary(), "inputDim");
            Expect.Throws<InvalidOperationException>(() => new Sequential().Predict(Inputs), "no layers");
            Expect.Throws<ArgumentException>(() => Small().Predict(new float[][] { [1, 2, 3] }), "(2)", "(3)");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, new float[] { 1, 2, 3 }), "4 inputs", "3 targets");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Xor, batchSize: 0), "batch");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Xor, validationSplit: 1.5), "1.5");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Xor, verbose: 7), "verbose", "7");
            Expect.Throws<ArgumentException>(() => Small().Fit(new float[][] { [1, float.NaN] }, new float[] { 1 }), "NaN");
            Expect.Throws<ArgumentException>(() => Small().Fit(new float[][] { }, new float[] { }), "");
            Expect.Throws<ArgumentException>(() => new Sequential([new Dense(2, inputDim: 2), new Reshape(3)]).Summary(), "layer 1");
            var model = Small();
            model.Fit(Inputs, Xor, verbose: 0);
            Expect.Throws<InvalidOperationException>(() => model.Add(new Dense(1)), "add all layers first");
            Expect.Throws<ArgumentException>(() => _ = model.Fit(Inputs, Xor, verbose: 0)["los"], "los", "loss");
            Expect.Throws<ArgumentNullException>(() => model.Add(null!), "layer");
        }
        );
    }

    private static Sequential Small(Optimizer? optimizer = null)
    {
        var model = new Sequential([new Dense(3, "tanh", inputDim: 2), new Dense(1)], seed: 4);
        model.Compile("mse", optimizer ?? "sgd");
        return model;
    }

    private static async IAsyncEnumerable<(Tensor X, Tensor Y)> Stream()
    {
        await Task.Yield();
        yield return (Tensor.Of<float>(Inputs), Tensor.Of<float>(Xor));
    }

    private static void InFolder(Action<string> act)
    {
        var folder = Directory.CreateTempSubdirectory("functional-").FullName;
        try
        {
            act(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class StopAfter(int epochs) : Callback
    {
        protected override void OnEpochEnd(int epoch, IReadOnlyDictionary<string, double> numbers)
        {
            Expect.Shape(Model.Predict(Inputs), 4, 1);
            if (epoch == epochs) StopTraining("enough");
        }
    }
}
