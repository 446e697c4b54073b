/// Four judges of derivatives, independent of each other, in Float64: the complex step on the naive definitions, the
/// adjoint identity between forward and reverse mode, Richardson-extrapolated differences, and all of them again on
/// the gradient.
module Functional.Tests.Judges.Judges

open System
open Expecto
open Functional
open Functional.Tests.Judges.Samples

// ---- comparing

let private largest (xs: float[]) = xs |> Array.fold (fun m x -> max m (abs x)) 0.0

/// The largest difference, relative to the largest number of either.
let distance (a: float[]) (b: float[]) =
    if a.Length <> b.Length then
        failtest $"{a.Length} numbers against {b.Length}"

    let scale = max 1e-2 (max (largest a) (largest b))
    let difference x y = if x = y || (Double.IsNaN x && Double.IsNaN y) then 0.0 else abs (x - y)

    let worst =
        Array.fold2 (fun m x y -> let d = difference x y in if d > m || Double.IsNaN d then d else m) 0.0 a b

    worst / scale

let agree (tolerance: float) (what: string) (a: float[]) (b: float[]) =
    let d = distance a b

    if not (d <= tolerance) then
        let show (xs: float[]) = xs |> Array.truncate 24 |> Array.map (sprintf "%.15g") |> String.concat " "
        failtest $"{what}: off by {d:G3}, allowed {tolerance:G3}\n  {show a}\n  {show b}"

let sameShapes (what: string) (a: Tensor[]) (b: Tensor[]) =
    Expect.equal
        (a |> Array.map (fun t -> List.ofArray t.Shape))
        (b |> Array.map (fun t -> List.ofArray t.Shape))
        $"{what}: shapes"

let numbers (ts: Tensor[]) = ts |> Array.collect Tensor.toFloats

let agreeTensors tolerance what (a: Tensor[]) (b: Tensor[]) =
    sameShapes what a b
    agree tolerance what (numbers a) (numbers b)

let private dot (a: Tensor[]) (b: Tensor[]) = Array.fold2 (fun s x y -> s + x * y) 0.0 (numbers a) (numbers b)

// ---- random directions, the same for the same sample

/// Numbers in [−1, 1] under the shapes of other tensors.
let like (seed: int) (xs: Tensor[]) : Tensor[] =
    let random = Random seed

    xs
    |> Array.map (fun x ->
        Array.init (Shape.size x.Shape) (fun _ -> 2.0 * random.NextDouble() - 1.0)
        |> Tensor.create x.Shape
        |> cast x.DType)

/// The sample as a function of the inputs that are varied, to its float results.
let restrict (s: Sample) (xs: Tensor[]) : (Tensor[] -> Tensor[]) * Tensor[] =
    let places = [|
        for i in 0 .. xs.Length - 1 do
            if s.Varied[i] then
                i
    |]

    let f (varied: Tensor[]) =
        let inputs = Array.copy xs
        Array.iteri2 (fun _ place v -> inputs[place] <- v) places varied
        s.Run inputs |> Array.filter (fun y -> y.DType.IsFloat())

    f, places |> Array.map (fun i -> xs[i])

// ---- the judges of a function of several tensors

/// Judge 1: value and derivative by the complex step.
let complexStep tolerance (f: Tensor[] -> Tensor[]) (xs: Tensor[]) (vs: Tensor[]) =
    let values, derivatives = ComplexLevel.derivative f xs vs
    let ys, ts = jvp f xs vs

    Expect.equal
        (ys |> Array.map (fun y -> List.ofArray y.Shape))
        (values |> Array.map (fun y -> List.ofArray y.Shape))
        "shapes"

    agree
        tolerance
        "value against its definition"
        (numbers ys)
        (values |> Array.collect (fun y -> y.Data |> Array.map (fun z -> z.Real)))

    agree tolerance "derivative against the complex step" (numbers ts) (Array.concat derivatives)

