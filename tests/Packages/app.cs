// What a C# file needs to work with the package: `.ci/run` puts the `#:package Functional.CSharp@VERSION` above these lines.
using Functional;
using Functional.CSharp;

var at = Tensor.Of(1.0, 2.0, 3.0);
var gradient = Differentiate.Gradient(x => (x * x).Sum(), at);

if (gradient.ToString() != (2.0 * at).ToString())
    throw new InvalidOperationException($"the gradient of Σx² at {at} came out as {gradient}");

var inputs = Tensor.Of(new float[,] { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } });
var targets = Tensor.Of(new float[,] { { 0 }, { 1 }, { 1 }, { 2 } });
var model = new Sequential();
model.Add(new Dense(inputDim: 2, outputDim: 1));
model.Compile(loss: "mse", optimizer: new SGD(lr: 0.1));
var loss = model.Fit(inputs, targets, batchSize: 4, epochs: 200, verbose: 0)["loss"];

if (loss[^1] > 0.1 * loss[0])
    throw new InvalidOperationException($"200 steps of gradient descent took the loss from {loss[0]} to {loss[^1]}");

// what was learnt is saved, comes back, and goes on learning: without JSON by reflection, which a C# file and a trimmed program lack
var path = Path.Combine(Path.GetTempPath(), $"functional-{Guid.NewGuid():N}.safetensors");
try
{
    var learner = new Sequential([new Dense(4, "tanh", inputDim: 2, kernelRegularizer: "l2"), new Reshape(2, 2), new LSTM(3), new Dense(1)], seed: 1);
    learner.Compile(Loss.Huber(0.5), new Adam(LearningRate.Cosine(0.05, 100)) { GlobalClipNorm = 1 }, ["mae", Metric.BinaryAccuracy(0.4)]);
    learner.Fit(inputs, targets, batchSize: 4, epochs: 5, verbose: 0, seed: 1, callbacks: [new ModelCheckpoint(path)]);
    learner.Fit(inputs, targets, batchSize: 4, epochs: 6, verbose: 0, resumeFrom: path);
    learner.Save(path);
    var loaded = Model.Load(path);
    foreach (var one in new Model[] { learner, loaded }) one.Fit(inputs, targets, batchSize: 4, epochs: 3, verbose: 0, seed: 2);

    if (!loaded.Predict(inputs).ToArray<float>().SequenceEqual(learner.Predict(inputs).ToArray<float>()))
        throw new InvalidOperationException($"loaded, the model answers {loaded.Predict(inputs)}, not {learner.Predict(inputs)}");
}
finally
{
    File.Delete(path);
}

Console.WriteLine("all is well");
