// Inputs whose length is not known beforehand: Keras' None.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class LengthCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("a model of sequences of any length answers as one of each length", () =>
        {
            Layer[] Row() =>
            [
                new Masking(9), new LSTM(4, returnSequences: true), new Bidirectional(new GRU(3, returnSequences: true)), new TimeDistributed(new Dense(4, "tanh")),
                new LayerNormalization(), new BatchNormalization(), new Dropout(0.5), new SimpleRNN(4, returnSequences: true, goBackwards: true), new GRU(2),
            ];

            var any = new Sequential([new InputLayer(null, 3), .. Row()], seed: 2);
            foreach (var length in new[] { 1, 4, 7 })
            {
                var x = LayerChecks.Numbers(2, [length, 3]);
                Expect.Equal(Abs(any.Predict(x) - new Sequential(Row(), seed: 2).Predict(x)).Max().ToDouble(), 0.0);
            }
            Expect.Equal(string.Join(",", any.InputShape!.Select(size => size?.ToString() ?? "None")), "None,3");
            Expect.True(any.Summary(TextWriter.Null).Contains("(None, None, 4)"), "the summary says None");
        }
        );
        yield return ("what is known of shapes behind every layer", () =>
        {
            var x = Model.Input(null, 6);
            void Gives(Layer layer, string shape) => Expect.Equal($"{layer.GetType().Name}: {string.Join(",", layer.Apply(x).Shape.Select(size => size?.ToString() ?? "None"))}", $"{layer.GetType().Name}: {shape}");
            Gives(new Dense(4), "None,4");
            Gives(new Conv1D(4, 3, strides: 2), "None,4");
            Gives(new Conv1D(4, 3, strides: 8, padding: "causal"), "None,4");
            Gives(new MaxPooling1D(3), "None,6");
            Gives(new Conv1DTranspose(4, 3, strides: 2), "None,4");
            Gives(new GlobalMaxPooling1D(), "6");
            Gives(new GlobalAveragePooling1D(), "6");
            Gives(new ZeroPadding1D(2), "None,6");
            Gives(new Cropping1D(2), "None,6");
            Gives(new UpSampling1D(2), "None,6");
            Gives(new Reshape(-1, 3, 2), "None,3,2");
            Gives(new Permute(2, 1), "6,None");
            Gives(new Flatten(), "None");
            Gives(new SpatialDropout1D(0.2), "None,6");
            Expect.Equal(Model.Input(null).ToString(), "InputLayer (None)");
            Expect.Equal(Model.Input("tokens", null, 2).ToString(), "tokens (None, 2)");
            Expect.Equal(new Embedding(9, 4).Apply(Model.Input(null)).ToString(), "Embedding (None, 4)");
            Expect.Equal(new Concatenate().Apply([x, x]).ToString(), "Concatenate (None, 12)");
            Expect.Equal(new Concatenate(1).Apply([x, Model.Input(4, 6)]).ToString(), "Concatenate (None, 6)");
            Expect.Equal(new Dot((2, 2)).Apply([x, Model.Input(4, 6)]).ToString(), "Dot (None, 4)");
            Expect.Equal(string.Join(" ", (object[])new MultiHeadAttention(2, 3).ApplyAll(x, Model.Input(4, 6), returnAttentionScores: true)), "MultiHeadAttention (None, 6) MultiHeadAttention (2, None, 4)");
            var image = Model.Input(null, null, 3);
            Expect.Equal(new Conv2D(4, 3, padding: "same").Apply(image).ToString(), "Conv2D (None, None, 4)");
            Expect.Equal(new GlobalAveragePooling2D().Apply(image).ToString(), "GlobalAveragePooling2D (3)");
        }
        );
        yield return ("batches of other lengths train the same weights, and come back from a file", () =>
        {
            var path = Path.GetTempFileName();
            var tokens = Model.Input("tokens", null);
            var states = new GRU(4, returnSequences: true).Apply(new Embedding(9, 4, maskZero: true).Apply(tokens));
            var model = new Model(tokens, new Dense(1).Apply(new GlobalAveragePooling1D().Apply(new Attention().Apply([states, states]))), seed: 4);
            model.Compile("mse", "adam");
            IEnumerable<(Tensor X, Tensor Y)> Batches(long seed) =>
                [(Tensor.Of(new int[,] { { 1, 2, 0 } }), Tensor.Ones([1, 1], DType.Float32)), (Tensor.Of(new int[,] { { 3, 4, 5, 6 }, { 3, 0, 0, 0 } }), Tensor.Zeros([2, 1], DType.Float32))];
            var history = model.Fit(Batches, epochs: 4, verbose: 0, seed: 1)["loss"];
            Expect.True(history[^1] < history[0], "it learns");
            model.Save(path);
            var loaded = Model.Load(path);
            foreach (var x in new[] { Tensor.Of(new int[,] { { 1, 2 } }), Tensor.Of(new int[,] { { 1, 2, 3, 4, 5 } }) })
                Expect.Equal(Abs(loaded.Predict(x) - model.Predict(x)).Max().ToDouble(), 0.0);
            Expect.Equal(loaded.Summary(TextWriter.Null), model.Summary(TextWriter.Null));
            var row = new Sequential([new Conv1D(2, 3) { InputShape = [null, 2] }, new GlobalMaxPooling1D()], seed: 2);
            row.Save(path);
            Expect.Shape(Sequential.Load(path).Predict(LayerChecks.Numbers(2, [8, 2])), 2, 2);
            File.Delete(path);
        }
        );
        yield return ("an asynchronous stream trains a model of two inputs", () =>
        {
            var (left, right) = (Model.Input(null, 2), Model.Input(3));
            var model = new Model([left, right], [new Dense(1).Apply(new GRU(3).Apply(left)), new Dense(1).Apply(right)], seed: 4);
            model.Compile(losses: ["mse", "mae"], optimizer: "adam");
            async IAsyncEnumerable<(Tensor[] X, Tensor[] Y)> Stream()
            {
                for (var length = 2; length < 5; length++)
                {
                    await Task.Yield();
                    yield return ([LayerChecks.Numbers(2, [length, 2]), LayerChecks.Numbers(2, [3])], [LayerChecks.Numbers(2, [1]), LayerChecks.Numbers(2, [1])]);
                }
            }

            var history = model.FitAsync(Stream(), epochs: 3, verbose: 0, seed: 1).Result;
            Expect.Equal(history.Epochs, 3);
            Expect.True(history["loss"][2] < history["loss"][0], "it learns");
        }
        );
        yield return ("a layer that must know a length says so", () =>
        {
            void Refuse(Action action, params string[] parts) => Expect.Throws<ArgumentException>(action, parts);

            var x = Model.Input("x", null, 6);
            Refuse(() => new Model(x, new Dense(2).Apply(new Flatten().Apply(x))), "dense", "(None)", "weights depend", "pooling");
            Refuse(() => new Model(x, new PReLU().Apply(x)), "parametric relu", "None×6", "weights depend");
            Refuse(() => new Model(x, new LayerNormalization(axis: 1).Apply(x)), "layer normalization", "weights depend");
            Refuse(() => new Sequential([new InputLayer(null, 4), new Permute(2, 1), new LSTM(3)]).Build(null, 4), "layer 1", "lstm", "4×None", "weights depend");
            Refuse(() => new Reshape(10, 3).Apply(x), "Reshape", "(None, 6)", "not known", "5040");
            Refuse(() => new RepeatVector(3).Apply(x), "RepeatVector", "vectors");
            var model = new Model(x, new GRU(2).Apply(x));
            Refuse(() => model.Predict(LayerChecks.Numbers(2, [3, 5])), "(None, 6)", "(3, 5)");
            Refuse(() => model.Predict(LayerChecks.Numbers(2, [0, 6])), "no steps", "at least one");
            Refuse(() => new Model(Model.Input(4, 6), model.Apply(Model.Input(4, 5))), "(None, 6)", "(4, 5)");
            Refuse(() => Model.Input(null, 0), "under 1");
        }
        );
    }
}