/// Judge 2: ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩. Both modes also give the value that a plain call gives.
let adjoint tolerance (f: Tensor[] -> Tensor[]) (xs: Tensor[]) (vs: Tensor[]) =
    let ys = f xs
    let forward, ts = jvp f xs vs
    let reverse, pullback = vjp f xs
    // an operation without a linear map of its own is computed by its definition there
    agreeTensors 1e-14 "value under jvp" forward ys
    agreeTensors 1e-14 "value under vjp" reverse ys
    sameShapes "tangents" ts ys
    let ws = like 7 ys
    let cts = pullback ws
    sameShapes "cotangents" cts xs
    let a, b = dot ws ts, dot cts vs

    let scale =
        Array.concat [ [| 1e-2 |]; Array.map2 (fun x y -> abs (x * y)) (numbers cts) (numbers vs) ]
        |> Array.sum

    if not (abs (a - b) <= tolerance * scale) then
        failtest $"adjoint identity: ⟨w, Jv⟩ = {a:R}, ⟨Jᵀw, v⟩ = {b:R}"

/// Judge 3: central differences, extrapolated; and their error must shrink as the step does.
let differences tolerance (f: Tensor[] -> Tensor[]) (xs: Tensor[]) (vs: Tensor[]) =
    let ts = snd (jvp f xs vs) |> numbers
    let moved h = f (Array.map2 (fun (x: Tensor) (v: Tensor) -> x + v * h) xs vs) |> numbers
    let central h = Array.map2 (fun a b -> (a - b) / (2.0 * h)) (moved h) (moved -h)
    let first = 1.0 / 128.0
    let plain = Array.init 4 (fun k -> central (first / float (1 <<< k)))

    // Romberg: every round removes the next even power of the step
    let rec extrapolate (factor: float) (row: float[][]) =
        if row.Length = 1 then
            row[0]
        else
            row
            |> Array.pairwise
            |> Array.map (fun (coarse, fine) -> Array.map2 (fun c f -> f + (f - c) / (factor - 1.0)) coarse fine)
            |> extrapolate (4.0 * factor)

    agree tolerance "derivative against extrapolated differences" ts (extrapolate 4.0 plain)
    let errors = plain |> Array.map (distance ts)

    for coarse, fine in Array.pairwise errors do
        if fine > 0.4 * coarse + 1e-10 then
            failtest $"the error of plain differences does not shrink with the step: %A{errors}"

/// A number made of a function's results, with curvature of its own, so that linear functions have second derivatives.
let curved (f: Tensor[] -> Tensor[]) (xs: Tensor[]) : Tensor =
    let ys = f xs
    let ws = like 13 ys
    Array.fold2 (fun s (y: Tensor) (w: Tensor) -> s + sum (y * w) + sum (y * y) * 0.5) (scalar 0.0) ys ws

/// Judge 4: order 2 in all mixes of modes, against each other, the complex step of the gradient, and its differences.
let secondOrder (sample: Sample) tolerance (f: Tensor[] -> Tensor[]) (xs: Tensor[]) (vs: Tensor[]) =
    let s = curved f
    let along g = Array.fold2 (fun a (x: Tensor) (v: Tensor) -> a + sum (x * v)) (scalar 0.0) g vs
    let forwardOverReverse = hvp s xs vs
    agreeTensors tolerance "reverse over reverse" (grad (fun xs -> along (grad s xs)) xs) forwardOverReverse
    agreeTensors tolerance "reverse over forward" (grad (fun xs -> snd (jvp s xs vs)) xs) forwardOverReverse
    let us = like 17 xs
    let twice = snd (jvp (fun xs -> snd (jvp s xs vs)) xs us) |> Tensor.toFloat

    let scale =
        Array.map2 (fun a b -> abs (a * b)) (numbers us) (numbers forwardOverReverse)
        |> Array.sum
        |> max 1e-2

    if not (abs (twice - dot us forwardOverReverse) <= tolerance * scale) then
        failtest $"forward over forward: {twice:R} against {dot us forwardOverReverse:R}"

    if sample.Complex then
        let _, derivatives = ComplexLevel.derivative (grad s) xs vs

        agree
            tolerance
            "Hessian times v against the complex step of the gradient"
            (numbers forwardOverReverse)
            (Array.concat derivatives)

    if sample.Differences then
        differences 1e-8 (grad s) xs vs

/// A linear function's transpose transposed is the function.
let transposeTwice (s: Sample) (xs: Tensor[]) =
    for i in s.LinearIn do
        let f (t: Tensor) = s.Run(Array.updateAt i t xs)
        let t = (like 19 [| xs[i] |])[0]
        let ys, pullback = vjp f xs[i]
        let _, back = vjp pullback (Array.map Tensor.zerosLike ys)
        agreeTensors 1e-12 $"transposed twice in input {i}" (back t) (f t)
