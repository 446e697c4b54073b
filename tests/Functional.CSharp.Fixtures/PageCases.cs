// The examples of docs/csharp.md, word by word (but for the path of a file).
namespace Fixtures;

public static class PageCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("a row of layers", () =>
        {
            var path = Path.GetTempFileName();
            var (images, labels) = (LayerChecks.Numbers(8, [12, 12, 1]), new[] { 0, 1, 2, 0, 1, 2, 0, 1 });
            var model = new Sequential();
            model.Add(new Conv2D(8, (3, 3), activation: "relu") { InputShape = [12, 12, 1] });
            model.Add(new MaxPooling2D());
            model.Add(new Flatten());
            model.Add(new Dense(3, "softmax"));
            model.Compile(loss: "sparse_categorical_crossentropy", optimizer: "adam", metrics: ["accuracy"]);
            model.Fit(images, labels, epochs: 2, validationSplit: 0.25);
            Tensor classes = model.Predict(images).ArgMax();
            model.Save(path);
            Expect.Shape(classes, 8);
            File.Delete(path);
        }
        );
        yield return ("graphs", () =>
        {
            var (a, b, ages) = (LayerChecks.Numbers(6, [20]), LayerChecks.Numbers(6, [20]) * 2, LayerChecks.Numbers(6, [2]));
            var (matches, years) = (new float[] { 0, 1, 0, 1, 1, 0 }, LayerChecks.Numbers(6, [1]));
            var (left, right, age) = (Model.Input("left", 20), Model.Input("right", 20), Model.Input("age", 2));
            var tower = new Dense(16, "tanh");
            var likeness = new Dot(1, normalize: true).Apply([tower.Apply(left), tower.Apply(right)]);
            var both = new Concatenate().Apply([likeness, age]);
            var model = new Model(
                inputs: [left, right, age],
                outputs: [new Dense(1, "sigmoid") { Name = "match" }.Apply(both), new Dense(1) { Name = "years" }.Apply(both)]);
            model.Compile(losses: ["bce", "mse"], optimizer: "adam", lossWeights: [1, 0.1], metrics: [["accuracy"], []]);
            var history = model.Fit([a, b, ages], [matches, years], epochs: 2);
            double[] curve = history["match_accuracy"];
            Tensor[] answers = model.PredictAll([a, b, ages]);
            Expect.Equal((curve.Length, answers.Length), (2, 2));

            var seen = new Model([left, right], likeness, weightsFrom: model);
            Expect.Shape(seen.Predict([a, b]), 6, 1);
        }
        );
        yield return ("sequences", () =>
        {
            var question = Model.Input(7, 12);
            var answer = Model.Input(4, 12);
            Node[] state = new LSTM(32, returnState: true).ApplyAll(question)[1..];
            var said = new LSTM(32, returnSequences: true).Apply(answer, initialState: state);
            var translator = new Model([question, answer], new TimeDistributed(new Dense(12, "softmax")).Apply(said));
            Expect.Shape(translator.Predict([LayerChecks.Numbers(2, [7, 12]), LayerChecks.Numbers(2, [4, 12])]), 2, 4, 12);
        }
        );
        yield return ("lengths that are not known", () =>
        {
            var review = Model.Input(null);
            var read = new LSTM(32).Apply(new Embedding(5000, 16, maskZero: true).Apply(review));
            var model = new Model(review, new Dense(1, "sigmoid").Apply(read));
            foreach (var length in new[] { 3, 5 }) Expect.Shape(model.Predict(Tensor.Ones([2, length], DType.Int32)), 2, 1);
        }
        );
        yield return ("stateful layers", () =>
        {
            var (firstPart, secondPart) = (LayerChecks.Numbers(8, [10, 1]), LayerChecks.Numbers(8, [10, 1]) * 2);
            var (next, nextButOne) = (LayerChecks.Numbers(8, [1]), LayerChecks.Numbers(8, [1]) * 2);
            var model = new Sequential([new LSTM(32, stateful: true) { InputShape = [10, 1] }, new Dense(1)]);
            model.Compile("mse", "adam");
            model.Fit(firstPart, next, batchSize: 4, shuffle: false);
            model.Fit(secondPart, nextButOne, batchSize: 4, shuffle: false);   // goes on from the first
            model.ResetStates();                                               // may be called from a callback, too
            Expect.Shape(model.Predict(firstPart), 8, 1);
        }
        );
        yield return ("attention", () =>
        {
            var question = Model.Input(9);
            var said = Model.Input(5, 32);
            var known = new Embedding(1000, 32, maskZero: true).Apply(question);
            var seen = new MultiHeadAttention(numHeads: 4, keyDim: 8, dropout: 0.1).Apply(said, said, useCausalMask: true);
            var found = new MultiHeadAttention(numHeads: 4, keyDim: 8).Apply(query: seen, value: known);
            Node[] contextAndWeights = new AdditiveAttention().ApplyAll([found, known], returnAttentionScores: true);
            var model = new Model([question, said], contextAndWeights);
            var answers = model.PredictAll([Tensor.Of(new int[,] { { 5, 3, 8, 0, 0, 0, 0, 0, 0 } }), LayerChecks.Numbers(1, [5, 32])]);
            Expect.Shape(answers[0], 1, 5, 32);
            Expect.Shape(answers[1], 1, 5, 9);
            Expect.Equal(answers[1].Slice(.., .., 3..).Max().ToDouble(), 0.0);
        }
        );
    }
}
