// AlexNet as it was published (Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
// networks", 2012), with its two groups, local response normalisation and overlapping pooling: 60,965,224 parameters. It takes
// some training steps on made-up textures, a thousand-class network for eight classes: enough to see it learn, and to measure
// what it costs.
using System.Diagnostics;
using Examples;

const long Published = 60_965_224;
var command = new Command(
    "AlexNet",
    [
        ("batch", "images in a batch (default 16)"),
        ("steps", "training steps (default 60)"),
        ("seed", "what weights and images are drawn from (default 1)"),
    ],
    args);
var (batch, steps, seed) = (command.Count("batch", 16), command.Count("steps", 60), command.Number("seed", 1));

var model = Network.AlexNet(seed);
model.Summary();
var parameters = model.CountParams();
if (parameters != Published)
    throw new InvalidOperationException($"AlexNet: the network has {parameters:N0} parameters; the published one has {Published:N0}");
Console.WriteLine($"{parameters:N0} parameters, as published.");

var (images, labels) = Textures.Draw(batch, seed);
var clock = Stopwatch.StartNew();
model.Predict(images, batchSize: batch);
var forward = clock.Elapsed;

model.Compile(
    loss: "sparse_categorical_crossentropy",
    optimizer: new Adam(lr: 0.0003),
    metrics: ["accuracy"]);
// every step has images of its own
IEnumerable<(Tensor, Tensor)> Batches(long epochSeed) => Enumerable.Range(0, steps).Select(step => Textures.Draw(batch, epochSeed + step));
var (losses, ends) = (new List<double>(), new List<TimeSpan>());
clock.Restart();
model.Fit(
    Batches,
    stepsPerEpoch: steps,
    verbose: 0,
    callbacks: [new LambdaCallback(onBatchEnd: (_, _, loss) =>
    {
        losses.Add(loss);
        ends.Add(clock.Elapsed);
    })],
    seed: seed);
var peak = Process.GetCurrentProcess().PeakWorkingSet64;
var step = steps > 1 ? (ends[^1] - ends[0]) / (steps - 1) : ends[0];

var (unseen, truth) = Textures.Draw(64, seed + 1_000_000);
var said = model.Predict(unseen, batchSize: batch).ArgMax().ToArray<int>();
var right = said.Zip(truth.ToArray<int>()).Count(pair => pair.First == pair.Second);

var stages = Network.Stages(model, images.Slice(..1));
var activations = stages.Sum(stage => (long)stage.Outputs);
Console.WriteLine($"""

    Memory                             MB
      parameters                 {Megabytes(parameters),8:N0}
      gradients, two moments     {Megabytes(3 * parameters),8:N0}
      activations of {batch,3} images  {Megabytes(batch * activations),8:N0}   ({activations:N0} numbers an image)
      resident, at its peak      {peak / 1e6,8:N0}
    Time, batch of {batch}
      forward, the first time    {forward.TotalMilliseconds,8:N0} ms
      first training step        {ends[0].TotalMilliseconds,8:N0} ms   (planned and compiled)
      every further one          {step.TotalMilliseconds,8:N0} ms   (forward, backward, update)

    """);

var path = command.File("alexnet.png");
Drawing.Save(path, model, stages, unseen, truth.ToArray<int>(), said);
command.Announce(path);
var curve = command.File("learning.png");
Drawing.Curve(curve, losses);
command.Announce(curve);

Console.WriteLine($"In {steps} steps the loss went from {losses[0]:F2} to {losses[^1]:F2} (a guess among 1,000 classes: {Math.Log(1000):F2}); of 64 new textures the network knows {right}, by chance it would be 8.");
Command.Result("parameters", parameters);
return 0;

double Megabytes(long numbers) => numbers * 4 / 1e6;
