// What a C# file needs to work with the package: `.ci/run` puts the `#:package Functional.CSharp@VERSION` above these lines.
using Functional;
using Functional.Kernels;

var x = NDArray.Of<double>([3], [1, 2, 3]);
var y = NDArray.Allocate([3], DType.Float64);
Elementwise.Unary(Unary.Square, x, y);
var squares = y.AsSpan<double>().ToArray();

if (!squares.SequenceEqual([1.0, 4.0, 9.0]))
    throw new InvalidOperationException($"squares of 1, 2, 3 by the package: {string.Join(", ", squares)}");
