// What a C# file needs to work with the package: `.ci/run` puts the `#:package Functional.CSharp@VERSION` above these lines.
using Functional;
using Functional.CSharp;

var at = Tensor.Of(1.0, 2.0, 3.0);
var gradient = Differentiate.Gradient(x => (x * x).Sum(), at);

if (gradient.ToString() != (2.0 * at).ToString())
    throw new InvalidOperationException($"the gradient of Σx² at {at} came out as {gradient}");
