/// Points that fill the unit cube [0, 1)^d, as rows [n, d] of Float64, and choices among candidates: what residuals are
/// measured on. What is random takes a key, last.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Points

let private requireSizes name n d =
    if n < 1 || d < 1 then
        invalidArg "n" $"{name}: at least one point of one coordinate is needed, got {n} of {d}"

/// The first n points of Sobol's sequence, up to 21 coordinates; the first point is 0. Powers of 2 are best: of 2^k points
/// every interval of length 2^−k has one, in each coordinate.
/// Example: `Points.sobol 4 2` is [[0 0] [0.5 0.5] [0.75 0.25] [0.25 0.75]].
let sobol (n: int) (d: int) : Tensor =
    requireSizes "Points.sobol" n d

    if d > Sobol.mostDimensions then
        invalidArg
            "d"
            $"Points.sobol: there are direction numbers for up to {Sobol.mostDimensions} coordinates, got {d}; latinHypercube has no limit"

    Tensor.create [ n; d ] (Sobol.points n d)

let private isPrime n =
    Seq.forall (fun k -> n % k <> 0) (Seq.takeWhile (fun k -> k * k <= n) (Seq.initInfinite ((+) 2)))

/// n points of Halton's sequence: coordinate k are the numbers from 1 on, their digits to the base of the k-th prime mirrored
/// at the point. Above some ten coordinates the later ones go in step for long; then Sobol's are better.
/// Example: `Points.halton 3 2` is [[0.5 0.333333333] [0.25 0.666666667] [0.75 0.111111111]].
let halton (n: int) (d: int) : Tensor =
    requireSizes "Points.halton" n d
    let primes = Seq.initInfinite ((+) 2) |> Seq.filter isPrime |> Seq.take d |> Array.ofSeq

    let mirrored (b: int) (i: int) =
        let mutable rest, share, sum = i, 1.0, 0.0

        while rest > 0 do
            share <- share / float b
            sum <- sum + share * float (rest % b)
            rest <- rest / b

        sum

    Tensor.create [ n; d ] (Array.init (n * d) (fun k -> mirrored primes[k % d] (k / d + 1)))

/// All points moved by one random vector, round the ends of the cube: what a sequence estimates it then does without bias,
/// and several keys tell how well.
/// Example: `Points.sobol 64 2 |> Points.shifted key`.
let shifted (key: Tensor) (points: Tensor) : Tensor =
    let moved = points + Random.uniform points.DType [ points.Shape[points.Rank - 1] ] key
    moved - floor moved

/// n random points of which each of the n slices of each coordinate has one.
let latinHypercube (n: int) (d: int) (key: Tensor) : Tensor =
    requireSizes "Points.latinHypercube" n d
    let keys = Key.split (d + 1) key
    let slices = stack 1 [ for k in 1..d -> Random.permutation n keys[k] ]
    (cast DType.Float64 slices + Random.uniform DType.Float64 [ n; d ] keys[0]) / float n

/// n independent points, uniform.
let uniform (n: int) (d: int) (key: Tensor) : Tensor =
    requireSizes "Points.uniform" n d
    Random.uniform DType.Float64 [ n; d ] key

/// Points of the unit cube as points of a box, given its lowest and highest corner.
/// Example: `Points.sobol 2 2 |> Points.inBox [ -1.0; 0.0 ] [ 1.0; 10.0 ]` is [[-1 0] [0 5]].
let inBox (low: float seq) (high: float seq) (points: Tensor) : Tensor =
    let low, high = Array.ofSeq low, Array.ofSeq high

    if points.Rank < 1 || low.Length <> high.Length || low.Length <> points.Shape[points.Rank - 1] then
        invalidShape
            "Points.inBox"
            $"points {points.Shape} need corners of as many numbers as they have coordinates, got {low.Length} and {high.Length}"

    let low, high = cast points.DType (Tensor.ofSeq low), cast points.DType (Tensor.ofSeq high)
    low + points * (high - low)

/// The places of `count` of the weights [n], without repetition, each drawn with a probability in proportion to its weight among
/// those left. Weights of 0 come last. P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir" (2006).
/// Example: `Points.weighted 2 (Tensor.ofSeq [ 1.0; 0.0; 3.0 ]) key |> sort 0` is [0 2].
let weighted (count: int) (weights: Tensor) (key: Tensor) : Tensor =
    if weights.Rank <> 1 || count < 0 || count > weights.Shape[0] then
        invalidShape "Points.weighted" $"{count} of a vector of weights are asked for, got weights {weights.Shape}"

    // waiting times, the shorter the larger the weight; in logarithms, where nothing overflows
    let u = Random.uniform DType.Float64 weights.Shape key
    let waiting = log (-(log1p -u)) - log (cast DType.Float64 weights)
    argsort 0 waiting |> split 0 [ count; weights.Shape[0] - count ] |> Array.head

/// The places of `count` of the candidates, drawn where a residual [n] is large: with weights |r|^power, divided by their mean,
/// plus `floor`. C. Wu and others, "A comprehensive study of non-adaptive and residual-based adaptive sampling for
/// physics-informed neural networks" (2023), RAD, who take 1 and 1.
/// Example: `take 0 (Points.byResidual 1.0 1.0 5 (Tensor.ofSeq [ 1.0 .. 9.0 ]) key) (Points.sobol 9 2)`.
let byResidual (power: float) (floor: float) (count: int) (residual: Tensor) (key: Tensor) : Tensor =
    let size = abs (cast DType.Float64 residual) ** scalar power
    weighted count (safeDivide size (mean size) + floor) key
