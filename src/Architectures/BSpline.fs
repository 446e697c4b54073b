/// Splines of any degree on a uniform grid: what Kolmogorov–Arnold networks are made of.
[<RequireQualifiedAccess>]
module Functional.BSpline

/// The intervals + degree B-splines of a grid at points of any shape, as a new last axis. On [low, high] they add up to 1;
/// beyond it they fall to 0 within `degree` intervals. By Cox and de Boor's recursion.
/// Example: `BSpline.basis 1 0.0 2.0 2 (Tensor.ofSeq [ 0.5 ])` is [[0.5 0.5 0]].
let basis (degree: int) (low: float) (high: float) (intervals: int) (x: Tensor) : Tensor =
    if degree < 0 || intervals < 1 || not (high > low) then
        invalidArg
            "intervals"
            $"BSpline.basis: a degree from 0 on and at least one interval of [low, high], got degree {degree}, {intervals} intervals of [{low}, {high}]"

    // in intervals, from the first knot on, which lies `degree` intervals below the grid
    let s = expandDims -1 ((x - low) * (float intervals / (high - low)) + float degree)
    let count = intervals + 2 * degree
    let numbers n = cast x.DType (Tensor.ofSeq [ 0.0 .. float (n - 1) ])
    let cell = minimum (floor s) (host s (float (count - 1)))

    let raised (b: Tensor) k =
        let n = count - k
        let j = numbers n
        let left, right = (split -1 [ n; 1 ] b)[0], (split -1 [ 1; n ] b)[1]
        ((s - j) * left + (j + float (k + 1) - s) * right) * (1.0 / float k)

    Seq.fold raised (cast x.DType (equal cell (numbers count))) (seq { 1..degree })
