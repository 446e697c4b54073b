/// The functions on tensors that people call; `open Functional` brings them in. The tensor comes last, so they pipe.
/// F#'s own exp, log, sqrt, abs, sin … work on tensors as they do on floats. Axes may be counted from the end (−1).
[<AutoOpen>]
module Functional.Functions

open Functional.Operations

let inline private bind1 (op: Op) (x: Tensor) = Tensor.Bind(op, x)

/// A tensor of size-1 axes that stands for a host number in the element type of another.
let inline internal host (like: Tensor) (value: float) = Concrete.Host(value, like.DType)

// ---- elementwise

/// A single number, Float64.
let scalar (value: float) : Tensor = Tensor.scalar value
/// −1, 0 or 1.
let signum (x: Tensor) = bind1 Prim.sign x
/// exp(x) − 1, accurate near 0.
let expm1 (x: Tensor) = bind1 Prim.expm1 x
/// log(1 + x), accurate near 0.
let log1p (x: Tensor) = bind1 Prim.log1p x
/// 1/√x.
let rsqrt (x: Tensor) = bind1 Prim.rsqrt x
/// x².
let square (x: Tensor) = bind1 Prim.square x
/// 1/x.
let reciprocal (x: Tensor) = bind1 Prim.reciprocal x
/// The inverse of sinh.
let asinh (x: Tensor) = bind1 Prim.asinh x
/// The inverse of cosh, defined from 1 on; NaN below.
let acosh (x: Tensor) = bind1 Prim.acosh x
/// The inverse of tanh, defined between −1 and 1; NaN outside.
let atanh (x: Tensor) = bind1 Prim.atanh x
/// 1/(1 + exp(−x)).
let sigmoid (x: Tensor) = bind1 Prim.sigmoid x
/// log(1 + exp(x)), without overflow.
let softplus (x: Tensor) = bind1 Prim.softplus x
/// max(0, x); its derivative at 0 is 0.
let relu (x: Tensor) = bind1 Prim.relu x
/// The error function 2/√π ∫₀ˣ exp(−t²) dt.
let erf (x: Tensor) = bind1 Prim.erf x
/// The complementary error function 1 − erf x, to full precision also where it is tiny.
let erfc (x: Tensor) = bind1 Prim.erfc x

/// The larger of two, elementwise; at a tie each gets half of the derivative.
let maximum (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.max, a, b)
/// The smaller of two, elementwise; at a tie each gets half of the derivative.
let minimum (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.min, a, b)
/// x within [low, high].
let clamp (low: float) (high: float) (x: Tensor) = minimum (maximum x (host x low)) (host x high)

/// a = b, elementwise: a Bool tensor. Example: `equal (Tensor.ofSeq [ 1; 2 ]) (Tensor.ofSeq [ 1; 3 ])`.
let equal (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.equal, a, b)
/// a ≠ b, elementwise.
let notEqual (a: Tensor) (b: Tensor) = Tensor.Bind(Compare Comparison.NotEqual, a, b)
/// a < b, elementwise.
let less (a: Tensor) (b: Tensor) = Tensor.Bind(Compare Comparison.Less, a, b)
/// a ≤ b, elementwise.
let lessEqual (a: Tensor) (b: Tensor) = Tensor.Bind(Compare Comparison.LessEqual, a, b)
/// a > b, elementwise.
let greater (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.greater, a, b)
/// a ≥ b, elementwise.
let greaterEqual (a: Tensor) (b: Tensor) = Tensor.Bind(Compare Comparison.GreaterEqual, a, b)
/// True where x is false; x is Bool.
let logicalNot (x: Tensor) = bind1 Prim.logicalNot x
/// True where both are; a and b are Bool.
let logicalAnd (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.logicalAnd, a, b)
/// True where at least one is; a and b are Bool.
let logicalOr (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.logicalOr, a, b)
/// True where exactly one is; a and b are Bool.
let logicalXor (a: Tensor) (b: Tensor) = Tensor.Bind(Prim.logicalXor, a, b)
/// True where x is NaN.
let isNaN (x: Tensor) = notEqual x x
/// True where x is neither NaN nor infinite.
let isFinite (x: Tensor) = less (abs x) (host x infinity)

