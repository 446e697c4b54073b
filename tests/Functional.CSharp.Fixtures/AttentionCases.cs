// Attention as a C# program writes it: Keras' shapes, numbers, masks, files, and every mistake.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class AttentionCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("every layer has Keras' output shapes and number of weights", () =>
        {
            var (q, v, k) = (Model.Input(4, 6), Model.Input(5, 3), Model.Input(5, 6));
            void Has(Node[] inputs, Node[] outputs, long weights, params int[][] shapes)
            {
                Expect.Equal(string.Join(" ", outputs.Select(node => string.Join("×", node.Shape))), string.Join(" ", shapes.Select(shape => string.Join("×", shape))));
                Expect.Equal(new Model(inputs, outputs).CountParams(), weights);
            }

            Has([q, v, k], [new Attention().Apply([q, v, k])], 0, [4, 3]);
            Has([q, k], [new Attention(useScale: true).Apply([q, k])], 1, [4, 6]);
            Has([q, v, k], new Attention(true, "concat").ApplyAll([q, v, k], returnAttentionScores: true), 2, [4, 3], [4, 5]);
            Has([q, v, k], [new Attention(scoreMode: ScoreMode.Concat).Apply([q, v, k], useCausalMask: true)], 1, [4, 3]);
            Has([q, v, k], [new AdditiveAttention().Apply([q, v, k])], 6, [4, 3]);
            Has([q, v, k], [new AdditiveAttention(useScale: false).Apply([q, v, k])], 0, [4, 3]);
            // weights and biases: 6·8+8 of queries and of keys, 3·8+8 of values, 8·6+6 of the output
            Has([q, v, k], [new MultiHeadAttention(2, 4).Apply(q, v, k)], (2 * 56) + 32 + 54, [4, 6]);
            Has([q, v, k], new MultiHeadAttention(2, 4, valueDim: 5, useBias: false, outputShape: 7).ApplyAll(q, v, k, returnAttentionScores: true), (2 * 48) + 30 + 70, [4, 7], [2, 4, 5]);
            var image = Model.Input(3, 5, 6);
            Expect.Equal(string.Join("×", new MultiHeadAttention(2, 4).Apply(image, image).Shape), "3×5×6");
            Expect.Equal(string.Join("×", new MultiHeadAttention(2, 4, attentionAxes: [2]).ApplyAll(image, image, returnAttentionScores: true)[1].Shape), "3×2×5×5");
        }
        );
        yield return ("numbers by hand: products are not divided, sums are of tanh, masks and causality", () =>
        {
            var (q, v) = (Model.Input(2, 1), Model.Input(2, 1));
            TensorLike data = [Tensor.Of<float>([1, 2], [1, 2, 1]), Tensor.Of<float>([3, 5], [1, 2, 1])];
            void Gives(Node found, params double[] expected)
            {
                var actual = new Model([q, v], found).Predict(data).ToDoubles();
                Expect.True(actual.Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) < 1e-5), $"{string.Join(", ", actual)}, expected {string.Join(", ", expected)}");
            }

            double Mean(double first, double second) => ((3 * Math.Exp(first)) + (5 * Math.Exp(second))) / (Math.Exp(first) + Math.Exp(second));
            Gives(new Attention().Apply([q, v]), Mean(3, 5), Mean(6, 10));
            Gives(new Attention().Apply([q, v], useCausalMask: true), 3, Mean(6, 10));
            Gives(new Attention(scoreMode: "concat").Apply([q, v]), Mean(Math.Tanh(4), Math.Tanh(6)), Mean(Math.Tanh(5), Math.Tanh(7)));
            Gives(new AdditiveAttention(useScale: false).Apply([q, v]), Mean(Math.Tanh(4), Math.Tanh(6)), Mean(Math.Tanh(5), Math.Tanh(7)));
        }
        );
        yield return ("masks as data, of padding, and of which query sees which key", () =>
        {
            var (q, v, there, asked, sees) = (Model.Input(2, 3), Model.Input(3, 3), Model.Input(3), Model.Input(2), Model.Input(2, 3));
            var (x, y) = (LayerChecks.Numbers(1, [2, 3]), LayerChecks.Numbers(1, [3, 3]) * 2);
            Tensor Weights(Nodes inputs, Node[] outputs, TensorLike data) => new Model(inputs, outputs, seed: 4).PredictAll(data)[1];

            var present = Tensor.Of(new float[,] { { 1, 1, 0 } });
            foreach (var weights in new[]
            {
                Weights([q, v, there], new Attention().ApplyAll([q, v], [null, there], returnAttentionScores: true), [x, y, present]),
                Weights([q, v, there], new AdditiveAttention().ApplyAll([q, v, v], [null, null, there], returnAttentionScores: true), [x, y, present]),
                Weights([q, v, there], new MultiHeadAttention(1, 4).ApplyAll(q, v, valueMask: there, returnAttentionScores: true), [x, y, present]),
                Weights([q, v, there], new MultiHeadAttention(1, 4).ApplyAll(q, v, keyMask: there, returnAttentionScores: true), [x, y, present]),
            })
            {
                var rows = weights.Reshape(2, 3);
                Expect.Equal(rows.Slice(.., 2..).Max().ToDouble(), 0.0);
                Expect.True(Math.Abs(rows.Sum().ToDouble() - 2) < 1e-6, "weights sum to 1");
            }

            var some = Weights([q, v, sees], new MultiHeadAttention(2, 4).ApplyAll(q, v, attentionMask: sees, returnAttentionScores: true), [x, y, Tensor.Of<float>([0, 1, 1, 1, 0, 0], [1, 2, 3])]);
            for (var head = 0; head < 2; head++)
            {
                var numbers = some.Slice(.., head..(head + 1)).ToDoubles();
                Expect.True(numbers[0] == 0 && numbers[4] == 0 && numbers[5] == 0 && numbers[3] == 1, string.Join(", ", numbers));
            }

            var answers = new Model([q, v, asked], new Attention().Apply([q, v], [asked])).Predict([x, y, Tensor.Of(new float[,] { { 1, 0 } })]);
            Expect.Numbers(answers.Slice(.., 1..), 0, 0, 0);
        }
        );
        yield return ("a layer applied twice has its weights once, causal or not, with its weights or without", () =>
        {
            var x = Model.Input(3, 4);
            var attention = new MultiHeadAttention(2, 2);
            var model = new Model(x, [.. attention.ApplyAll(x, x, returnAttentionScores: true), attention.Apply(x, x, useCausalMask: true)], seed: 5);
            Expect.Equal(model.CountParams(), 4L * ((4 * 4) + 4));
            var answers = model.PredictAll(LayerChecks.Numbers(2, [3, 4]));
            Expect.True(Abs(answers[0].Slice(.., 2..) - answers[2].Slice(.., 2..)).Max().ToDouble() == 0, "the last query sees all, causal or not");
            Expect.True(Abs(answers[0].Slice(.., ..1) - answers[2].Slice(.., ..1)).Max().ToDouble() > 1e-3, "the first does not");
            var part = new Model(x, model.ApplyAll(x)[2], weightsFrom: model);
            Expect.Equal(Abs(part.Predict(LayerChecks.Numbers(2, [3, 4])) - answers[2]).Max().ToDouble(), 0.0);
        }
        );
        yield return ("every layer comes back from a file as it was, with what it was told", () =>
        {
            var path = Path.GetTempFileName();
            var (q, v, sees) = (Model.Input("q", 4, 6), Model.Input("v", 5, 6), Model.Input("sees", 4, 5));
            Node[] outputs =
            [
                new Attention(useScale: true, scoreMode: "concat", dropout: 0.1) { Name = "one" }.Apply([q, v], useCausalMask: true),
                .. new AdditiveAttention { Trainable = false }.ApplyAll([q, v, v], returnAttentionScores: true),
                .. new MultiHeadAttention(2, 3, valueDim: 4, dropout: 0.2, outputShape: 5, attentionAxes: [1], kernelRegularizer: "l2").ApplyAll(q, v, attentionMask: sees, returnAttentionScores: true),
                new MultiHeadAttention(2, 3, useBias: false).Apply(q, v, v, useCausalMask: true),
            ];
            var model = new Model([q, v, sees], outputs, seed: 3);
            model.Save(path);
            var loaded = Model.Load(path);
            Expect.Equal(loaded.Summary(TextWriter.Null), model.Summary(TextWriter.Null));
            TensorLike data = [LayerChecks.Numbers(2, [4, 6]), LayerChecks.Numbers(2, [5, 6]) * 2, Tensor.Ones([2, 4, 5], DType.Float32)];
            foreach (var (a, b) in loaded.PredictAll(data).Zip(model.PredictAll(data))) Expect.Equal(Abs(a - b).Max().ToDouble(), 0.0);
            loaded.Save(path + "2");
            Expect.True(File.ReadAllBytes(path + "2").SequenceEqual(File.ReadAllBytes(path)), "saved again, the file is another");
            File.Delete(path);
            File.Delete(path + "2");
        }
        );
        yield return ("penalties are those of every kernel and bias", () =>
        {
            var x = Model.Input(3, 4);
            double Loss(MultiHeadAttention layer)
            {
                var model = new Model(x, layer.Apply(x, x), seed: 5);
                model.Compile((_, y) => y.Sum() * 0, "sgd");
                return model.Evaluate(LayerChecks.Numbers(2, [3, 4]), LayerChecks.Numbers(2, [3, 4])).Loss;
            }

            Expect.Equal(Loss(new MultiHeadAttention(1, 2)), 0.0);
            Expect.True(Math.Abs(Loss(new MultiHeadAttention(1, 2, kernelInitializer: "ones", kernelRegularizer: "l2")) - (0.01 * 4 * 8)) < 1e-6, "four kernels of eight ones");
            Expect.True(Math.Abs(Loss(new MultiHeadAttention(1, 2, biasInitializer: "ones", biasRegularizer: "l1")) - (0.01 * 10)) < 1e-6, "biases 2, 2, 2, 4");
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            void Refuse(Action action, params string[] parts) => Expect.Throws<ArgumentException>(action, parts);

            var (q, v, k, mask) = (Model.Input(4, 6), Model.Input(5, 3), Model.Input(5, 6), Model.Input(3));
            Refuse(() => new Attention().Apply(q), "Attention", "queries and values", "1 inputs");
            Refuse(() => new Attention().Apply([q, v]), "6 features", "keys of 3");
            Refuse(() => new AdditiveAttention().Apply([q, q, k]), "AdditiveAttention", "5 keys and 4 values");
            Refuse(() => new Attention().Apply([q, v, k], [null, mask]), "mask", "3", "one number for each step");
            Refuse(() => new Attention().Apply([q, k], [null, null, null]), "3 masks for 2 inputs");
            Refuse(() => new Attention().Apply([Model.Input(4), Model.Input(4)]), "[places, features]");
            Refuse(() => new Attention(dropout: 1), "Attention", "dropout", "1");
            Refuse(() => new Attention(scoreMode: "cosine"), "cosine", "\"dot\"", "\"concat\"");
            Refuse(() => new MultiHeadAttention(0, 4), "numHeads", "0");
            Refuse(() => new MultiHeadAttention(2, 4, valueDim: 0), "valueDim");
            Refuse(() => new MultiHeadAttention(2, 4, dropout: -1), "MultiHeadAttention", "dropout");
            Refuse(() => new MultiHeadAttention(2, 4).Apply(q, v, Model.Input(4, 6)), "4×6", "each key has one value");
            Refuse(() => new MultiHeadAttention(2, 4).Apply(q, v, attentionMask: Model.Input(5, 4)), "attention mask", "5×4");
            Refuse(() => new MultiHeadAttention(2, 4, attentionAxes: [0]).Apply(q, k), "axis 0 is the batch");
            Refuse(() => new Sequential([new MultiHeadAttention(2, 4)]).Build(4, 6), "layer 0", "queries and values");
        }
        );
    }
}
