/// Points in order, Float64: even grids, the nodes of interpolation and of quadrature, and products of them.
[<RequireQualifiedAccess>]
module Functional.Grid

open System

let private requireSome name n least =
    if n < least then
        invalidArg "n" $"{name}: at least {least} points are needed, got {n}"

/// Points between −1 and 1 as points between two others.
let private between (low: float) (high: float) (x: float[]) =
    x |> Array.map (fun x -> 0.5 * (low + high) + 0.5 * (high - low) * x) |> Tensor.ofSeq

/// n points at equal distances, both ends included.
let even (low: float) (high: float) (n: int) : Tensor =
    requireSome "Grid.even" n 2
    Tensor.linspace low high n

/// The n zeros of Chebyshev's polynomial, ascending: the nodes for interpolation; the ends are not among them.
/// Example: `Grid.chebyshev -1.0 1.0 1` is [0].
let chebyshev (low: float) (high: float) (n: int) : Tensor =
    requireSome "Grid.chebyshev" n 1

    Array.init n (fun k -> Math.Sin(Math.PI * float (2 * k + 1 - n) / float (2 * n)))
    |> between low high

/// The n places where Chebyshev's polynomial of degree n − 1 is 1 or −1, ascending, both ends included.
/// Example: `Grid.chebyshevExtrema -1.0 1.0 3` is [-1 0 1].
let chebyshevExtrema (low: float) (high: float) (n: int) : Tensor =
    requireSome "Grid.chebyshevExtrema" n 2

    Array.init n (fun k -> Math.Sin(Math.PI * float (2 * k + 1 - n) / float (2 * n - 2)))
    |> between low high

/// Legendre's polynomial of degree n and its derivative, for |x| < 1.
let private legendre n (x: float) : struct (float * float) =
    let mutable before, p = 1.0, x

    for k in 2..n do
        let next = (float (2 * k - 1) * x * p - float (k - 1) * before) / float k
        before <- p
        p <- next

    struct (p, float n * (before - x * p) / (1.0 - x * x))

/// The n nodes and weights, ascending, of Gauss and Legendre's quadrature: Σ wᵢ·f(xᵢ) is the integral, exact for polynomials
/// up to degree 2n − 1. By Newton's method.
/// Example: `Grid.gaussLegendre 0.0 1.0 2 |> snd` is [0.5 0.5].
let gaussLegendre (low: float) (high: float) (n: int) : Tensor * Tensor =
    requireSome "Grid.gaussLegendre" n 1

    let node k =
        let mutable x = -Math.Cos(Math.PI * (float k + 0.75) / (float n + 0.5))

        for _ in 1..6 do
            let struct (p, slope) = legendre n x
            x <- x - p / slope

        let struct (_, slope) = legendre n x
        struct (x, 2.0 / ((1.0 - x * x) * slope * slope))

    // from one half the other, so that they are symmetric
    let half = Array.init (n / 2) node

    let middle = if n % 2 = 1 then [| node (n / 2) |] else [||]
    let mirrored = Array.rev half |> Array.map (fun (struct (x, w)) -> struct (-x, w))
    let all = Array.concat [ half; middle; mirrored ]
    let nodes = all |> Array.map (fun (struct (x, _)) -> x)
    let weights = all |> Array.map (fun (struct (_, w)) -> w)
    between low high nodes, Tensor.ofSeq weights * (0.5 * (high - low))

/// The coordinates of a grid, an axis for each: of x [m] and y [n] two tensors [m, n], the first constant along rows.
let meshgrid (axes: Tensor seq) : Tensor[] =
    let axes = Array.ofSeq axes

    for x in axes do
        if x.Rank <> 1 then
            invalidShape "Grid.meshgrid" $"each axis is a vector, got {x.Shape}"

    let shape = axes |> Array.map (fun x -> x.Shape[0])

    axes
    |> Array.mapi (fun i x ->
        reshape (Array.init shape.Length (fun k -> if k = i then shape[i] else 1)) x |> broadcastTo shape)

/// The points of a grid as rows: of x [m] and y [n] the points [m·n, 2], the last coordinate changing first.
/// Example: `Grid.points [ Tensor.ofSeq [ 0.0; 1.0 ]; Tensor.ofSeq [ 5.0; 6.0 ] ]` is [[0 5] [0 6] [1 5] [1 6]].
let points (axes: Tensor seq) : Tensor =
    match meshgrid axes with
    | [||] -> invalidArg "axes" "Grid.points: no axes were given"
    | coordinates -> coordinates |> Array.map flatten |> stack 1

/// The weights of a product of quadratures, in the order of `points`: of weights [m] and [n] their products [m·n].
let weights (axes: Tensor seq) : Tensor =
    match meshgrid axes with
    | [||] -> invalidArg "axes" "Grid.weights: no axes were given"
    | weights -> weights |> Array.reduce (*) |> flatten