/// a where the mask is true, else b. Both are computed: a NaN in the branch not taken stays out of the value but
/// comes back through its derivative (0·NaN); guard the argument as well, as `safeLog` does.
let where (mask: Tensor) (a: Tensor) (b: Tensor) = Tensor.Bind(Select, mask, a, b)

/// x as another element type. Floats become integers by dropping the fraction; everything but 0 becomes true.
let cast (dtype: DType) (x: Tensor) = if x.DType = dtype then x else bind1 (Cast dtype) x
/// x as a constant: no derivative flows through the result.
let stopGradient (x: Tensor) = bind1 StopGradient x

/// √x, with value and derivative 0 at 0.
let safeSqrt (x: Tensor) =
    let zero = lessEqual x (host x 0.0)
    where zero (host x 0.0) (sqrt (where zero (host x 1.0) x))

/// log x, with value and derivative 0 where x ≤ 0.
let safeLog (x: Tensor) =
    let zero = lessEqual x (host x 0.0)
    where zero (host x 0.0) (log (where zero (host x 1.0) x))

/// a/b, with value and derivatives 0 where b is 0.
let safeDivide (a: Tensor) (b: Tensor) =
    let zero = equal b (host b 0.0)
    where zero (host a 0.0) (a / where zero (host b 1.0) b)

/// a + factor·b, of equal shapes, in one pass.
let addScaled (factor: float) (a: Tensor) (b: Tensor) = Tensor.Bind(AddScaled factor, a, b)

// ---- shapes

/// The same elements in row-major order under another shape; one size may be −1 and is worked out.
let reshape (shape: int seq) (x: Tensor) =
    let s = Array.ofSeq shape

    let s =
        match s |> Array.filter ((=) -1) |> Array.length with
        | 0 -> s
        | 1 ->
            let known = s |> Array.filter ((<>) -1) |> Shape.possible "reshape" |> Shape.size
            let total = Shape.size x.Shape

            if known = 0 || total % known <> 0 then
                invalidShape "reshape" $"{x.Shape} has {total} elements, which {s} cannot hold (−1 stands for the rest)"

            s |> Array.map (fun d -> if d = -1 then total / known else d)
        | _ -> invalidShape "reshape" $"{s} leaves more than one size open"

    if Shape.same s x.Shape then x else bind1 (Reshape s) x

/// x repeated to a shape, by NumPy's rule.
let broadcastTo (shape: int seq) (x: Tensor) =
    let s = Array.ofSeq shape
    if Shape.same s x.Shape then x else bind1 (Broadcast s) x

/// Axes in another order: axis i of the result is axis permutation[i] of x.
let permute (permutation: int seq) (x: Tensor) =
    let p = permutation |> Seq.map (Shape.axis "permute" x.Rank) |> Array.ofSeq

    if not (Shape.same (Array.sort p) [| 0 .. x.Rank - 1 |]) then
        invalidShape "permute" $"{Shape.list p} does not name each of the {x.Rank} axes of {x.Shape} once"

    if Shape.same p [| 0 .. x.Rank - 1 |] then x else bind1 (Transpose p) x

/// The last two axes exchanged.
let transpose (x: Tensor) =
    if x.Rank < 2 then
        invalidShape "transpose" $"needs two axes, got {x.Shape}"

    // the places of the last two axes are r − 2 and r − 1, which together are 2r − 3
    bind1 (Transpose(Array.init x.Rank (fun i -> if i < x.Rank - 2 then i else 2 * x.Rank - 3 - i))) x

/// A new axis of size 1 before the given one.
let expandDims (axis: int) (x: Tensor) =
    let axis = Shape.axis "expandDims" (x.Rank + 1) axis
    bind1 (Reshape(Array.insertAt axis 1 x.Shape)) x

/// The given axes, which must be of size 1, removed.
let squeeze (axes: int seq) (x: Tensor) =
    let axes = axes |> Seq.map (Shape.axis "squeeze" x.Rank) |> Array.ofSeq

    for i in axes do
        if x.Shape[i] <> 1 then
            invalidShape "squeeze" $"axis {i} of {x.Shape} has size {x.Shape[i]}, not 1"

    reshape (Shape.reduce axes false x.Shape) x

/// All elements in one axis.
let flatten (x: Tensor) = reshape [ Shape.size x.Shape ] x

