/// Ask for a function and get a network: the smallest that was found whose error is below ε everywhere.
[<RequireQualifiedAccess>]
module Functional.Approximate

open System
open Functional.Target

/// One hidden layer of tanh, ε = 1e-3, by Levenberg and Marquardt's method, within half a minute.
let defaults: ApproximationOptions = {
    Epsilon = 1e-3
    Activation = HiddenActivation.Tanh
    Depth = 1
    Minimizer = LevenbergMarquardt.create { LevenbergMarquardt.defaults with Units = Damping.Uniform }
    Seed = 1L
    Restarts = 3
    MaxWidth = 256
    Seconds = 25.0
    Progress = ignore
    Stop = fun () -> false
}

/// The network over the box itself: what scaled its inputs and outputs becomes part of its layers.
let private unscaled (box: (float * float)[]) (middle: float[]) (half: float) (net: ApproximationNetwork) =
    let stretch = box |> Array.map (fun (low, high) -> [| 2.0 / (high - low) |]) |> matrix
    let shift = box |> Array.map (fun (low, high) -> -(low + high) / (high - low)) |> Tensor.ofSeq
    let first = net.Hidden.Head
    let moved = squeeze [ 0 ] (expandDims 0 shift *@ first.Weights)

    {
        Hidden =
            {
                Weights = stretch * first.Weights
                Bias = first.Bias |> Option.map (fun bias -> bias + moved)
            }
            :: net.Hidden.Tail
        Output = {
            Weights = net.Output.Weights * half
            Bias = net.Output.Bias |> Option.map (fun bias -> bias * half + Tensor.ofSeq middle)
        }
    }

/// The largest error that climbing from the worst points of the grid finds, and where.
let private climbed (error: float[][] -> float[]) (box: (float * float)[]) (h: float) (x: float[][]) (e: float[]) =
    let order = Array.init e.Length id
    Array.Sort(Array.map (~-) e, order)
    let scale = box |> Array.map (fun (low, high) -> 0.5 * (high - low))

    let isNear (a: float[]) (b: float[]) =
        Array.forall2 (fun s (p, q) -> abs (p - q) < 2.5 * h * s) scale (Array.zip a b)

    let starts = ResizeArray<int>()

    for i in Seq.truncate 2_000 order do
        if starts.Count < 32 && not (starts.Exists(fun j -> isNear x[i] x[j])) then
            starts.Add i

    let place = starts.ToArray() |> Array.map (fun i -> Array.copy x[i])
    let value = starts.ToArray() |> Array.map (fun i -> e[i])
    let reach = Array.create place.Length (0.5 * h)

    for _ in 1..30 do
        let moves = [|
            for i in 0 .. place.Length - 1 do
                for k in 0 .. box.Length - 1 do
                    for sign in [ -1.0; 1.0 ] do
                        let moved = Array.copy place[i]
                        moved[k] <- Math.Clamp(moved[k] + sign * reach[i] * scale[k], fst box[k], snd box[k])
                        i, moved
        |]

        let values = error (Array.map snd moves)
        let isBetter = Array.create place.Length false

        moves
        |> Array.iteri (fun j (i, moved) ->
            if values[j] > value[i] then
                value[i] <- values[j]
                place[i] <- moved
                isBetter[i] <- true)

        isBetter
        |> Array.iteri (fun i better ->
            if not better then
                reach[i] <- 0.5 * reach[i])

    let worst = Array.init value.Length id |> Array.maxBy (fun i -> value[i])
    value[worst], place[worst]

/// A function of the box, or a table, as the search takes it: over [−1, 1]ᵈ, with values about as large.
let private targetOf (options: ApproximationOptions) (box: (float * float)[]) x (y: float[][]) f middle half : Target =
    let d = box.Length
    let toUnit (point: float[]) = Array.map2 (fun (low, high) p -> (2.0 * p - low - high) / (high - low)) box point

    let fromUnit (point: float[]) =
        Array.map2 (fun (low, high) u -> 0.5 * ((1.0 - u) * low + (1.0 + u) * high)) box point

    let scaled (y: float[][]) = y |> Array.map (Array.map2 (fun m v -> (v - m) / half) middle)

    let make grid h densities (train: float[][]) (trainY: float[][]) = {
        D = d
        Grid = grid
        H = h
        GridX = matrix grid
        GridY = matrix (scaled y)
        TrainX = matrix train
        TrainY = matrix (scaled trainY)
        Densities = densities
        Goal = options.Epsilon / half
    }

    match f with
    | ValueSome f ->
        let grid, h = Sampling.grid d

        let densities =
            if d = 1 then
                [| 0.5; 1.0; 0.25 |]
                |> Array.map (fun power -> Sampling.cumulate (Sampling.activity power h (scaled y)))
            else
                [| [||] |]

        let train = Sampling.training d grid densities[0]
        make grid h densities train (rows (f (matrix (Array.map fromUnit train))))
    | ValueNone ->
        let grid = Array.map toUnit x
        // as many units as rows, wherever
        make grid 0.0 [| Array.init grid.Length (fun i -> float (i + 1)) |] grid y

