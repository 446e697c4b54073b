/// How the cost of a compiled step grows: with the batch, with the width, with a sequence's length, and what it costs to
/// have a gradient for every example.
module Functional.Bench.Growth

open System
open System.Diagnostics
open Functional
open Functional.Kernels
open Functional.Bench.Options

let private data (examples: int) inputs outputs =
    Random.uniform DType.Float32 [ examples; inputs ] (Key.create 1L),
    Random.uniform DType.Float32 [ examples; outputs ] (Key.create 2L)

let private timed options batch net loss =
    use stepper = new Stepper<_, _, _>((fun net batch -> Steps.update 0.1 (loss batch) net), net)
    Measure.microseconds options.Seconds (fun () -> stepper.Step batch)

let private batches options =
    for examples in [ 128; 512; 2048; 8192 ] do
        let us = timed options (data examples 784 10) (Steps.net DType.Float32 784 500 10) Steps.talkLoss
        Console.WriteLine $"batch {examples, 5}   {us, 10:F1} us   {us / float examples:F3} us an example"

/// The first layer has no gradient of its input, so a wider network has more arithmetic for each parameter: the rate tells
/// how evenly that is done.
let private widths options =
    for width in [ 500; 1000; 2000; 4000 ] do
        let us = timed options (data 128 784 10) (Steps.net DType.Float32 784 width 10) Steps.talkLoss
        let first, others = 784 * width, width * width + 10 * width
        let parameters = first + others + 2 * width + 10
        let rate = 128.0 * (4.0 * float first + 6.0 * float others) / us / 1000.0

        Console.WriteLine
            $"width {width, 5}   {us, 10:F1} us   {1000.0 * us / float parameters:F3} ns a parameter   {rate:F1} GFLOP/s"

/// Tracing and planning of a recurrent loss: its cost must not grow with the length.
let private lengths () =
    let w = Random.normal DType.Float32 [ 32; 128 ] (Key.create 1L) * 0.1
    let u = Random.normal DType.Float32 [ 128; 128 ] (Key.create 2L) * 0.1

    let loss (w: Tensor, u: Tensor, xs: Tensor) =
        let start = Tensor.full DType.Float32 [ 32; 128 ] 0.0
        let last, () = scan (fun (h: Tensor) (x: Tensor) -> tanh (x *@ w + h *@ u), ()) start xs
        sum (square last)

    for length in [ 50; 50; 500 ] do
        let xs = Random.normal DType.Float32 [ length; 32; 32 ] (Key.create 3L)
        let watch = Stopwatch.StartNew()
        let c = compiled (grad loss)
        c.Prepare(w, u, xs)
        Console.WriteLine $"length {length, 4}  {watch.Elapsed.TotalMilliseconds, 9:F1} ms to trace and plan"

let private perExample options =
    let net = Steps.net DType.Float32 784 500 10
    let x, y = data 128 784 10
    let whole = compile (fun (net, x, y) -> grad (Steps.talkLoss (x, y)) net)
    let one net (x: Tensor, y: Tensor) = grad (Steps.talkLoss (expandDims 0 x, expandDims 0 y)) net
    let each = compile (fun (net, x, y) -> vmap (one net) (x, y))
    let batch = Measure.microseconds options.Seconds (fun () -> Steps.release (whole (net, x, y)))
    let examples = Measure.microseconds options.Seconds (fun () -> Steps.release (each (net, x, y)))
    let numbers = 128 * (784 * 500 + 500 + 500 * 500 + 500 + 500 * 10 + 10)
    let target = NDArray.Allocate([| numbers |], DType.Float32)
    let zero = NDArray.OfFloat(0.0, DType.Float32)
    let write = Measure.microseconds options.Seconds (fun () -> Elementwise.Fill(target, zero))

    Console.WriteLine
        $"per-example gradients of 128: {examples:F0} us; batch gradient {batch:F0} us + writing the result {write:F0} us: {examples / (batch + write):F2} times"

let run options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)
    batches options
    widths options
    lengths ()
    perExample options
