// Layers of sequences as a C# program writes them: recurrence, states, masks, and every mistake.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class SequenceCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("every layer has Keras' output shape and number of weights", () => LayerChecks.Shapes(Table()));
        yield return ("every layer comes back from a file as it was", () => LayerChecks.Files(Table()));
        yield return ("padding behind a sequence changes nothing", () =>
        {
            foreach (var reader in new Layer[] { new SimpleRNN(3), new LSTM(3), new GRU(3), new Bidirectional(new LSTM(3)), new GlobalAveragePooling1D() })
            {
                var model = new Sequential([new Embedding(9, 4, maskZero: true), new Dense(4, "tanh"), new Dropout(0.5), reader], seed: 2);
                var padded = model.Predict(new int[][] { [5, 3, 8, 0, 0, 0], [1, 2, 0, 0, 0, 0] });
                var first = new Sequential([new Embedding(9, 4), new Dense(4, "tanh"), new Dropout(0.5), reader], seed: 2).Predict(new int[][] { [5, 3, 8] });
                Expect.True(Abs(padded.Slice(0..1) - first).Max().ToDouble() < 1e-6, $"{reader.GetType().Name}: padding counts");
            }
        }
        );
        yield return ("a masking layer leaves out the steps that hold its value", () =>
        {
            var x = Tensor.Of<float>([1, 2, 9, 9, 3, 4], [1, 3, 2]);
            var with = new Sequential([new Masking(9), new GRU(3)], seed: 2).Predict(x);
            var without = new Sequential([new Activation("linear"), new GRU(3)], seed: 2).Predict(Tensor.Of<float>([1, 2, 3, 4], [1, 2, 2]));
            Expect.True(Abs(with - without).Max().ToDouble() < 1e-6, "masked steps count");
        }
        );
        yield return ("masked steps count neither in the loss nor in metrics", () =>
        {
            var model = new Sequential([new Embedding(9, 4, maskZero: true), new GRU(3, returnSequences: true), new TimeDistributed(new Dense(5, "softmax"))], seed: 2);
            model.Compile("sparse_categorical_crossentropy", "adam", ["accuracy"]);
            var x = new int[][] { [5, 3, 0, 0], [1, 2, 4, 0] };
            var there = model.Evaluate(x, new int[][] { [1, 2, 0, 0], [3, 4, 1, 0] });
            var other = model.Evaluate(x, new int[][] { [1, 2, 4, 3], [3, 4, 1, 2] });
            Expect.Equal(other.ToString(), there.ToString());
            var shares = there["accuracy"] * 5;
            Expect.True(Math.Abs(shares - Math.Round(shares)) < 1e-9, $"accuracy {there["accuracy"]} is no fifth, of five steps");
            var loss = there.Loss;
            var rows = model.Predict(x).Reshape(8, 5);
            double Of(int step, int label) => -Math.Log(rows.Slice(step..(step + 1), label..(label + 1)).Sum().ToDouble());
            Expect.True(Math.Abs(loss - (Of(0, 1) + Of(1, 2) + Of(4, 3) + Of(5, 4) + Of(6, 1)) / 5) < 1e-5, $"the loss is {loss}");
            model.Fit(x, new int[][] { [1, 2, 0, 0], [3, 4, 1, 0] }, epochs: 2, verbose: 0, seed: 1);
        }
        );
        yield return ("an encoder hands its state to a decoder", () =>
        {
            var question = Model.Input("question", 4, 2);
            var start = Model.Input("start", 3, 2);
            var encoded = new LSTM(5, returnState: true).ApplyAll(question);
            Expect.Equal(encoded.Length, 3);
            var decoded = new LSTM(5, returnSequences: true).Apply(start, encoded[1..]);
            var model = new Model([question, start], new TimeDistributed(new Dense(2)).Apply(decoded), seed: 3);
            var (q, s) = (LayerChecks.Numbers(2, [4, 2]), LayerChecks.Numbers(2, [3, 2]));
            Expect.Shape(model.Predict([q, s]), 2, 3, 2);
            Expect.True(Abs(model.Predict([q, s]) - model.Predict([q * 2, s])).Max().ToDouble() > 1e-3, "the question counts");
            model.Compile("mse", "adam");
            Expect.True(model.Fit([q, s], s, epochs: 3, verbose: 0, seed: 1)["loss"] is [var first, _, var last] && last < first, "the loss falls");
        }
        );
        yield return ("both directions: apart, merged, backwards with states", () =>
        {
            var x = Model.Input(4, 2);
            var gru = new GRU(3, returnSequences: true);
            var apart = new Bidirectional(gru, "none").ApplyAll(x);
            var data = LayerChecks.Numbers(2, [4, 2]);
            var two = new Model(x, [apart[0], apart[1]], seed: 4).PredictAll(data);
            foreach (var (mode, expected) in new (MergeMode, Tensor)[] { (MergeMode.Sum, two[0] + two[1]), (MergeMode.Mul, two[0] * two[1]), (MergeMode.Ave, (two[0] + two[1]) * 0.5) })
                Expect.True(Abs(new Model(x, new Bidirectional(gru, mode).Apply(x), seed: 4).Predict(data) - expected).Max().ToDouble() < 1e-6, $"{mode}");
            Expect.Equal(new Bidirectional(new LSTM(3, returnState: true)).ApplyAll(x).Length, 5);
            var backwards = new Sequential([new GRU(3, goBackwards: true)], seed: 4).Predict(data);
            var reversed = new Sequential([new GRU(3)], seed: 4).Predict(data.Reverse(1));
            Expect.True(Abs(backwards - reversed).Max().ToDouble() < 1e-6, "backwards is forwards over what is reversed");
        }
        );
        yield return ("penalties of all kinds are part of the loss", () =>
        {
            double Loss(Layer layer)
            {
                var model = new Sequential([layer], seed: 5);
                model.Compile((_, y) => y.Sum() * 0, "sgd");
                return model.Evaluate(LayerChecks.Numbers(2, [3, 2]), LayerChecks.Numbers(2, [4])).Loss;
            }

            Expect.Equal(Loss(new LSTM(4)), 0.0);
            var kernel = Loss(new LSTM(4, kernelRegularizer: "l2"));
            var recurrent = Loss(new LSTM(4, recurrentRegularizer: Regularizer.L2(0.01)));
            var bias = Loss(new LSTM(4, biasRegularizer: "l2"));
            Expect.True(kernel > 0 && recurrent > 0 && Math.Abs(bias - 0.04) < 1e-6, $"{kernel}, {recurrent}, {bias}");
            var all = Loss(new LSTM(4, kernelRegularizer: "l2", recurrentRegularizer: "l2", biasRegularizer: "l2"));
            Expect.True(Math.Abs(all - kernel - recurrent - bias) < 1e-6, $"{all}");
            Expect.True(Loss(new Bidirectional(new LSTM(2, biasRegularizer: "l2"))) is > 0.0399 and < 0.0401, "both directions");
            Expect.Equal(Loss(new LSTM(4, kernelRegularizer: "l2") { Trainable = false }), 0.0);
        }
        );
        yield return ("dropout of whole features draws one number for all steps", () =>
        {
            Tensor? seen = null;
            var model = new Sequential([new Dropout(0.5, noiseShape: [null, 1, null]), new Lambda(x => { seen ??= x.Rank == 3 && x.Shape[0] == 4 ? x : null; return x; })], seed: 2);
            model.Compile("mse", "sgd", runEagerly: true);
            var ones = Tensor.Ones([4, 5, 6], DType.Float32);
            model.Fit(ones, ones, batchSize: 4, verbose: 0, seed: 1);
            var kept = seen!;
            Expect.Equal(Abs(kept - kept.Slice(.., 0..1)).Max().ToDouble(), 0.0);
            Expect.True(kept.Sum().ToDouble() is > 0 and < 240, "some are dropped");
        }
        );
        yield return ("constraints hold after every step, for weights of all names", () =>
        {
            var model = new Sequential(
                [
                    new Embedding(9, 4, embeddingsConstraint: "non_neg"),
                    new Bidirectional(new LSTM(3, kernelConstraint: Constraint.MaxNorm(0.5), recurrentConstraint: "unit_norm", biasConstraint: new Constraint(b => b * 0), returnSequences: true)),
                    new TimeDistributed(new Dense(2, kernelConstraint: "unit_norm")),
                    new GRU(2, recurrentConstraint: "non_neg") { Trainable = false },
                ],
                seed: 5);
            model.Compile("mse", "adam");
            model.Fit(new int[][] { [1, 2, 3], [4, 5, 6] }, LayerChecks.Numbers(2, [2]), epochs: 2, verbose: 0, seed: 1);
            Tensor Of(string name) => model.Weights[model.WeightNames.ToList().IndexOf(name)];
            void Near(Tensor value, double expected, string what) => Expect.True(Math.Abs(value.ToDouble() - expected) < 1e-5, $"{what}: {value}");
            Expect.True(Of("[0].Vectors").Min().ToDouble() >= 0, "vectors");
            foreach (var direction in new[] { "Forward", "Backward" })
            {
                Expect.True(Square(Of($"[1].{direction}.Kernel")).Sum(axis: 0).Max().ToDouble() <= 0.25 + 1e-6, direction);
                Near(Square(Of($"[1].{direction}.RecurrentKernel")).Sum(axis: 0).Min(), 1, direction);
                Near(Abs(Of($"[1].{direction}.Bias")).Max(), 0, direction);
            }
            Near(Square(Of("[2].Weights")).Sum(axis: 0).Max(), 1, "time-distributed");
            Expect.True(Of("[3].RecurrentKernel").Min().ToDouble() < 0, "a frozen layer is left as it is");
            Expect.Throws<ArgumentException>(() => new Dense(2, kernelConstraint: "max"), "\"max\"", "\"max_norm\"");
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            void Refuse(Action action, params string[] parts) => Expect.Throws<ArgumentException>(action, parts);

            Refuse(() => new Sequential([new LSTM(4)]).Build(0, 3), "lstm", "0 steps", "at least one");
            Refuse(() => new Sequential([new LSTM(4)]).Build(3), "layer 0", "lstm", "[time, features]");
            Refuse(() => new Sequential([new Bidirectional(new GRU(4))]).Build(3), "bidirectional gru", "[time, features]");
            Refuse(() => new Sequential([new Masking()]).Build(3), "masking", "[batch, time, features]");
            Refuse(() => new Sequential([new Embedding(10, 4)]).Predict(new int[][] { [1, 10] }), "layer 0", "embedding", "10");
            Refuse(() => new Sequential([new Embedding(10, 4)]).Predict(new int[][] { [1, -1] }), "embedding", "-1");
            Refuse(() => new Sequential([new Embedding(10, 4)]).Predict(new int[][] { [1, 2], [3] }), "2", "1");
            var reader = new Sequential([new Embedding(10, 4), new GRU(2)]);
            reader.Compile("mse", "sgd");
            Refuse(() => reader.Fit(new int[][] { [1, 12] }, LayerChecks.Numbers(1, [2]), verbose: 0), "embedding", "12");
            Refuse(() => new Sequential([new Embedding(10, 4)]).Predict(new int[][] { [1, 10] }), "token", "vocabulary of 10", "0 … 9", "index 10");
            Refuse(() => new Sequential([new InputLayer(null, 3), new GlobalMaxPooling1D()]).Predict(LayerChecks.Numbers(2, [0, 3])), "no places", "2×0×3");
            Refuse(() => new LSTM(0), "LSTM", "0 units");
            foreach (var make in new Func<Layer>[] { () => new Dropout(1), () => new GaussianDropout(1), () => new SpatialDropout1D(-0.1), () => new SpatialDropout2D(1) })
                Refuse(() => make(), "Dropout", "rate", "[0, 1)");
            var narrow = new Sequential([new Dropout(0.5, noiseShape: [null, 1])]);
            narrow.Compile("mse", "sgd");
            Refuse(() => narrow.Fit(LayerChecks.Numbers(2, [3, 2]), LayerChecks.Numbers(2, [3, 2]), verbose: 0), "dropout", "2 axes", "2×3×2");
            Refuse(() => new WithMask().Apply([Model.Input(4, 2), Model.Input(5)]), "the mask is batch×5", "sequences batch×4×2");
            Expect.True(!MessageOf(() => new WithMask().Apply([Model.Input(4, 2), Model.Input(5)])).Contains("'mask'"), "the name of a parameter of somebody else's");
            Refuse(() => new GRU(3, dropout: 1), "GRU", "dropout", "1");
            Refuse(() => new GRU(3, recurrentDropout: -0.5), "recurrentDropout", "-0.5");
            Refuse(() => new Embedding(0, 4), "Embedding", "0 tokens");
            Refuse(() => new Bidirectional(new LSTM(3), "both"), "both", "\"concat\"");
            var (x, state, mask) = (Model.Input(4, 2), Model.Input(3), Model.Input(5));
            Refuse(() => new LSTM(3).Apply(x, [state]), "LSTM", "2 states");
            Refuse(() => new GRU(2).Apply(x, [state]), "GRU", "3", "2 units");
            Refuse(() => new GRU(2).Apply(x, mask: mask), "mask", "5", "one number for each step");
            Expect.Throws<InvalidOperationException>(() => new LSTM(3, returnState: true).Apply(x), "ApplyAll");
            Refuse(() => new TimeDistributed(new Conv2D(2, 3)).Apply(x), "TimeDistributed", "conv");
            var sequences = new Sequential([new Embedding(9, 4, maskZero: true), new GRU(3, returnSequences: true)]);
            sequences.Compile("mse", "sgd", ["r2_score"]);
            Refuse(() => sequences.Evaluate(new int[][] { [1, 2] }, LayerChecks.Numbers(1, [2, 3])), "r2", "leave out steps");
        }
        );
    }

    private static string MessageOf(Action action)
    {
        try
        {
            action();
            return "";
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static (Layer Layer, int[] Input, int[] Output, int Weights)[] Table() =>
    [
        (new SimpleRNN(4, activation: "relu", useBias: false, kernelRegularizer: "l1", recurrentConstraint: "unit_norm"), [5, 3], [4], 28),
        (new LSTM(4, returnSequences: true, goBackwards: true, recurrentActivation: "hard_sigmoid"), [5, 3], [5, 4], 128),
        (new LSTM(4, dropout: 0.1, recurrentDropout: 0.2, unitForgetBias: false, recurrentRegularizer: "l2"), [5, 3], [4], 128),
        (new GRU(4), [5, 3], [4], 108),
        (new LSTM(4, returnSequences: true, stateful: true), [5, 3], [5, 4], 128),
        (new GRU(4, resetAfter: false, returnSequences: true), [5, 3], [5, 4], 96),
        (new Bidirectional(new GRU(4, returnSequences: true)), [5, 3], [5, 8], 216),
        (new Bidirectional(new LSTM(4) { Name = "inner" }, MergeMode.Ave) { Trainable = false }, [5, 3], [4], 256),
        (new TimeDistributed(new Dense(4, "relu", kernelRegularizer: "l2")), [5, 3], [5, 4], 16),
        (new TimeDistributed(new Conv2D(2, 3)), [5, 4, 4, 1], [5, 2, 2, 2], 20),
        (new Embedding(7, 4, maskZero: true, embeddingsRegularizer: "l2", embeddingsConstraint: "non_neg"), [5], [5, 4], 28),
        (new Masking(-1), [5, 3], [5, 3], 0),
        (new Dropout(0.2, noiseShape: [null, 1, null]), [5, 3], [5, 3], 0),
    ];
}
