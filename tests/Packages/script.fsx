// What a script needs to work with the package: `.ci/run` puts the `#r "nuget: Functional, VERSION"` above these lines.
open System
open Functional
open Functional.Kernels

let x = NDArray.Of<float>([| 3 |], ReadOnlySpan [| 1.0; 2.0; 3.0 |])
let y = NDArray.Allocate([| 3 |], DType.Float64)
Elementwise.Unary(Unary.Square, x, y)
let squares = y.AsSpan<float>().ToArray()

if squares <> [| 1.0; 4.0; 9.0 |] then
    failwith $"squares of 1, 2, 3 by the package: %A{squares}"
