/// What an analyst tries first: polynomials and splines, to set a network beside.
[<RequireQualifiedAccess>]
module Functional.Baselines

open System
open MathNet.Numerics
open MathNet.Numerics.Interpolation
open MathNet.Numerics.LinearRegression

/// A classical approximation: the fewest numbers that were found to bring its sup error below ε, or the best that was tried.
type Baseline = { Name: string; Numbers: int; Sup: float; Reached: bool }

let private matrix (rows: float[][]) : Tensor = Tensor.ofRows (Seq.map Seq.ofArray rows)

let private rows (t: Tensor) = Tensor.toFloats t |> Array.chunkBySize (if t.Rank = 1 then 1 else t.Shape[1])

/// The sizes that are tried double until one does; then the interval is halved. `attempt` gives the sup error of a size.
let private smallest name (numbers: int -> int) (epsilon: float) (first: int) (most: int) (attempt: int -> float) =
    let tries = Collections.Generic.Dictionary<int, float>()

    let error n =
        if not (tries.ContainsKey n) then
            tries[n] <- attempt n

        tries[n]

    let rec doubled failed n =
        if error n < epsilon then Some(failed, n)
        elif n >= most then None
        else doubled n (min most (2 * n))

    let rec bisected failed reached =
        if reached - failed <= 1 then
            reached
        else
            let middle = (failed + reached) / 2

            if error middle < epsilon then
                bisected failed middle
            else
                bisected middle reached

    match doubled (first - 1) first with
    | Some(failed, reached) ->
        let n = bisected failed reached
        { Name = name; Numbers = numbers n; Sup = error n; Reached = true }
    | None ->
        let best = tries |> Seq.minBy (fun t -> if Double.IsNaN t.Value then infinity else t.Value)
        { Name = name; Numbers = numbers best.Key; Sup = best.Value; Reached = false }

let private place (low, high) u = 0.5 * ((1.0 - u) * low + (1.0 + u) * high)

/// The largest distance of functions of [−1, 1], one for each output, from the values on the grid.
let private distance (grid: float[]) (values: float[][]) (approximations: (float -> float)[]) =
    let mutable sup = 0.0

    for i in 0 .. grid.Length - 1 do
        for k in 0 .. approximations.Length - 1 do
            let off = abs (approximations[k] grid[i] - values[i][k])
            sup <- if Double.IsNaN off then infinity else max sup off

    sup

let private chebyshevPoints n = Array.init (n + 1) (fun i -> if n = 0 then 0.0 else -cos(Math.PI * float i / float n))

/// The weights of the barycentric formula: alternating, half at the ends.
let private barycentricWeights n =
    Array.init (n + 1) (fun i -> (if i % 2 = 0 then 1.0 else -1.0) * (if i = 0 || i = n then 0.5 else 1.0))

let private onLine epsilon interval (f: Tensor -> Tensor) =
    let grid = Array.init 8_001 (fun i -> -1.0 + float i / 4_000.0)
    let at (us: float[]) = us |> Array.map (fun u -> [| place interval u |]) |> matrix |> f |> rows
    let values = at grid
    let outputs = values[0].Length
    let column k (y: float[][]) = y |> Array.map (fun row -> row[k])

    let measure nodes (interpolation: float[] -> float[] -> float -> float) =
        let y = at nodes
        distance grid values (Array.init outputs (fun k -> interpolation nodes (column k y)))

    let chebyshev n =
        measure (chebyshevPoints n) (fun nodes y -> Barycentric(nodes, y, barycentricWeights n).Interpolate)

    let spline n =
        measure (Array.init n (fun i -> -1.0 + 2.0 * float i / float (n - 1))) (fun nodes y ->
            // the slopes at the ends are those of parabolas through three points
            let h = nodes[1] - nodes[0]
            let left = (-3.0 * y[0] + 4.0 * y[1] - y[2]) / (2.0 * h)
            let right = (3.0 * y[n - 1] - 4.0 * y[n - 2] + y[n - 3]) / (2.0 * h)
            let slope = SplineBoundaryCondition.FirstDerivative
            CubicSpline.InterpolateBoundariesSorted(nodes, y, slope, left, slope, right).Interpolate)

    let leastSquares degree =
        measure (Array.init 1_001 (fun i -> -1.0 + float i / 500.0)) (fun nodes y ->
            let c = Fit.Polynomial(nodes, y, degree, DirectRegressionMethod.QR)
            fun u -> Polynomial.Evaluate(u, c))

    [
        smallest "Chebyshev interpolation" (fun n -> outputs * (n + 1)) epsilon 1 1_024 chebyshev
        smallest "cubic spline" (fun n -> outputs * n) epsilon 4 4_096 spline
        smallest "polynomial by least squares" (fun n -> outputs * (n + 1)) epsilon 1 40 leastSquares
    ]

/// Interpolation in products of Chebyshev points.
let private onRectangle epsilon (box: (float * float)[]) (f: Tensor -> Tensor) =
    let line = Array.init 201 (fun i -> -1.0 + float i / 100.0)

    let product (us: float[]) = [|
        for u in us do
            for v in us -> [| place box[0] u; place box[1] v |]
    |]

    let grid = matrix (product line)
    let values = f grid |> fun y -> reshape [ 201; 201; -1 ] y
    let outputs = values.Shape[2]

    let attempt n =
        let nodes, weights = chebyshevPoints n, barycentricWeights n
        // what each node counts at each place of the line
        let basis =
            matrix [|
                for u in line ->
                    match Array.tryFindIndex ((=) u) nodes with
                    | Some at -> Array.init nodes.Length (fun i -> if i = at then 1.0 else 0.0)
                    | None ->
                        let terms = Array.map2 (fun w node -> w / (u - node)) weights nodes
                        let total = Array.sum terms
                        terms |> Array.map (fun t -> t / total)
            |]

        let y = f (matrix (product nodes)) |> reshape [ n + 1; n + 1; outputs ]

        Seq.max [
            for k in 0 .. outputs - 1 do
                let plane (t: Tensor) = narrow 2 k 1 t |> squeeze [ 2 ]
                Tensor.toFloat (amax (abs (basis *@ plane y *@ transpose basis - plane values)))
        ]

    [ smallest "Chebyshev interpolation" (fun n -> outputs * (n + 1) * (n + 1)) epsilon 1 128 attempt ]

/// The classical approximations of a function (as `Approximate.find` takes it) that there are for so many variables: on a
/// line Chebyshev interpolation, a cubic spline and a polynomial by least squares; on a rectangle Chebyshev interpolation;
/// none beyond. Example: `Baselines.find 1e-6 [ -2.0, 2.0 ] (fun x -> sin (3.0 * x))`.
let find (epsilon: float) (box: (float * float) list) (f: Tensor -> Tensor) : Baseline list =
    match box with
    | [ interval ] -> onLine epsilon interval f
    | [ _; _ ] -> onRectangle epsilon (Array.ofList box) f
    | _ -> []
