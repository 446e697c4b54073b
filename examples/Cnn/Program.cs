// A convolutional network reads handwritten digits: convolution, pooling, convolution, pooling, dense layers, with dropout, after
// LeNet-5 (LeCun et al., "Gradient-based learning applied to document recognition", 1998). In every epoch each digit is seen
// shifted, turned and stretched a little. What the network has learnt to look for is drawn.
using System.Diagnostics;
using Digits;
using Examples;

var command = new Command(
    "Cnn",
    [
        ("data", "folder with MNIST (default: FUNCTIONAL_DATA, then the user's cache, else drawn digits)"),
        ("train", "digits to learn from (default: all)"),
        ("epochs", "epochs (default 12)"),
        ("seed", "what weights, order and noise are drawn from (default 1)"),
    ],
    args);
var (epochs, seed) = (command.Count("epochs", 12), command.Number("seed", 1));

var digits = Datasets.Digits(command.Text("data"), allowDownload: false);
var count = Math.Min(command.Count("train", int.MaxValue), digits.XTrain.Shape[0]);
var augmentation = new Augmentation(digits.XTrain.Slice(..count), digits.YTrain.Slice(..count), batchSize: 128);
var answers = digits.YTest.OneHot(10);
Console.WriteLine($"The digits are {digits.Source}.");

var model = new Sequential("cnn", seed);
model.Add(new Reshape(28, 28, 1) { InputShape = [28 * 28] });
model.Add(new Conv2D(32, 5, activation: "relu"));
model.Add(new MaxPooling2D(2));
model.Add(new Conv2D(64, 5, activation: "relu"));
model.Add(new MaxPooling2D(2));
model.Add(new Dropout(0.25));
model.Add(new Flatten());
model.Add(new Dense(256, activation: "relu"));
model.Add(new Dropout(0.5));
model.Add(new Dense(10, activation: "softmax"));
model.Summary();

var steps = epochs * augmentation.Batches;
model.Compile(
    loss: "categorical_crossentropy",
    optimizer: new AdamW(LearningRate.OneCycle(0.003, steps), weightDecay: 0.01),
    metrics: ["accuracy"]);
var clock = Stopwatch.StartNew();
var history = model.Fit(augmentation.Epoch, epochs, augmentation.Batches, validationData: (digits.XTest, answers), seed: seed);
var accuracy = model.Evaluate(digits.XTest, answers, batchSize: 1000)["accuracy"];
var wrong = (int)Math.Round((1 - accuracy) * answers.Shape[0]);

var curves = command.File("curves.png");
Drawing.Curves(curves, history);
command.Announce(curves);
var sight = command.File("sight.png");
Drawing.Sight(sight, model, digits);
command.Announce(sight);

Console.WriteLine($"In {history.Epochs} epochs ({clock.Elapsed.TotalSeconds:F0} s) the network has learnt to read {accuracy:P2} of {answers.Shape[0]:N0} digits it has never seen; it is wrong about {wrong}.");
Console.WriteLine("Its first filters look for edges and ends of strokes, the second layer for pieces of strokes made of them; nobody told it to.");
Command.Result("accuracy", accuracy);
return 0;
