// Models that are graphs: several inputs and outputs, layers used more than once, and every mistake.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class GraphCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("merge layers have Keras' numbers", () =>
        {
            var (a, b) = (Model.Input(2), Model.Input(2));
            var (p, q) = (Tensor.Of(new float[,] { { 1, 2 } }), Tensor.Of(new float[,] { { 3, 5 } }));
            void Gives(Layer layer, params double[] expected) => Expect.Numbers(new Model([a, b], layer.Apply([a, b])).Predict([p, q]), expected);
            Gives(new Add(), 4, 7);
            Gives(new Multiply(), 3, 10);
            Gives(new Average(), 2, 3.5);
            Gives(new Maximum(), 3, 5);
            Gives(new Minimum(), 1, 2);
            Gives(new Subtract(), -2, -3);
            Gives(new Concatenate(), 1, 2, 3, 5);
            Gives(new Dot(1), 13);
            Expect.True(Math.Abs(new Model([a, b], new Dot(1, normalize: true).Apply([a, b])).Predict([p, q]).ToDouble() - 13 / Math.Sqrt(5 * 34)) < 1e-6, "the cosine");
        }
        );
        yield return ("a row of layers is the same model as nodes, bit for bit", () =>
        {
            var row = new Sequential([new Dense(3, "tanh", inputDim: 2), new Dropout(0.5), new Dense(1)], seed: 4);
            var x = Model.Input(2);
            var graph = new Model(x, new Dense(1).Apply(new Dropout(0.5).Apply(new Dense(3, "tanh").Apply(x))), seed: 4);
            var (data, targets) = (LayerChecks.Numbers(8, [2]), LayerChecks.Numbers(8, [1]));
            foreach (var model in new Model[] { row, graph })
            {
                model.Compile("mse", "adam");
                model.Fit(data, targets, batchSize: 3, epochs: 3, verbose: 0, seed: 2);
            }
            foreach (var (a, b) in row.Weights.Zip(graph.Weights)) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
        }
        );
        yield return ("two inputs, two outputs: losses, weights, metrics by the outputs' names", () =>
        {
            var model = Two();
            Expect.Equal(string.Join(" ", model.OutputNames), "index dense_3");
            Expect.Equal(model.CountParams(), 3L * 4 + 4 + 8 + 1 + 4 * 2 + 2);
            model.Compile(losses: ["mse", "sparse_categorical_crossentropy"], optimizer: new Adam(lr: 0.02), metrics: [[], ["accuracy"]], lossWeights: [0.5, 2]);
            var (left, right) = (LayerChecks.Numbers(32, [3]), LayerChecks.Numbers(32, [3]) * -0.5);
            var (index, side) = ((left * right).Sum(axis: 1), (left.Sum(axis: 1) > 0).Cast(DType.Int32));
            var history = model.Fit([left, right], [index, side], batchSize: 8, epochs: 40, verbose: 0, seed: 1, validationData: ([left, right], [index, side]));
            Expect.Equal(string.Join(" ", history.Names), "loss index_loss dense_3_loss dense_3_accuracy val_loss val_index_loss val_dense_3_loss val_dense_3_accuracy");
            var measured = model.Evaluate([left, right], [index, side]);
            Expect.True(measured["dense_3_accuracy"] > 0.9, $"accuracy {measured["dense_3_accuracy"]}");
            Expect.True(Math.Abs(measured.Loss - 0.5 * measured["index_loss"] - 2 * measured["dense_3_loss"]) < 1e-5, measured.ToString());
            var answers = model.PredictAll([left, right]);
            Expect.Shape(answers[0], 32, 1);
            Expect.Shape(answers[1], 32, 2);
            Expect.Throws<InvalidOperationException>(() => model.Predict([left, right]), "PredictAll");
            IEnumerable<(Tensor[] X, Tensor[] Y)> Batches(long seed) => [([left, right], [index, side])];
            Expect.Equal(model.Fit(Batches, epochs: 2, verbose: 0, seed: 1).Epochs, 2);
            IEnumerable<(Tensor[] X, Tensor[] Y)> Half(long seed) => [([left], [index, side])];
            Expect.Throws<ArgumentException>(() => model.Fit(Half, verbose: 0), "2 inputs", "1 was given");
        }
        );
        yield return ("the summary says what is connected to what", () =>
        {
            var text = Two().Summary(TextWriter.Null);
            foreach (var part in new[] { "Model: \"two\"", "Connected to", "left (InputLayer)", "tower (Dense)", "concatenate_1 (Concatenate)", "tower, tower", "index (Dense)", "Total params: 35" })
                Expect.True(text.Contains(part), $"the summary has no '{part}':\n{text}");
        }
        );
        yield return ("a graph in a file is the same graph, compiled as it was", () => Scratch.InFile(path =>
        {
            var model = Two();
            model.Compile(["mse", "sparse_categorical_crossentropy"], "adam", [["mae"], ["accuracy"]], [1, 0.25]);
            model.Save(path);
            var loaded = Model.Load(path);
            TensorLike data = [LayerChecks.Numbers(4, [3]), LayerChecks.Numbers(4, [3])];
            Expect.Equal(loaded.Summary(TextWriter.Null), model.Summary(TextWriter.Null));
            foreach (var (a, b) in loaded.PredictAll(data).Zip(model.PredictAll(data))) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
            TensorLike targets = [LayerChecks.Numbers(4, [1]), new int[] { 0, 1, 1, 0 }];
            Expect.Equal(loaded.Evaluate(data, targets).ToString(), model.Evaluate(data, targets).ToString());
            Expect.Throws<InvalidDataException>(() => Sequential.Load(path), "Model.Load");
            new Sequential([new Dense(1, inputDim: 2)]).Save(path);
            Expect.True(Model.Load(path) is Sequential, "a row is loaded as a row");
        }));
        yield return ("a graph's training goes on from its checkpoint, bit for bit", () => Scratch.InFile(path =>
        {
            var (left, right, index, side) = (LayerChecks.Numbers(10, [3]), LayerChecks.Numbers(10, [3]) * 2, LayerChecks.Numbers(10, [1]), new[] { 0, 1, 1, 0, 1, 0, 1, 0, 0, 1 });
            Model Make()
            {
                var model = Two();
                model.Compile(["mse", "sparse_categorical_crossentropy"], "adam");
                return model;
            }

            var (whole, first, second) = (Make(), Make(), Make());
            whole.Fit([left, right], [index, side], batchSize: 4, epochs: 4, verbose: 0, seed: 3);
            first.Fit([left, right], [index, side], batchSize: 4, epochs: 2, verbose: 0, seed: 3, callbacks: [new ModelCheckpoint(path)]);
            second.Fit([left, right], [index, side], batchSize: 4, epochs: 4, verbose: 0, resumeFrom: path);
            foreach (var (a, b) in whole.Weights.Zip(second.Weights)) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
        }));
        yield return ("a model is a part of another, and shares its weights with itself", () =>
        {
            var tower = new Sequential([new Dense(4, "tanh"), new Dropout(0.5), new Dense(2)], "tower", seed: 2);
            var (left, right) = (Model.Input(3), Model.Input(3));
            var both = new Model([left, right], new Dot(1).Apply([tower.Apply(left), tower.Apply(right)]), seed: 3, weightsFrom: tower);
            Expect.Equal(both.CountParams(), tower.CountParams());
            var (x, y) = (LayerChecks.Numbers(4, [3]), LayerChecks.Numbers(4, [3]) * 2);
            Expect.True(Abs(both.Predict([x, y]) - (tower.Predict(x) * tower.Predict(y)).Sum(axis: 1, keepDims: true)).Max().ToDouble() < 1e-5, "the tower's weights");
            both.Compile("mse", "sgd");
            both.Fit([x, y], new float[] { 1, 2, 3, 4 }, epochs: 2, verbose: 0, seed: 1);
            Expect.True(Abs(both.Weights[0] - tower.Weights[0]).Max().ToDouble() > 0, "learning changes the one");
            var half = new Model(left, tower.Apply(left), weightsFrom: both);
            Expect.Equal(Abs(half.Weights[0] - both.Weights[0]).Max().ToDouble(), 0.0);
            Expect.Throws<ArgumentException>(() => tower.Apply(Model.Input(4)), "tower", "(3)", "(4)");
            var wide = Model.Input(4);
            var first = tower.Layers[0];
            Expect.Throws<ArgumentException>(() => new Model(wide, first.Apply(wide), weightsFrom: tower), "weightsFrom", "dense_1");
            Expect.Throws<ArgumentException>(() => tower.Apply([left, right]), "1 inputs", "2 nodes");
        }
        );
        yield return ("an encoder and a decoder that learnt together work apart", () =>
        {
            var (question, given) = (Model.Input(4, 2), Model.Input(3, 2));
            var (encoder, decoder, output) = (new LSTM(5, returnState: true), new LSTM(5, returnSequences: true, returnState: true), new Dense(2));
            var state = encoder.ApplyAll(question)[1..];
            var learnt = new Model([question, given], output.Apply(decoder.ApplyAll(given, state)[0]), seed: 3);
            var read = new Model(question, state, weightsFrom: learnt);
            var (step, h, c) = (Model.Input(1, 2), Model.Input(5), Model.Input(5));
            var next = decoder.ApplyAll(step, [h, c]);
            var write = new Model([step, h, c], [output.Apply(next[0]), next[1], next[2]], weightsFrom: learnt);
            var (q, g) = (LayerChecks.Numbers(2, [4, 2]), LayerChecks.Numbers(2, [3, 2]));
            var whole = learnt.Predict([q, g]);
            var memory = read.PredictAll(q);
            for (var i = 0; i < 3; i++)
            {
                var one = write.PredictAll([g.Slice(.., i..(i + 1)), memory[0], memory[1]]);
                Expect.True(Abs(one[0] - whole.Slice(.., i..(i + 1))).Max().ToDouble() < 1e-6, $"step {i}");
                memory = one[1..];
            }
        }
        );
        yield return ("running statistics of a layer that is used twice move twice", () =>
        {
            var x = Model.Input(2);
            var norm = new BatchNormalization(momentum: 0.5);
            var model = new Model(x, new Add().Apply([norm.Apply(x), norm.Apply(x)]), seed: 1);
            model.Compile("mse", new SGD(lr: 0.0));
            model.Fit(Tensor.Of(new float[,] { { 4, 4 }, { 4, 4 } }), Tensor.Zeros([2, 2], DType.Float32), epochs: 1, batchSize: 2, verbose: 0, seed: 1);
            Expect.Numbers(model.Weights[2], 3, 3);
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            void Refuse(Action action, params string[] parts) => Expect.Throws<ArgumentException>(action, parts);

            var (a, b, c) = (Model.Input("a", 2), Model.Input("b", 2), Model.Input("c", 3));
            var sum = new Add().Apply([a, b]);
            Refuse(() => new Model(a, sum), "disconnected", "b (2)");
            Refuse(() => new Model([a, b, c], sum), "no output depends", "c (3)");
            Refuse(() => new Model([a, a], new Dense(2).Apply(a)), "twice");
            Refuse(() => new Model([], sum), "needs an input");
            Refuse(() => new Model(a, (Nodes)[]), "needs an output");
            Refuse(() => new Model(a, new Dense(2) { Name = "same" }.Apply(new Dense(2) { Name = "same" }.Apply(a))), "two layers", "same");
            Refuse(() => new Add().Apply([a, c]), "Add", "(2), (3)");
            Refuse(() => new Dense(2).Apply([a, b]), "Dense", "one input", "2 were given");
            Refuse(() => new Dense(2).Apply([]), "Dense", "no nodes");
            Refuse(() => new Subtract().Apply([a, b, c]), "Subtract", "two inputs, 3");
            Refuse(() => new Concatenate(axis: 0).Apply([a, b]), "Concatenate", "batch");
            Refuse(() => new Conv2D(2, 3).Apply(Model.Input(2, 2, 1)), "Conv2D", "larger than the image");
            Refuse(() => Model.Input(0), "under 1");
            var model = Two();
            Refuse(() => model.Predict(LayerChecks.Numbers(2, [3])), "2 inputs", "left", "1 was given");
            Refuse(() => model.PredictAll([LayerChecks.Numbers(2, [3]), LayerChecks.Numbers(2, [4])]), "right", "(3)", "(4)");
            Refuse(() => model.Compile(["mse"], "sgd", lossWeights: [1, 2, 3]), "lossWeights", "3", "index");
            Refuse(() => model.Compile(["mse", "mse", "mse"], "sgd"), "losses", "3", "index, dense_3");
            Refuse(() => model.Compile(["mse", "mse"], "sgd", [["mae"]]), "metrics", "1");
            model.Compile("mse", "sgd");
            Refuse(() => model.Fit([LayerChecks.Numbers(2, [3]), LayerChecks.Numbers(2, [3])], LayerChecks.Numbers(2, [1])), "2 outputs", "targets for 1");
            Refuse(() => model.Fit([LayerChecks.Numbers(2, [3]), LayerChecks.Numbers(3, [3])], [LayerChecks.Numbers(2, [1]), LayerChecks.Numbers(2, [2])]), "2 inputs", "3 inputs");
        }
        );
    }

    /// <summary>Two towers with the same weights; how alike they are, and a class of their product.</summary>
    private static Model Two()
    {
        var (left, right) = (Model.Input("left", 3), Model.Input("right", 3));
        var tower = new Dense(4, "tanh") { Name = "tower" };
        var (p, q) = (tower.Apply(left), tower.Apply(right));
        var index = new Dense(1) { Name = "index" }.Apply(new Concatenate().Apply([p, q]));
        return new Model([left, right], [index, new Dense(2, "softmax").Apply(p)], "two", seed: 6);
    }
}
