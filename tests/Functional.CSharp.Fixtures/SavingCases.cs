// A saved model comes back as it was, and goes on as it would have gone on; what a file cannot hold is refused.
using System.Text.Json.Nodes;
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class SavingCases
{
    private static readonly Tensor X = LayerChecks.Numbers(12, [3]);
    private static readonly Tensor Y = LayerChecks.Numbers(12, [2]);

    /// <summary>Every optimiser, with settings that are not its defaults.</summary>
    private static readonly Func<LearningRate, (double? Value, double? Norm, double? Global, double? Decay), Optimizer>[] Optimizers =
    [
        (lr, c) => new SGD(lr) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new SGD(lr, momentum: 0.7) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new SGD(lr, momentum: 0.8, nesterov: true) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new RMSprop(lr, rho: 0.8, epsilon: 1e-5) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new RMSprop(lr, momentum: 0.5, centered: true) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Adagrad(lr, initialAccumulatorValue: 0.3) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Adadelta(lr, rho: 0.9, epsilon: 1e-4) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Adam(lr, beta1: 0.8, beta2: 0.95, epsilon: 1e-4) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Adam(lr, amsgrad: true) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new AdamW(lr, weightDecay: 0.03, beta1: 0.7) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Nadam(lr, beta1: 0.8, beta2: 0.9) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
        (lr, c) => new Lion(lr, beta1: 0.6, beta2: 0.8) { ClipValue = c.Value, ClipNorm = c.Norm, GlobalClipNorm = c.Global, WeightDecay = c.Decay },
    ];

    private static readonly LearningRate[] Rates =
    [
        0.05, LearningRate.Step(0.1, 2, 0.5), LearningRate.Exponential(0.1, 3, 0.7), LearningRate.Cosine(0.1, 9, 0.1),
        LearningRate.OneCycle(0.1, 11), LearningRate.Cosine(0.1, 9).WithWarmUp(3), ((LearningRate)0.03).WithWarmUp(7),
    ];

    private static readonly (double? Value, double? Norm, double? Global, double? Decay)[] Clippings =
        [(null, null, null, null), (0.02, null, null, null), (null, 0.1, null, 0.01), (null, null, 0.15, null), (0.05, 0.1, 0.12, 0.1)];

    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("every optimiser with every schedule goes on after Save and Load as if nothing had happened, bit for bit", () => Scratch.InFile(path =>
        {
            for (var o = 0; o < Optimizers.Length; o++)
                for (var r = 0; r < Rates.Length; r++)
                {
                    var clipping = Clippings[(o + r) % Clippings.Length];
                    var optimizer = Optimizers[o](Rates[r], clipping);
                    GoesOn(path, $"{optimizer.Name} {o}, rate {r}, clipping {clipping}", () => Learner(optimizer, runEagerly: (o + r) % 4 != 0));
                }
        }));
        yield return ("every optimiser has the settings of its F# twin where none are given", () => Scratch.InFile(path =>
        {
            (Optimizer, OptimizerType.Optimizer)[] twins =
            [
                (new SGD(), SgdModule.create(SgdModule.defaults)),
                (new RMSprop(), RmsPropModule.create(RmsPropModule.defaults)),
                (new Adagrad(), AdagradModule.create(AdagradModule.defaults)),
                (new Adadelta(), AdadeltaModule.create(AdadeltaModule.defaults)),
                (new Adam(), AdamModule.create(AdamModule.defaults)),
                (new AdamW(), OptimizerModule.adamw(0.004, 0.001)),
                (new Nadam(), NadamModule.create(NadamModule.defaults)),
                (new Lion(), LionModule.create(LionModule.defaults)),
            ];
            foreach (var (optimizer, twin) in twins)
            {
                Learner(optimizer, runEagerly: true).Save(path);
                var written = JsonNode.Parse(ModelFile.description(path))!["compiled"]!["optimizer"]!.ToJsonString();
                Expect.Equal(written, DescriptionModule.toJson(OptimizerModule.describe(twin).Value));
            }
        }));
        yield return ("a training stopped by a checkpoint goes on with resumeFrom, bit for bit, under every optimiser", () => Scratch.InFile(path =>
        {
            for (var o = 0; o < Optimizers.Length; o++)
            {
                Sequential Make() => Learner(Optimizers[o](Rates[o % Rates.Length], Clippings[o % Clippings.Length]), runEagerly: true);
                var (whole, first, second) = (Make(), Make(), Make());
                whole.Fit(X, Y, batchSize: 5, epochs: 4, verbose: 0, seed: 3);
                first.Fit(X, Y, batchSize: 5, epochs: 2, verbose: 0, seed: 3, callbacks: [new ModelCheckpoint(path)]);
                second.Fit(X, Y, batchSize: 5, epochs: 4, verbose: 0, resumeFrom: path);
                Same(second, whole, $"optimiser {o}");
                Same(Model.Load(path), first, $"optimiser {o}: the checkpoint as a model");
            }
        }));
        yield return ("a model that a callback saves while it learns is whole", () => Scratch.InFile(path =>
        {
            Sequential Make() => Learner(new Adam(0.05), runEagerly: false);
            var (whole, first) = (Make(), Make());
            whole.Fit(X, Y, batchSize: 4, epochs: 1, verbose: 0, seed: 3);
            first.Fit(X, Y, batchSize: 4, epochs: 2, verbose: 0, seed: 3, callbacks: [new Saver(first, path)]);
            whole.Fit(X, Y, batchSize: 4, epochs: 1, verbose: 0, seed: 8);
            var loaded = Model.Load(path);
            loaded.Fit(X, Y, batchSize: 4, epochs: 1, verbose: 0, seed: 8);
            Same(loaded, whole, "saved after the first epoch");
        }));
        yield return ("stateful layers go on, too", () => Scratch.InFile(path =>
        {
            var (x, y) = (LayerChecks.Numbers(8, [3, 2]), LayerChecks.Numbers(8, [1]));
            Sequential Make()
            {
                var model = new Sequential([new LSTM(3, stateful: true), new Dense(1)], seed: 2);
                model.Compile("mse", new Adam(0.01));
                model.Fit(x, y, batchSize: 4, epochs: 1, verbose: 0, seed: 3, shuffle: false);
                return model;
            }

            var (whole, first) = (Make(), Make());
            first.Save(path);
            var loaded = Model.Load(path);
            foreach (var model in new[] { whole, loaded }) model.Fit(x, y, batchSize: 4, epochs: 2, verbose: 0, seed: 4, shuffle: false);
            Same(loaded, whole, "a stateful model");
            Expect.Equal(Abs(loaded.Predict(x, batchSize: 4) - whole.Predict(x, batchSize: 4)).Max().ToDouble(), 0.0);
        }));
        yield return ("losses, their weights, metrics and regularizers come back", () => Scratch.InFile(path =>
        {
            var x = Model.Input(3);
            var hidden = new Dense(4, "tanh", kernelRegularizer: Regularizer.L1(0.02), biasRegularizer: "l1_l2", kernelConstraint: Constraint.MaxNorm(1)).Apply(x);
            var model = new Model(x, [new Dense(2) { Name = "a" }.Apply(hidden), new Dense(2, "softmax") { Name = "b" }.Apply(hidden)], seed: 4);
            model.Compile([Loss.Huber(0.3), "kld"], new Nadam(0.02), [["mae", Metric.BinaryAccuracy(0.2)], [Metric.TopK(1), "accuracy"]], [0.7, 0.2]);
            model.Fit([X], [Y, Y], batchSize: 4, epochs: 2, verbose: 0, seed: 1);
            model.Save(path);
            var loaded = Model.Load(path);
            Expect.Equal(loaded.Evaluate(X, (Tensor[])[Y, Y]).ToString(), model.Evaluate(X, (Tensor[])[Y, Y]).ToString());
            var (a, b) = (loaded.Fit([X], [Y, Y], batchSize: 4, epochs: 2, verbose: 0, seed: 2), model.Fit([X], [Y, Y], batchSize: 4, epochs: 2, verbose: 0, seed: 2));
            Expect.Equal(string.Join(" ", a.Names.SelectMany(name => a[name])), string.Join(" ", b.Names.SelectMany(name => b[name])));
            Same(loaded, model, "two outputs");
        }));
        yield return ("what a file cannot hold is refused, with the reason and what would do", () => Scratch.InFile(path =>
        {
            void Refused(Model model, params string[] parts)
            {
                File.WriteAllText(path, "as it was");
                Expect.Throws<NotSupportedException>(() => model.Save(path), parts);
                Expect.Equal(File.ReadAllText(path), "as it was");
            }

            Sequential Compiled(Loss loss, Optimizer optimizer, params Metric[] metrics)
            {
                var model = new Sequential([new Dense(2, inputDim: 3)], seed: 1);
                model.Compile(loss, optimizer, metrics);
                return model;
            }

            static Tensor Off(Tensor target, Tensor prediction) => (target - prediction).Norm();
            Refused(new Sequential([new Dense(2, inputDim: 3), new Activation(x => Sin(x))]), "activation_1", "SaveWeights");
            Refused(new Sequential([new Dense(2, inputDim: 3), new TimeDistributed(new Lambda(x => x)) { InputShape = [2] }]), "time_distributed_1");
            Refused(new Sequential([new Dense(2, inputDim: 3, kernelRegularizer: new Regularizer(w => w.Norm()))]), "dense_1");
            Refused(Compiled(new Loss(Off, "off"), "sgd"), "the loss \"off\"", "includeOptimizer: false");
            Refused(Compiled("mse", "sgd", "mae", new Metric("mine", Off)), "the metric \"mine\"");
            Refused(Compiled("mse", new Adam(LearningRate.Of(step => 0.1 / (step.Cast(DType.Float64) + 1.0)))), "schedule");
            Refused(new Sequential([new LeakyReLU(double.NaN) { InputShape = [3] }]), "no number");

            var own = Compiled(new Loss(Off, "off"), "adam");
            own.Save(path, includeOptimizer: false);
            var loaded = Model.Load(path);
            Same(loaded, own, "without its training");
            Expect.Throws<InvalidOperationException>(() => loaded.Fit(X, Y, verbose: 0), "not compiled", "saved without its training");
            own.Fit(X, Y, verbose: 0, callbacks: [new ModelCheckpoint(path)]);
            Expect.Throws<InvalidOperationException>(() => Model.Load(path).Fit(X, Y, verbose: 0), "the loss \"off\" is a function of one's own");
            own.SaveWeights(path);
            var twin = new Sequential([new Dense(2, inputDim: 3)]);
            twin.LoadWeights(path);
            Same(twin, own, "weights alone");
            Expect.Throws<InvalidDataException>(() => Model.Load(path), "without a description");
        }));
        yield return ("settings outside their ranges are refused when the model is compiled", () =>
        {
            void Refused(Func<Optimizer> make, params string[] parts) => Expect.Throws<ArgumentException>(() => new Sequential([new Dense(1)]).Compile("mse", make()), parts);

            Refused(() => new Adam(beta1: 1.0), "Adam", "beta1", "[0, 1)", "1");
            Refused(() => new Adam(epsilon: double.NaN), "epsilon", "NaN");
            Refused(() => new SGD(-0.1), "rate", "-0.1");
            Refused(() => new SGD(double.NaN), "rate", "NaN");
            Refused(() => new SGD(momentum: 2), "momentum", "2");
            Refused(() => new RMSprop(rho: -1), "rho", "-1");
            Refused(() => new SGD { ClipNorm = -1 }, "clipByNorm", "-1");
            Refused(() => new SGD { WeightDecay = -1 }, "decay", "-1");
            Refused(() => new SGD(LearningRate.Cosine(double.PositiveInfinity, 3)), "rate");
        }
        );
    }

    private static Sequential Learner(Optimizer optimizer, bool runEagerly)
    {
        var model = new Sequential([new Dense(4, "tanh", inputDim: 3, kernelRegularizer: "l2"), new BatchNormalization(), new Dropout(0.2), new Dense(2)], seed: 7);
        model.Compile("mse", optimizer, ["mae"], runEagerly);
        return model;
    }

    /// <summary>A model trained twice, against one that is saved and loaded between.</summary>
    private static void GoesOn(string path, string what, Func<Sequential> make)
    {
        var (whole, first) = (make(), make());
        foreach (var model in new[] { whole, first }) model.Fit(X, Y, batchSize: 5, epochs: 2, verbose: 0, seed: 1);
        first.Save(path);
        var second = Model.Load(path);
        var (expected, actual) = (whole.Fit(X, Y, batchSize: 5, epochs: 2, verbose: 0, seed: 2), second.Fit(X, Y, batchSize: 5, epochs: 2, verbose: 0, seed: 2));
        Expect.Equal(string.Join(" ", actual["loss"].Concat(actual["mae"])), string.Join(" ", expected["loss"].Concat(expected["mae"])));
        Same(second, whole, what);
        Expect.True(Abs(second.Weights[0] - first.Weights[0]).Max().ToDouble() > 0, $"{what}: nothing was learnt");
    }

    private static void Same(Model actual, Model expected, string what)
    {
        foreach (var (name, (a, b)) in expected.WeightNames.Zip(actual.Weights.Zip(expected.Weights)))
            Expect.True(a.ToArray<float>().AsSpan().SequenceEqual(b.ToArray<float>()), $"{what}: {name} is {a}, expected {b}");
    }

    private sealed class Saver(Model model, string path) : Callback
    {
        protected override void OnEpochEnd(int epoch, IReadOnlyDictionary<string, double> numbers)
        {
            if (epoch == 1) model.Save(path);
        }
    }
}