/// Part of x: for every axis the first place, the number of places and the step between them.
let slice (starts: int seq) (lengths: int seq) (steps: int seq) (x: Tensor) =
    bind1 (Slice(Array.ofSeq starts, Array.ofSeq lengths, Array.ofSeq steps)) x

/// `count` places of one axis, from `start` on.
let narrow (axis: int) (start: int) (count: int) (x: Tensor) =
    let axis = Shape.axis "narrow" x.Rank axis

    if start < 0 || count < 0 || int64 start + int64 count > int64 x.Shape[axis] then
        invalidShape
            "narrow"
            $"{count} places from {start} on are not all in axis {axis} of size {x.Shape[axis]} ({x.Shape})"

    slice
        (Array.init x.Rank (fun i -> if i = axis then start else 0))
        (Shape.withAxis axis count x.Shape)
        (Array.create x.Rank 1)
        x

/// One place of one axis, which disappears; counted from the end when negative.
let index (axis: int) (place: int) (x: Tensor) =
    let axis = Shape.axis "index" x.Rank axis

    x
    |> narrow axis (Shape.index axis place x.Shape) 1
    |> reshape (Shape.reduce [| axis |] false x.Shape)

/// Zeros added before and behind each axis. Example: `pad [ 0, 1; 2, 2 ] x`.
let pad (widths: (int * int) seq) (x: Tensor) =
    let low, high = widths |> Array.ofSeq |> Array.unzip

    if low.Length <> x.Rank then
        invalidShape "pad" $"{low.Length} pairs for the {x.Rank} axes of {x.Shape}"

    bind1 (Pad(low, high, Array.zeroCreate x.Rank)) x

/// The elements in reverse order along axes.
let reverse (axes: int seq) (x: Tensor) =
    bind1 (Reverse(axes |> Seq.map (Shape.axis "reverse" x.Rank) |> Array.ofSeq)) x

/// Tensors joined along an axis they have.
let concat (axis: int) (xs: Tensor seq) =
    match Array.ofSeq xs with
    | [||] -> invalidArg "xs" "concat: no tensors were given"
    | [| x |] -> x
    | xs -> Tensor.Bind(Concat(Shape.axis "concat" xs[0].Rank axis), xs)[0]

/// Tensors of one shape joined along a new axis.
let stack (axis: int) (xs: Tensor seq) = xs |> Seq.map (expandDims axis) |> concat axis

/// A tensor cut along an axis into pieces of the given sizes.
let split (axis: int) (sizes: int seq) (x: Tensor) : Tensor[] =
    Tensor.Bind(Split(Shape.axis "split" x.Rank axis, Array.ofSeq sizes), [| x |])

/// The tensors along an axis, which disappears: the opposite of stack.
let unstack (axis: int) (x: Tensor) : Tensor[] =
    let axis = Shape.axis "unstack" x.Rank axis
    x |> split axis (Array.create x.Shape[axis] 1) |> Array.map (squeeze [ axis ])

/// x repeated along its axes. Example: `tile [1; 3] x`.
let tile (repeats: int seq) (x: Tensor) =
    let repeats = Array.ofSeq repeats

    if repeats.Length <> x.Rank then
        invalidShape "tile" $"{repeats.Length} numbers for the {x.Rank} axes of {x.Shape}"

    match Array.tryFind (fun n -> n < 0) repeats with
    | Some n -> invalidArg "repeats" $"tile: {n} times along an axis; it is 0 times or more"
    | None -> ()

    let target = Array.map2 (fun (n: int) d -> int64 n * int64 d) repeats x.Shape |> Shape.ofSizes "tile"

    if Array.contains 0 target then
        // nothing, without what would lie between: sizes that the empty axes no longer stand beside can be too large
        let none = Array.findIndex ((=) 0) target
        x |> narrow none 0 0 |> reshape target
    else
        let interleave f g = Array.init (2 * x.Rank) (fun i -> if i % 2 = 0 then f (i / 2) else g (i / 2))

        x
        |> reshape (interleave (fun _ -> 1) (fun i -> x.Shape[i]))
        |> broadcastTo (interleave (fun i -> repeats[i]) (fun i -> x.Shape[i]))
        |> reshape target

// ---- products

