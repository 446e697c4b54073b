/// How near a step comes to the floor: the time that its products and convolutions take at the processor's peak, and its
/// transcendental functions at the speed of the vector kernels, as if nothing else cost anything.
module Functional.Bench.Floor

open System
open System.Collections.Generic
open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Operations
open Functional.Bench.Options

/// Chains of multiply-adds that do not wait for each other: enough to hide the latency of each.
[<Literal>]
let private Chains = 12

[<Literal>]
let private Rounds = 20_000

/// Multiply-adds in registers; their sum, so that none is left out.
[<MethodImpl(MethodImplOptions.AggressiveOptimization)>]
let private chains () =
    let x, y = Vector512.Create 0.999f, Vector512.Create 1e-3f
    let mutable a, b, c, d = x, x, x, x
    let mutable e, f, g, h = x, x, x, x
    let mutable i, j, k, l = x, x, x, x

    for _ in 1..Rounds do
        a <- Vector512.FusedMultiplyAdd(a, x, y)
        b <- Vector512.FusedMultiplyAdd(b, x, y)
        c <- Vector512.FusedMultiplyAdd(c, x, y)
        d <- Vector512.FusedMultiplyAdd(d, x, y)
        e <- Vector512.FusedMultiplyAdd(e, x, y)
        f <- Vector512.FusedMultiplyAdd(f, x, y)
        g <- Vector512.FusedMultiplyAdd(g, x, y)
        h <- Vector512.FusedMultiplyAdd(h, x, y)
        i <- Vector512.FusedMultiplyAdd(i, x, y)
        j <- Vector512.FusedMultiplyAdd(j, x, y)
        k <- Vector512.FusedMultiplyAdd(k, x, y)
        l <- Vector512.FusedMultiplyAdd(l, x, y)

    Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l)

/// The fastest that multiply-adds go, in operations a microsecond; a multiply-add is two. The best of many runs, since a
/// shared machine only ever makes it slower.
let private peak32 () =
    let mutable best = 0.0

    for _ in 1..200 do
        let start = Stopwatch.GetTimestamp()
        let sum = chains ()
        let time = Stopwatch.GetElapsedTime(start).TotalMicroseconds

        if Single.IsFinite sum then
            best <- max best (2.0 * float (Rounds * Chains * Vector512<float32>.Count) / time)

    best

/// Work that the floor counts: multiply-adds by element type, and elements through functions.
type private Work() =
    let functions = Dictionary<struct (Unary * DType), float>()
    member val Products32 = 0.0 with get, set
    member val Products64 = 0.0 with get, set
    member _.Functions = functions

    member w.Multiply(dtype: DType, operations: float) =
        if dtype = DType.Float32 then
            w.Products32 <- w.Products32 + operations
        else
            w.Products64 <- w.Products64 + operations

    member _.Apply(f: Unary, dtype: DType, elements: float) =
        let key = struct (f, dtype)
        functions[key] <- elements + (if functions.ContainsKey key then functions[key] else 0.0)

let private isTranscendental (f: Unary) =
    match f with
    | Unary.Exp
    | Unary.Expm1
    | Unary.Log
    | Unary.Log1p
    | Unary.Sin
    | Unary.Cos
    | Unary.Tan
    | Unary.Tanh
    | Unary.Sigmoid
    | Unary.Softplus
    | Unary.Erf -> true
    | _ -> false

/// Adds a graph's work, `times` over: a loop's body once for each step.
let rec private count (work: Work) (times: float) (g: Graph) =
    let size v = float (Shape.size g.Specs[v].Shape)
    let mutable first = g.Inputs

    for instruction in g.Instructions do
        let dtype = g.Specs[first].DType
        let result = size first

        match instruction with
        | Apply(op, a, b, _) ->
            match op with
            | MatMul(transposed, _) ->
                let shape = g.Specs[a].Shape
                let inner = shape[shape.Length - (if transposed then 2 else 1)]
                work.Multiply(dtype, times * 2.0 * result * float inner)
            | Dense ->
                let shape = g.Specs[a].Shape
                work.Multiply(dtype, times * 2.0 * result * float shape[shape.Length - 1])
            // every element of the output meets the window of a channel group
            | Conv _
            | ConvBias _ ->
                let kernel = g.Specs[b].Shape
                work.Multiply(dtype, times * 2.0 * result * size b / float kernel[kernel.Length - 1])
            | ConvInput _
            | ConvKernel _ ->
                let cotangent, kernel =
                    (match op with
                     | ConvInput _ -> a, g.Specs[b].Shape
                     | _ -> b, g.Specs[first].Shape)

                let window = float (Shape.size kernel) / float kernel[kernel.Length - 1]
                work.Multiply(dtype, times * 2.0 * size cotangent * window)
            | Unary f when isTranscendental f -> work.Apply(f, dtype, times * result)
            | Softmax _ -> work.Apply(Unary.Exp, dtype, times * result)
            | _ -> ()
        | ApplyMany(Scan s, _, _) -> count work (times * float s.Length) (Simplify.graph s.Body)
        | Constant _
        | ApplyMany _ -> ()

        first <- first + Graphs.results instruction

/// Microseconds for an element of a function, in arrays that the first-level cache holds.
let private speed (seconds: float) =
    let known = Dictionary<struct (Unary * DType), float>()
    let elements = 4096

    fun (struct (f, dtype) as key) ->
        match known.TryGetValue key with
        | true, time -> time
        | _ ->
            let x = NDArray.Allocate([| elements |], dtype)
            let y = NDArray.Allocate([| elements |], dtype)
            Elementwise.Fill(x, NDArray.OfFloat(0.7, dtype))

            let time =
                Measure.microseconds (min seconds 0.3) (fun () -> Elementwise.Unary(f, x, y)) / float elements

            known[key] <- time
            time

/// Prints, on one thread, for every case: its floor, its time, the floor as a part of the time, and the peak that the
/// floor was computed with, measured before and after.
let run options =
    Workers.Count <- 1
    let speed = speed options.Seconds

    for case in Steps.cases do
        if selects options case.Name then
            let graph, _ = case.Traced()
            let work = Work()
            count work 1.0 (Simplify.graph graph)
            let functions = work.Functions |> Seq.sumBy (fun (KeyValue(key, elements)) -> elements * speed key)
            let before = peak32 ()
            let time = Measure.microseconds options.Seconds (case.Make options.Eager)
            let peak = max before (peak32 ())
            // half as many doubles fit into a register
            let products = work.Products32 / peak + work.Products64 / (peak / 2.0)
            let floor = products + functions

            Console.WriteLine
                $"{case.Name, -16} floor {floor, 9:F1} us (products {products:F1}, functions {functions:F1})   step {time, 9:F1} us   {100.0 * floor / time, 5:F1}%% of the floor's speed   (peak {peak / 1000.0:F1} GFLOP/s)"
