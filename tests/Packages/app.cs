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