/// x·w over the last two axes; leading axes broadcast. Example: `x |> matmul w`.
let matmul (w: Tensor) (x: Tensor) = Tensor.Bind(Prim.matmul false false, x, w)

/// x·w over the last two axes; leading axes broadcast. Binds like `*`: `x *@ w + b`.
let ( *@ ) (x: Tensor) (w: Tensor) = Tensor.Bind(Prim.matmul false false, x, w)

/// x·w + b: x [.., inputs], w [inputs, outputs], b [outputs].
let affine (w: Tensor) (b: Tensor) (x: Tensor) =
    match x.Rank with
    | 2 -> Tensor.Bind(Dense, x, w, b)
    | 0 -> invalidArg "x" "affine: the input is a single number; it needs an axis of features"
    | r ->
        let flat = reshape [ -1; x.Shape[r - 1] ] x
        Tensor.Bind(Dense, flat, w, b) |> reshape (Shape.withAxis (r - 1) w.Shape[w.Rank - 1] x.Shape)

// ---- reductions: over everything, over axes, over axes that stay with size 1

let private axesOf name (axes: int seq) (x: Tensor) =
    let axes = axes |> Seq.map (Shape.axis name x.Rank) |> Array.ofSeq |> Array.sort

    if (Array.distinct axes).Length <> axes.Length then
        invalidArg "axes" $"{name}: axis named twice in {Shape.list axes}"

    axes

let private reduce r name keep axes (x: Tensor) =
    match axesOf name axes x with
    | [||] -> x
    | axes -> bind1 (Reduce(r, axes, keep)) x

/// The sum of Bool is the number of those that are true.
let private addUp keep axes (x: Tensor) =
    reduce Reduction.Sum "sum" keep axes (if x.DType = DType.Bool then cast DType.Int32 x else x)

let private everything (x: Tensor) = [| 0 .. x.Rank - 1 |]
let private count (axes: int seq) (x: Tensor) = axes |> Seq.fold (fun n i -> n * x.Shape[Shape.axis "count" x.Rank i]) 1

/// The sum of all elements; of Bool, how many are true, Int32. Sums of integers wrap around, as .NET's do: where Int32 is
/// too small, cast to Int64 first.
let sum (x: Tensor) = addUp false (everything x) x
/// The sum over axes.
let sumOver (axes: int seq) (x: Tensor) = addUp false axes x
/// The sum over axes, which stay with size 1.
let sumKeep (axes: int seq) (x: Tensor) = addUp true axes x

let private average keep (axes: int seq) (x: Tensor) =
    if not (x.DType.IsFloat()) then
        invalidArg "dtype" $"mean: defined for float types, not for {x.DType}; cast the tensor first"

    match count axes x with
    | 0 -> invalidShape "mean" $"{x.Shape} has nothing along these axes to take the mean of"
    | n -> reduce Reduction.Sum "mean" keep axes x * (1.0 / float n)

/// The mean of all elements.
let mean (x: Tensor) = average false (everything x) x
/// The mean over axes. Example: `meanOver [ 1 ] (Tensor.ofRows [ [ 1.0; 3.0 ]; [ 5.0; 7.0 ] ])` is [2 6].
let meanOver (axes: int seq) (x: Tensor) = average false axes x
/// The mean over axes, which stay with size 1.
let meanKeep (axes: int seq) (x: Tensor) = average true axes x

/// The product of all elements; its derivative is right where elements are 0.
let prod (x: Tensor) = reduce Reduction.Prod "prod" false (everything x) x
/// The product over axes.
let prodOver (axes: int seq) (x: Tensor) = reduce Reduction.Prod "prod" false axes x
/// The product over axes, which stay with size 1.
let prodKeep (axes: int seq) (x: Tensor) = reduce Reduction.Prod "prod" true axes x

/// The largest of all elements (of Bool: any), −∞ of none; equals share the derivative.
let amax (x: Tensor) = reduce Reduction.Max "max" false (everything x) x
/// The largest over axes.
let maxOver (axes: int seq) (x: Tensor) = reduce Reduction.Max "max" false axes x
/// The largest over axes, which stay with size 1.
let maxKeep (axes: int seq) (x: Tensor) = reduce Reduction.Max "max" true axes x

