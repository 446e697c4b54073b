// Addition by sequence to sequence: a network that reads "535+61" character by character and says "596". It is told nothing of
// digits, places or carrying: one layer reads the question into a vector, another writes the answer from it.
// Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks" (2014); the task is Keras' addition_rnn.
using System.Diagnostics;
using Addition;
using Examples;

var command = new Command(
    "Addition",
    [
        ("sums", "different sums made up, a tenth of which is kept for the test (default 50000)"),
        ("epochs", "how often those to learn from are gone through (default 30)"),
        ("units", "units of the reader and of the writer (default 128)"),
        ("seed", "what weights and order are drawn from (default 1)"),
    ],
    args);

const int Batch = 128;
var (count, epochs, units, seed) = (command.Count("sums", 50_000), command.Count("epochs", 30), command.Count("units", 128), command.Number("seed", 1));
var (learnt, fresh) = Sums.MakeUp(count, digits: 3, seed: 1).Split(count - Math.Max(1, count / 10));
var (x, y, xNew, yNew) = (learnt.Questions(), learnt.Answers(), fresh.Questions(), fresh.Answers());
Console.WriteLine($"{learnt.Pairs.Count:N0} sums to learn from, {fresh.Pairs.Count:N0} others for the test; a + b and b + a are never in both.");

var model = new Sequential(
    [
        new LSTM(units) { InputShape = [learnt.QuestionLength, Sums.Characters.Length], Name = "reader" },
        new RepeatVector(learnt.AnswerLength),
        new LSTM(units, returnSequences: true) { Name = "writer" },
        new TimeDistributed(new Dense(Sums.Characters.Length, "softmax")),
    ],
    "addition",
    seed);
model.Summary();

// a rate that rises and falls once: high enough in the middle to find carrying, low at the end to get every digit right
var steps = epochs * ((learnt.Pairs.Count + Batch - 1) / Batch);
model.Compile("sparse_categorical_crossentropy", new Adam(LearningRate.OneCycle(0.004, steps)), [new Metric("exact", Exact)]);

string[] said = [];
var rightAfter = new List<bool[]>();
var clock = Stopwatch.StartNew();
var history = model.Fit(
    x, y, batchSize: Batch, epochs: epochs, seed: seed, validationData: (xNew, yNew), callbacks: [new LambdaCallback((epoch, _) => Ask(epoch))]);
var right = rightAfter[^1];
var exact = right.Count(isRight => isRight) / (double)right.Length;

var curve = command.File("addition.png");
Drawing.Save(curve, history, fresh, rightAfter);
command.Announce(curve);

Console.WriteLine();
Console.WriteLine($"In {history.Epochs} epochs ({clock.Elapsed.TotalSeconds:F0} s) the network has learnt to add: {exact:P2} of {right.Length:N0} sums it has never seen are right to the last digit.");
var wrong = right.Index().Where(answer => !answer.Item).Select(answer => $"{fresh.Question(answer.Index).Trim()} = {said[answer.Index].Trim()}").Take(5).ToList();
Console.WriteLine(wrong.Count == 0 ? "It is wrong about none." : $"It is wrong about {right.Count(isRight => !isRight)}, such as {string.Join(", ", wrong)}.");
Command.Result("exact", exact);
return 0;

// the part of the answers that is right in every character
static Tensor Exact(Tensor target, Tensor prediction) =>
    TensorMath.Equal(target.Cast(DType.Int32), prediction.ArgMax().Cast(DType.Int32)).Cast(DType.Float32).Prod(axis: 1).Mean();

// the network is asked the sums that it does not learn from; some of its answers are shown
void Ask(int epoch)
{
    said = Sums.Read(model.Predict(xNew, batchSize: 1000));
    rightAfter.Add([.. said.Select((answer, i) => answer == fresh.Answer(i))]);
    if (epoch % 5 != 0 && epoch != 1) return;
    var some = Enumerable.Range(0, Math.Min(6, said.Length));
    Console.WriteLine(string.Concat(some.Select(i => $"  {fresh.Question(i).Trim()} = {said[i].Trim()}{(rightAfter[^1][i] ? "" : " (wrong)")}")));
}
