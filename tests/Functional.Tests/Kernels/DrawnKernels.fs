/// Every family of kernels with sizes drawn around the edges of vectors, tiles, panels and blocks, as data: which arrays it
/// is given, and what is called. The arrays lie in one block of memory at any multiple of their elements' size.
module Functional.Tests.Kernels.DrawnKernels

open System
open Functional
open Functional.Kernels

/// An array to make: a kernel that leaves some of its elements alone says so.
type Part = { Shape: int[]; Type: DType; Whole: bool; Value: Random -> float }

/// A call of a kernel; its result comes last.
type Drawn = { Name: string; Parts: Part[]; Run: NDArray[] -> unit }

let private floats = [| DType.Float32; DType.Float64 |]

let private numeric = [| DType.Float32; DType.Float64; DType.Int32; DType.Int64 |]

let private everyType = Array.append numeric [| DType.Bool |]
let private pick (random: Random) (choices: 'a[]) = choices[random.Next choices.Length]
let private coin (random: Random) = random.Next 2 = 0

/// Sizes at the edges of vectors and tiles, and some that are not.
let private edge (random: Random) =
    match random.Next 10 with
    | 0 -> 0
    | 1 -> 1
    | 2 -> random.Next(1, 100)
    | _ -> max 0 (pick random [| 2; 4; 6; 8; 12; 16; 24; 32; 48; 64; 128 |] + random.Next(-1, 2))

/// A shape of some rank, at least 1: at most one axis is long, now and then longer than a block.
let private shapeOf (random: Random) rank =
    let long = random.Next rank

    Array.init rank (fun axis ->
        if axis = long then
            if random.Next 12 = 0 then
                pick random [| 1023; 1025; 4097; 20000 |]
            else
                edge random
        elif random.Next 20 = 0 then
            0
        else
            random.Next(1, 6))

let private shape random = shapeOf random (random.Next(1, 5))

let private part shape dtype = {
    Shape = shape
    Type = dtype
    Whole = true
    Value =
        if dtype = DType.Bool then
            fun random -> float (random.Next 2)
        else
            fun random -> float (random.Next(1, 9))
}

let private partly part = { part with Whole = false }

/// The number of indices, and of keys, is that of their storage.
let private indices shape dtype size = {
    partly (part shape dtype) with
        Value = fun random -> float (random.Next(max 1 size))
}

let private drawn name parts run = { Name = name; Parts = parts; Run = run }

/// A shape that broadcasts to another.
let private narrowed (random: Random) (shape: int[]) =
    let shape = if shape.Length > 1 && random.Next 4 = 0 then Array.tail shape else shape
    shape |> Array.map (fun size -> if random.Next 4 = 0 then 1 else size)

let private elementwise (random: Random) =
    let shape, dtype = shape random, pick random numeric
    let y, a, b = part shape dtype, part (narrowed random shape) dtype, part (narrowed random shape) dtype

    match random.Next 6 with
    | 0 ->
        let op = pick random (Enum.GetValues<Unary>() |> Array.filter ((<>) Unary.Not))
        let real = part shape (pick random floats)
        drawn $"{op}" [| real; real |] (fun v -> Elementwise.Unary(op, v[0], v[1]))
    | 1 ->
        let op =
            pick random [|
                Binary.Add
                Binary.Sub
                Binary.Mul
                Binary.Div
                Binary.Pow
                Binary.Max
                Binary.Min
                Binary.Rem
            |]

        drawn $"{op}" [| a; b; y |] (fun v -> Elementwise.Binary(op, v[0], v[1], v[2]))
    | 2 ->
        let op = pick random (Enum.GetValues<Comparison>())
        drawn $"{op}" [| a; b; part shape DType.Bool |] (fun v -> Elementwise.Compare(op, v[0], v[1], v[2]))
    | 3 ->
        let mask = part (narrowed random shape) DType.Bool
        drawn "Select" [| mask; a; b; y |] (fun v -> Elementwise.Select(v[0], v[1], v[2], v[3]))
    | 4 ->
        let from = part shape (pick random everyType)
        drawn "Cast" [| from; part shape (pick random everyType) |] (fun v -> Elementwise.Cast(v[0], v[1]))
    | _ ->
        let real (p: Part) = part p.Shape (if dtype.IsFloat() then dtype else DType.Float32)
        drawn "AddScaled" [| real a; real b; real y |] (fun v -> Elementwise.AddScaled(0.5, v[0], v[1], v[2]))

let private layout (random: Random) =
    let shape, dtype = shape random, pick random everyType
    let rank = shape.Length
    let axis = random.Next rank
    let x = part shape dtype

    match random.Next 6 with
    | 0 ->
        let order = [| 0 .. rank - 1 |]
        random.Shuffle order

        drawn $"Transpose {order}" [| x; part (order |> Array.map (fun i -> shape[i])) dtype |] (fun v ->
            Layout.Transpose(v[0], order, v[1]))
    | 1 -> drawn "Broadcast" [| part (narrowed random shape) dtype; x |] (fun v -> Layout.Broadcast(v[0], v[1]))
    | 2 ->
        let steps = shape |> Array.map (fun _ -> random.Next(1, 4))
        let starts = shape |> Array.map (fun size -> if size = 0 then 0 else random.Next size)
        let count = Array.map3 (fun size start step -> (size - start + step - 1) / step) shape starts steps
        drawn "Slice" [| partly x; part count dtype |] (fun v -> Layout.Slice(v[0], starts, steps, v[1]))
    | 3 ->
        let low, interior =
            shape |> Array.map (fun _ -> random.Next 4), shape |> Array.map (fun _ -> random.Next 3)

        let padded =
            Array.init rank (fun i -> low[i] + random.Next 4 + max 0 (shape[i] + (shape[i] - 1) * interior[i]))

        drawn "Pad" [| x; partly (part padded dtype) |] (fun v -> Layout.Pad(v[0], low, interior, v[1]))
    | 4 -> drawn "Reverse" [| x; x |] (fun v -> Layout.Reverse(v[0], [| axis |], v[1]))
    | _ ->
        let other = shape |> Array.mapi (fun i size -> if i = axis then edge random else size)
        let both = shape |> Array.mapi (fun i size -> if i = axis then size + other[i] else size)

        if coin random then
            drawn "Concat" [| x; part other dtype; part both dtype |] (fun v ->
                Layout.Concat([| v[0]; v[1] |], axis, v[2]))
        else
            drawn "Split" [| part both dtype; part other dtype; x |] (fun v ->
                Layout.Split(v[0], axis, [| v[1]; v[2] |]))

let private indexing (random: Random) =
    let shape, dtype = shape random |> Array.map (max 1), pick random everyType
    let axis = random.Next shape.Length
    let index = indices [| edge random |] (pick random [| DType.Int32; DType.Int64 |]) shape[axis]
    let taken = shape |> Array.mapi (fun i size -> if i = axis then index.Shape[0] else size)
    let along = { index with Shape = taken }
    let x, y = part shape dtype, part taken dtype

    match random.Next 4 with
    | 0 -> drawn "Gather" [| partly x; index; y |] (fun v -> Indexing.Gather(v[0], v[1], axis, v[2]))
    | 1 -> drawn "ScatterAdd" [| y; index; partly x |] (fun v -> Indexing.ScatterAdd(v[0], v[1], axis, v[2]))
    | 2 -> drawn "GatherAlong" [| partly x; along; y |] (fun v -> Indexing.GatherAlong(v[0], v[1], axis, v[2]))
    | _ -> drawn "ScatterAlong" [| y; along; partly x |] (fun v -> Indexing.ScatterAlong(v[0], v[1], axis, v[2]))

let private sorting (random: Random) =
    let shape = shape random
    let axis, descending = random.Next shape.Length, coin random
    let first = shape |> Array.mapi (fun i size -> if i = axis then random.Next(size + 1) else size)

    drawn "ArgSort" [| part shape (pick random everyType); part first DType.Int32 |] (fun v ->
        Sorting.ArgSort(v[0], axis, descending, v[1]))

let private reductions (random: Random) =
    let shape = shape random |> Array.map (max 1)
    let axis = random.Next shape.Length
    let axes = [| 0 .. shape.Length - 1 |] |> Array.filter (fun _ -> coin random)
    let kept = shape |> Array.mapi (fun i size -> if Array.contains i axes then 1 else size)
    let without = shape |> Array.mapi (fun i size -> if i = axis then 1 else size)
    let x, real = part shape (pick random numeric), part shape (pick random floats)

    match random.Next 6 with
    | 0 ->
        let op = pick random [| Reduction.Sum; Reduction.Prod; Reduction.Max; Reduction.Min |]
        drawn $"Reduce {op}" [| x; part kept x.Type |] (fun v -> Reductions.Reduce(op, v[0], axes, v[1]))
    | 1 ->
        drawn "LogSumExp" [| real; part kept real.Type |] (fun v ->
            Reductions.Reduce(Reduction.LogSumExp, v[0], axes, v[1]))
    | 2 -> drawn "SumProduct" [| x; x; part kept x.Type |] (fun v -> Reductions.SumProduct(v[0], v[1], axes, v[2]))
    | 3 ->
        let op = pick random (Enum.GetValues<ArgReduction>())
        drawn $"{op}" [| x; part without DType.Int32 |] (fun v -> Reductions.ArgReduce(op, v[0], axis, v[1]))
    | 4 ->
        let op, reverse = pick random (Enum.GetValues<Cumulation>()), coin random
        drawn $"Cumulate {op}" [| x; x |] (fun v -> Reductions.Cumulate(op, v[0], axis, reverse, v[1]))
    | _ when coin random -> drawn "Softmax" [| real; real |] (fun v -> Reductions.Softmax(v[0], axis, v[1]))
    | _ -> drawn "SoftmaxScale" [| real; real; real |] (fun v -> Reductions.SoftmaxScale(v[0], v[1], axis, v[2]))

let private randomNumbers (random: Random) =
    let keys = random.Next(1, 4)

    let key = {
        partly (part [| keys |] DType.Int64) with
            Value = fun random -> float (random.Next())
    }

    let count = edge random * pick random [| 1; 1; 7; 300 |]

    let distribution, dtype =
        match random.Next 4 with
        | 0 -> Distribution.Bits, pick random [| DType.Int32; DType.Int64 |]
        | 1 -> Distribution.Uniform, pick random floats
        | 2 -> Distribution.Normal, pick random floats
        | _ -> Distribution.TruncatedNormal, pick random floats

    drawn $"{distribution}" [| key; part [| keys; count |] dtype |] (fun v ->
        RandomNumbers.Draw(distribution, v[0], v[1]))

let private products (random: Random) =
    let dtype = pick random numeric
    let long () = if random.Next 8 = 0 then pick random [| 399; 401; 530; 1030 |] else edge random
    let m, k, n = long (), long (), long ()
    let lead = if random.Next 3 = 0 then [| random.Next(1, 4) |] else [||]
    let transA, transB = coin random, coin random
    let swap condition (a, b) = if condition then [| b; a |] else [| a; b |]
    let a = part (Array.append lead (swap transA (m, k))) dtype
    let b = part (swap transB (k, n)) dtype
    let y = part (Array.append lead [| m; n |]) dtype
    let name = $"{NaiveArrays.show lead}{m}×{k}×{n} {transA} {transB}"
    let real (p: Part) = part p.Shape (if dtype.IsFloat() then dtype else DType.Float64)

    match random.Next 4 with
    | 0 -> drawn $"MatMul {name}" [| a; b; y |] (fun v -> MatMul.Run(transA, transB, v[0], v[1], v[2]))
    | 1 ->
        let a, b = part (Array.append lead [| m; k |]) dtype, part [| k; n |] dtype
        drawn $"MatMul add {name}" [| a; b; part [| n |] dtype; y |] (fun v -> MatMul.RunAdd(v[0], v[1], v[2], v[3]))
    | 2 ->
        let onto = part (if coin random then y.Shape else [| n |]) dtype

        drawn $"MatMul onto {name}" [| real a; real b; real onto; real y |] (fun v ->
            MatMul.RunOnto(transA, transB, v[0], v[1], v[2], -0.3, v[3]))
    | _ ->
        drawn $"MatMul packed {name}" [| real a; real b; real y |] (fun v ->
            let copy = PackedMatrix(v[1].Shape, transB, v[1].DType)
            copy.Copy v[1]
            MatMul.Run(transA, transB, v[0], v[1], v[2], copy))

/// Sizes of windows over one to three axes: strides, dilations, paddings before, the image, the window, and what comes out.
let private windows (random: Random) =
    let axes = random.Next(1, 4)
    let draw low high = Array.init axes (fun _ -> random.Next(low, high))
    let strides, dilations, low, window = draw 1 4, draw 1 3, draw 0 3, draw 1 5
    let longest = if axes = 1 then 70 else 12
    let image = Array.init axes (fun i -> (window[i] - 1) * dilations[i] + 1 + random.Next longest)
    let high = draw 0 3

    let out =
        Array.init axes (fun i -> (image[i] + low[i] + high[i] - (window[i] - 1) * dilations[i] - 1) / strides[i] + 1)

    struct (strides, dilations, low, window, image, out)

let private convolutions (random: Random) =
    let struct (strides, dilations, low, window, image, out) = windows random
    let groups = pick random [| 1; 1; 1; 2; 3 |]
    let own, made = random.Next(1, 20), max 1 (edge random % 40)
    let channels, features = groups * own, groups * made
    // groups of one channel and one feature go another way
    let groups, channels, features =
        if random.Next 4 = 0 then
            channels, channels, channels
        else
            groups, channels, features

    let dtype, examples = pick random floats, random.Next(0, 4)
    let around space last = Array.concat [ [| examples |]; space; [| last |] ]
    let x, y = around image channels, around out features
    let w = Array.append window [| channels / groups; features |]

    let name =
        $"strides {NaiveArrays.show strides} dilations {NaiveArrays.show dilations} low {NaiveArrays.show low} groups {groups} x {NaiveArrays.show x} w {NaiveArrays.show w}"

    let plan (make: int[] -> int[] -> int[] -> int -> int[] -> int[] -> int[] -> ConvolutionPlan) =
        make strides dilations low groups x w y

    let x, w, y = part x dtype, part w dtype, part y dtype

    match random.Next 4 with
    | 0 ->
        let plan = plan (fun s d l g x w y -> ConvolutionPlan.Output(s, d, l, g, x, w, y))
        drawn $"Convolution {name}" [| partly x; partly w; y |] (fun v -> plan.Run(v[0], v[1], v[2]))
    | 1 ->
        let plan = plan (fun s d l g x w y -> ConvolutionPlan.Output(s, d, l, g, x, w, y))

        drawn $"Convolution add {name}" [| partly x; partly w; part [| features |] dtype; y |] (fun v ->
            plan.RunAdd(v[0], v[1], v[2], v[3]))
    | 2 ->
        let plan = plan (fun s d l g x w y -> ConvolutionPlan.Input(s, d, l, g, x, w, y))
        drawn $"Convolution input {name}" [| partly y; partly w; x |] (fun v -> plan.Run(v[0], v[1], v[2]))
    | _ ->
        let plan = plan (fun s d l g x w y -> ConvolutionPlan.Kernel(s, d, l, g, x, w, y))
        drawn $"Convolution kernel {name}" [| partly x; partly y; w |] (fun v -> plan.Run(v[0], v[1], v[2]))

let private pooling (random: Random) =
    let struct (strides, dilations, low, window, image, out) = windows random
    let channels, examples, dtype = max 1 (edge random), random.Next(0, 4), pick random floats
    let around space = Array.concat [ [| examples |]; space; [| channels |] ]
    let x, y = part (around image) dtype, part (around out) dtype
    let plan = PoolingPlan(window, strides, dilations, low, x.Shape, y.Shape)

    let name =
        $"{NaiveArrays.show window} strides {NaiveArrays.show strides} dilations {NaiveArrays.show dilations} low {NaiveArrays.show low} x {NaiveArrays.show x.Shape}"

    match random.Next 3 with
    | 0 -> drawn $"MaxPool {name}" [| partly x; y |] (fun v -> plan.Max(v[0], v[1]))
    | 1 -> drawn $"MaxPool pick {name}" [| partly x; partly x; y |] (fun v -> plan.Pick(v[0], v[1], v[2]))
    | _ -> drawn $"MaxPool place {name}" [| partly y; partly x; x |] (fun v -> plan.Place(v[0], v[1], v[2]))

/// A fused run over an array, a row, a column, a number and the columns of a wider array.
let private fused (random: Random) =
    let rows, columns = max 1 (edge random), max 1 (edge random) * pick random [| 1; 1; 40 |]
    let before, wider, dtype = random.Next 5, random.Next 5, pick random floats
    let width = before + columns + wider

    let places = [|
        FusedPlace(FusedMode.Full, 0, dtype)
        FusedPlace(FusedMode.Row, 1, dtype)
        FusedPlace(FusedMode.Column, 2, dtype)
        FusedPlace(FusedMode.Scalar, 3, dtype)
        FusedPlace(FusedMode.Window, 4, dtype, before, width)
        FusedPlace(FusedMode.Register, 0, dtype)
        FusedPlace(FusedMode.Full, 5, dtype)
    |]

    let binary (op: Binary) a b y = FusedStep(FusedKind.Binary, int op, a, b, -1, y, 0.0)

    let steps = [|
        binary Binary.Mul 0 1 5
        binary Binary.Add 5 2 5
        FusedStep(FusedKind.AddScaled, 0, 5, 3, -1, 5, 0.5)
        FusedStep(FusedKind.Unary, int Unary.Tanh, 5, -1, -1, 5, 0.0)
        binary Binary.Max 5 4 6
    |]

    let run = FusedLoop(rows, columns, 1, places, steps, [||], [||])

    drawn
        $"FusedLoop {rows}×{columns}"
        [|
            part [| rows; columns |] dtype
            part [| columns |] dtype
            part [| rows |] dtype
            part [| 1 |] dtype
            partly (part [| rows; width |] dtype)
            part [| rows; columns |] dtype
        |]
        run.Run

/// The families, by name.
let families: (string * (Random -> Drawn)) list = [
    "elementwise", elementwise
    "layout", layout
    "indexing", indexing
    "sorting", sorting
    "reductions", reductions
    "random numbers", randomNumbers
    "products", products
    "convolutions", convolutions
    "pooling", pooling
    "fused loops", fused
]