/// The smallest of all elements (of Bool: all), ∞ of none; equals share the derivative.
let amin (x: Tensor) = reduce Reduction.Min "min" false (everything x) x
/// The smallest over axes.
let minOver (axes: int seq) (x: Tensor) = reduce Reduction.Min "min" false axes x
/// The smallest over axes, which stay with size 1.
let minKeep (axes: int seq) (x: Tensor) = reduce Reduction.Min "min" true axes x

/// log Σ exp(x), without overflow.
let logsumexp (x: Tensor) = reduce Reduction.LogSumExp "logsumexp" false (everything x) x
/// log Σ exp(x) over axes.
let logsumexpOver (axes: int seq) (x: Tensor) = reduce Reduction.LogSumExp "logsumexp" false axes x
/// log Σ exp(x) over axes, which stay with size 1.
let logsumexpKeep (axes: int seq) (x: Tensor) = reduce Reduction.LogSumExp "logsumexp" true axes x

/// Σ a·b over axes, of equal shapes, without a temporary.
let sumProductOver (axes: int seq) (a: Tensor) (b: Tensor) =
    Tensor.Bind(SumProduct(axesOf "sumProduct" axes a, false), a, b)

/// Σ a·b over everything, of equal shapes: the inner product.
let inner (a: Tensor) (b: Tensor) = Tensor.Bind(SumProduct(everything a, false), a, b)

/// The mean squared distance from the mean (the population's variance, n in the denominator).
let varianceOver (axes: int seq) (x: Tensor) = square (x - meanKeep axes x) |> meanOver axes
/// The variance over axes, which stay with size 1.
let varianceKeep (axes: int seq) (x: Tensor) = square (x - meanKeep axes x) |> meanKeep axes
/// The variance of all elements. Example: `variance (Tensor.ofSeq [ 1.0; 3.0 ])` is 1.
let variance (x: Tensor) = varianceOver (everything x) x

/// √Σx² over axes, for numbers of any size: they are scaled by the largest. Its derivative is 0 at 0, where there is no second
/// one: that is NaN.
let normOver (axes: int seq) (x: Tensor) =
    match axesOf "norm" axes x with
    | [||] -> abs x
    | axes ->
        // any constant would do, and numbers that are not finite are none
        let largest =
            stopGradient (
                maximum (reduce Reduction.Max "norm" true axes x) (-(reduce Reduction.Min "norm" true axes x))
            )

        let fits = logicalAnd (greater largest (host x 0.0)) (isFinite largest)
        let scale = where fits largest (host x 1.0)
        let scaled = x / scale
        let squares = Tensor.Bind(SumProduct(axes, false), scaled, scaled)
        let zero = lessEqual squares (host x 0.0)
        let one = host x 1.0
        // s^1.5 is 0 at 0, and so is its derivative, but not the second: a constant 0 would be flat in silence
        reshape squares.Shape scale
        * where zero ((where zero squares one) ** 1.5) (sqrt (where zero one squares))

/// √Σx² of all elements, for numbers of any size. Its derivative is 0 at 0, where there is no second one: that is NaN.
/// Example: `norm (Tensor.ofSeq [3.0; 4.0])` is 5.
let norm (x: Tensor) = normOver (everything x) x

/// exp(x)/Σ exp(x) along the last axis.
let softmax (x: Tensor) = bind1 (Softmax(Shape.axis "softmax" x.Rank -1)) x
/// exp(x)/Σ exp(x) along an axis.
let softmaxOver (axis: int) (x: Tensor) = bind1 (Softmax(Shape.axis "softmax" x.Rank axis)) x

/// x − log Σ exp(x) along an axis, for numbers of any size: the largest is taken off first.
let logSoftmaxOver (axis: int) (x: Tensor) =
    let axis = Shape.axis "logSoftmax" x.Rank axis
    let shifted = x - stopGradient (maxKeep [ axis ] x)
    let top = cast x.DType (equal shifted (host x 0.0))
    // the sum but for one term that is 1, beside which the others might be too small to count
    let others = sumKeep [ axis ] (exp shifted - top) + (sumKeep [ axis ] top - 1.0)
    shifted - log1p others

/// x − log Σ exp(x) along the last axis.
let logSoftmax (x: Tensor) = logSoftmaxOver -1 x
