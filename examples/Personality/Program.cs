// Personality types: the answers of a questionnaire in, one of sixteen types out. The answers come from a CSV file: one of your
// own, or one that the generator in this project writes first. A network with hidden layers is compared with the nearest
// centroid and with a network without hidden layers, both of which can weigh answers but not see one in the light of another.
using Examples;
using Functional.Plots;
using static Functional.Plots.Corner;

var command = new Command(
    "Personality",
    [("csv", "file of answers: a column of numbers for each question (default: 8000 people made up)"), ("type", "the column of the type (default type)")],
    args);

var typeColumn = command.Text("type") ?? "type";
var csv = command.Text("csv");
if (csv is null)
{
    csv = command.File("answers.csv");
    Questionnaire.Write(csv, people: 8000, seed: 5);
    command.Announce(csv);
}

var table = Csv.read(Csv.defaults, csv);
var (names, labels) = Csv.categories(typeColumn, table);
var types = labels.ToArray<int>();
var answers = Csv.numbers(table.Columns.Where(column => column != typeColumn), table).ToRows();

// the order in the file may mean something; the last quarter of a random one is for the test
var order = Enumerable.Range(0, types.Length).ToArray();
new System.Random(1).Shuffle(order);
var split = order.Length * 3 / 4;
var (x, y) = Pick(order[..split]);
var (xTest, yTest) = Pick(order[split..]);
var scale = Prepare.statistics(Tensor.Of(x));
var (inputs, test) = (Standard(x), Standard(xTest));

var centroid = new NearestCentroid(x, y, names.Length).Accuracy(xTest, yTest);

var flat = new Sequential([new Dense(names.Length, "softmax")], seed: 1);
flat.Compile("sparse_categorical_crossentropy", new Adam(0.01), ["accuracy"]);
flat.Fit(inputs, y, epochs: 15, batchSize: 64, verbose: 0, seed: 1);
var linear = flat.Evaluate(test, yTest)["accuracy"];

var model = new Sequential(
    [new Dense(64, "relu"), new Dropout(0.2), new Dense(64, "relu"), new Dense(names.Length, "softmax")], seed: 1);
model.Compile("sparse_categorical_crossentropy", new Adam(0.002), ["accuracy"]);
var history = model.Fit(
    inputs, y, epochs: 60, batchSize: 64, verbose: 0, seed: 1, validationSplit: 0.1,
    callbacks: [new EarlyStopping(patience: 8, restoreBestWeights: true)]);
var accuracy = model.Evaluate(test, yTest)["accuracy"];

var confusion = new int[names.Length, names.Length];
var said = model.Predict(test).ArgMax().ToDoubles();
for (var i = 0; i < said.Length; i++) confusion[yTest[i], (int)said[i]]++;

Console.WriteLine($"{types.Length} people, {answers[0].Length} questions, {names.Length} types; {yTest.Length} people are kept for the test. Right on them:");
Console.WriteLine($"  nearest centroid              {centroid,7:P1}");
Console.WriteLine($"  network without hidden layer  {linear,7:P1}");
Console.WriteLine($"  network, two hidden layers    {accuracy,7:P1}   ({history.Epochs} epochs)");
Console.WriteLine("\nConfusion matrix (rows: the type, columns: what the network says)");
Console.WriteLine(new string(' ', 6) + string.Concat(names.Select(name => $"{name,6}")));
for (var row = 0; row < names.Length; row++)
    Console.WriteLine($"{names[row],-6}" + string.Concat(Enumerable.Range(0, names.Length).Select(column => $"{confusion[row, column],6}")));

var matrix = Draw.Confusion($"What the network says: {accuracy:P1} right", names, confusion).Upright();
var methods = new Chart("People never seen: how many are right", "", "percent")
    .Bars(["nearest centroid", "no hidden layer", "two hidden layers"], ("", Palette.Blue, [100 * centroid, 100 * linear, 100 * accuracy]))
    .LimitsY(0, 100);
var path = command.File("personality.png");
Figure.Save(path, 2, 760, 640, [matrix, methods]);
command.Announce(path);

Console.WriteLine();
Console.WriteLine(accuracy > centroid
    ? $"The network is right {100 * (accuracy - centroid):F0} points more often than the nearest centroid: it has learnt which answers change what others mean."
    : "The nearest centroid does as well as the network: on these answers no network is needed.");
Command.Result("accuracy", accuracy);
return 0;

(double[][] Answers, int[] Types) Pick(int[] people) =>
    ([.. people.Select(i => answers[i])], [.. people.Select(i => types[i])]);

Tensor Standard(double[][] rows) => Prepare.standardize(scale, Tensor.Of(rows)).Cast(DType.Float32);
