// Layers that go on where they ended: batch by batch, in training and answers, reset and resumed.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class StatefulCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("a sequence in parts is the sequence, for every layer", () =>
        {
            var x = LayerChecks.Numbers(3, [6, 2]);
            foreach (var (part, whole) in new (Layer, Layer)[]
            {
                (new SimpleRNN(4, returnSequences: true, stateful: true), new SimpleRNN(4, returnSequences: true)),
                (new LSTM(4, returnSequences: true, stateful: true), new LSTM(4, returnSequences: true)),
                (new GRU(4, returnSequences: true, resetAfter: false, stateful: true), new GRU(4, returnSequences: true, resetAfter: false)),
            })
            {
                var expected = new Sequential([whole], seed: 2).Predict(x);
                var model = new Sequential([part], seed: 2);
                Near(model.Predict(x.Slice(.., 0..4)), expected.Slice(.., 0..4), "the beginning");
                model = new Sequential([part], seed: 2);
                for (var step = 0; step < 6; step += 2) Near(model.Predict(x.Slice(.., step..(step + 2))), expected.Slice(.., step..(step + 2)), $"step {step}");
                model.ResetStates();
                Near(model.Predict(x.Slice(.., 0..2)), expected.Slice(.., 0..2), "after a reset");
            }
        }
        );
        yield return ("batches of a call go on from each other, and so do those of Evaluate", () =>
        {
            var model = new Sequential([new GRU(3, stateful: true), new Dense(1)], seed: 2);
            model.Compile("mse", "sgd", ["mae"]);
            var x = LayerChecks.Numbers(6, [4, 2]);
            var apart = Tensor.Concat([model.Predict(x.Slice(0..2)), model.Predict(x.Slice(2..4)), model.Predict(x.Slice(4..6))], 0);
            model.ResetStates();
            Near(model.Predict(x, batchSize: 2), apart, "batches");
            model.ResetStates();
            var y = LayerChecks.Numbers(6, [1]);
            var measured = model.Evaluate(x, y, batchSize: 2);
            Expect.True(Math.Abs(measured.Loss - Square(apart - y).Mean().ToDouble()) < 1e-6, "the loss");
            Expect.True(Math.Abs(measured["mae"] - Abs(apart - y).Mean().ToDouble()) < 1e-6, "the metric");
        }
        );
        yield return ("training carries the state from batch to batch", () =>
        {
            // the answer is the first number of the batch before: without a state it cannot be known
            var numbers = Tensor.RandomUniform([64, 1, 1], RandomKey.Create(3), DType.Float32);
            var before = Tensor.Concat([Tensor.Zeros([1, 1], DType.Float32), numbers.Reshape(64, 1).Slice(0..63)], 0);
            double Learnt(bool stateful)
            {
                var model = new Sequential([new SimpleRNN(4, stateful: stateful), new Dense(1)], seed: 2);
                model.Compile("mse", new Adam(lr: 0.02));
                model.Fit(numbers, before, batchSize: 1, epochs: 30, shuffle: false, verbose: 0, seed: 1, callbacks: [new Anew()]);
                model.ResetStates();
                return model.Evaluate(numbers, before, batchSize: 1).Loss;
            }

            Expect.True(Learnt(true) < 0.01, $"with a state the loss is {Learnt(true)}");
            Expect.True(Learnt(false) > 0.05, "without one it cannot fall");
        }
        );
        yield return ("a training in parts goes on, bit for bit, also from a checkpoint; its file is one of weights, too", () => Scratch.InFile(path =>
        {
            var (x, y) = (LayerChecks.Numbers(8, [3, 2]), LayerChecks.Numbers(8, [1]));
            Sequential Make()
            {
                var model = new Sequential([new LSTM(3, stateful: true), new BatchNormalization(), new Dense(1)], seed: 2);
                model.Compile("mse", "adam", ["mae"]);
                return model;
            }

            var (whole, first, second) = (Make(), Make(), Make());
            whole.Fit(x, y, batchSize: 4, epochs: 4, verbose: 0, seed: 3, validationData: (x.Slice(0..3), y.Slice(0..3)));
            first.Fit(x, y, batchSize: 4, epochs: 2, verbose: 0, seed: 3, validationData: (x.Slice(0..3), y.Slice(0..3)), callbacks: [new ModelCheckpoint(path)]);
            second.Fit(x, y, batchSize: 4, epochs: 4, verbose: 0, resumeFrom: path);
            foreach (var (a, b) in whole.Weights.Zip(second.Weights)) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
            Near(second.Predict(x, batchSize: 4), whole.Predict(x, batchSize: 4), "the state goes on, too");
            var loaded = Sequential.Load(path);
            Expect.Equal(loaded.CountParams(), first.CountParams());
            first.ResetStates();
            Near(loaded.Predict(x, batchSize: 4), first.Predict(x, batchSize: 4), "loaded");
            loaded.ResetStates();
            loaded.Fit(x, y, batchSize: 2, verbose: 0);
        }));
        yield return ("in a graph, in both directions, with the state as an output", () =>
        {
            var x = Model.Input(4, 2);
            var outputs = new Bidirectional(new GRU(3, returnState: true, stateful: true)).ApplyAll(x);
            Expect.Equal(outputs.Length, 3);
            var model = new Model(x, [.. outputs, new LSTM(2, stateful: true).Apply(x)], seed: 3);
            var data = LayerChecks.Numbers(2, [4, 2]);
            var first = model.PredictAll(data);
            Expect.Equal(first.Length, 4);
            Expect.True(Abs(model.PredictAll(data)[0] - first[0]).Max().ToDouble() > 1e-3, "it goes on");
            var text = model.Summary(TextWriter.Null);
            Expect.True(text.Contains("(None, 2)") && !text.Contains("[(None, 2), (None, 2)"), $"states that nobody asked for stand in the summary:\n{text}");
            model.ResetStates();
            foreach (var (a, b) in model.PredictAll(data).Zip(first)) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            var model = new Sequential([new LSTM(2, stateful: true), new Dense(1)]);
            model.Compile("mse", "sgd");
            var (x, y) = (LayerChecks.Numbers(6, [3, 2]), LayerChecks.Numbers(6, [1]));
            Expect.Throws<ArgumentException>(() => model.Fit(x, y, batchSize: 4, verbose: 0), "6 examples", "batches of 4", "divides 6");
            Expect.Throws<ArgumentException>(() => model.Predict(x, batchSize: 4), "6 examples", "batches of 4");
            model.Predict(x);
            Expect.Throws<ArgumentException>(() => model.Predict(x.Slice(0..2)), "remember 6 sequences", "the batch has 2", "ResetStates");
            model.ResetStates();
            IEnumerable<(Tensor X, Tensor Y)> Batches(long seed) => [(x, y), (x, y)];
            Expect.Throws<InvalidOperationException>(() => model.Fit(Batches, verbose: 0), "how many sequences", "ResetStates(batchSize: 32)");
            model.ResetStates(batchSize: 6);
            model.Fit(Batches, verbose: 0);
            Expect.Throws<ArgumentException>(() => model.ResetStates(0), "0 sequences");
        }
        );
    }

    private static void Near(Tensor actual, Tensor expected, string what) =>
        Expect.True(Abs(actual - expected).Max().ToDouble() < 1e-6, $"{what}: {actual}, expected {expected}");

    /// <summary>Every epoch begins anew.</summary>
    private sealed class Anew : Callback
    {
        protected override void OnEpochEnd(int epoch, IReadOnlyDictionary<string, double> numbers) => Model.ResetStates();
    }
}