let private found
    (options: ApproximationOptions)
    (box: (float * float)[])
    (x: float[][])
    (y: float[][])
    (f: (Tensor -> Tensor) voption)
    =
    let middle, half = scaleOf options.Epsilon y
    let target = targetOf options box x y f middle half
    let width, net, trials, seconds = Search.search options target half
    let net = unscaled box middle half net

    let error (points: float[][]) (y: float[][]) =
        forward options.Activation net (matrix points)
        |> rows
        |> Array.map2 (fun wanted found -> sizeAt (Array.map2 (-) wanted found)) y

    let onGrid = error x y
    let top = Array.max onGrid

    let sup, worst =
        match f with
        | ValueSome f -> climbed (fun points -> error points (rows (f (matrix points)))) box target.H x onGrid
        | ValueNone -> top, x[Array.findIndex ((=) top) onGrid]

    {
        Network = net
        Activation = options.Activation
        Box = List.ofArray box
        Epsilon = options.Epsilon
        Width = width
        Sup = max sup top
        SupOnGrid = top
        L2 =
            sqrt (
                (onGrid |> Array.averageBy (fun e -> e * e))
                * (box |> Array.fold (fun v (low, high) -> v * (high - low)) 1.0)
            )
        Worst = worst
        Points = x.Length
        TrainingPoints = (let n = target.TrainX.Shape[0] in if f.IsNone then n else n + n / 6)
        Steps = trials |> List.sumBy _.Steps
        Seconds = seconds
        Trials = trials
    }

/// Looks for the smallest network whose error is below ε everywhere on a box: doubling the width, several starts for each,
/// then halving the interval. The function takes points [n, variables] in Float64 and gives values [n], or [n, outputs]; the
/// error is measured on a grid much finer than the points that are trained on, and by climbing on from its worst points.
/// An approximation that is not good enough is returned as well, and says so (`Reached`).
/// Example: `Approximate.find { Approximate.defaults with Epsilon = 1e-2 } [ -2.0, 2.0 ] (fun x -> sin (3.0 * x))`.
let find (options: ApproximationOptions) (box: (float * float) list) (f: Tensor -> Tensor) : Approximation =
    check options box
    let box = Array.ofList box

    let x =
        fst (Sampling.grid box.Length)
        |> Array.map (Array.map2 (fun (low, high) u -> 0.5 * ((1.0 - u) * low + (1.0 + u) * high)) box)

    let values = f (matrix x)

    if values.Rank < 1 || values.Rank > 2 || values.Shape[0] <> x.Length || values.DType <> DType.Float64 then
        invalidArg
            "f"
            $"Approximate.find: of points of shape {x.Length}×{box.Length} the function made {values.DType} of shape {values.Shape}; it gives a Float64 value, or a row of values, for each point"

    let y = rows values
    finite x y
    found options box x y (ValueSome f)

/// The same for a table, of rows of points and rows of values. The error is that on the table: what is between its points
/// nobody knows.
let table (options: ApproximationOptions) (x: float[][]) (y: float[][]) : Approximation =
    if x.Length < 2 || x.Length <> y.Length then
        invalidArg
            "y"
            $"Approximate.table: {x.Length} points and {y.Length} values; there are two at least, and a value for each point"

    let box = [
        for k in 0 .. x[0].Length - 1 ->
            let column = x |> Array.map (fun row -> row[k])
            Array.min column, Array.max column
    ]

    check options box
    finite x y
    let order = [| 0 .. x.Length - 1 |] |> Array.sortBy (fun i -> x[i][0])
    found options (Array.ofList box) (Array.map (fun i -> x[i]) order) (Array.map (fun i -> y[i]) order) ValueNone
