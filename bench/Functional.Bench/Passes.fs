/// What each pass of the compiler buys: the same traced step, run with one pass more at a time.
module Functional.Bench.Passes

open System
open Functional
open Functional.Compile
open Functional.Kernels
open Functional.Operations
open Functional.Bench.Options

/// An update with many elementwise operations, as Adam's is: memory-bound, so fusion decides.
let private adam () =
    let size = 500 * 500

    let step (w: Tensor, g: Tensor, m: Tensor, v: Tensor) =
        let m = 0.9 * m + 0.1 * g
        let v = 0.999 * v + 0.001 * square g
        w - 0.001 * (m / 0.1) / (sqrt (v / 0.001) + 1e-7), m, v

    let draw seed = Random.normal DType.Float32 [ size ] (Key.create seed)
    let arguments = draw 1L, draw 2L, draw 3L, square (draw 4L)
    let c = compiled step
    c.Invoke arguments |> ignore
    c.Programs[0].Graph, Tree.leaves arguments

let private arrays (leaves: Tensor[]) = leaves |> Array.map (fun t -> (t :?> Concrete).Value)

let private release (results: NDArray[]) =
    for r in results do
        if not (isNull r.Storage) then
            r.Storage.Release()

let private case options name (graph: Graph) (leaves: Tensor[]) =
    let inputs = arrays leaves
    let simplified = Simplify.graph graph
    let time = Measure.microseconds options.Seconds

    let planned passes =
        let runner = Runner(simplified, passes)
        time (fun () -> release (runner.Run inputs)), runner.Plan

    let print pass (us: float) remark = Console.WriteLine $"{name, -14} {pass, -34} {us, 9:F1} us   {remark}"

    let operations (g: Graph) = $"{g.Instructions.Length} operations"
    let plain = time (fun () -> release (Evaluate.graph graph inputs))
    print "as traced, operation by operation" plain (operations graph)
    let us = time (fun () -> release (Evaluate.graph simplified inputs))
    print "+ simplify" us (operations simplified)
    let us, plan = planned { Fuse.allPasses with Fuse = false; Share = false }
    print "+ plan: kernels bound to an arena" us $"{plan.Steps.Length} kernels, {plan.Bytes / 1024} KB"
    let us, plan = planned { Fuse.allPasses with Share = false }
    print "+ fuse" us $"{plan.Steps.Length} kernels, {plan.Bytes / 1024} KB"
    let us, plan = planned Fuse.allPasses
    print "+ share memory" us $"{plan.Steps.Length} kernels, {plan.Bytes / 1024} KB"

let run options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)

    for name in [ "a_tiny_f32"; "b_mlp_f32" ] do
        if selects options name then
            let stepper = Steps.traced name
            case options name (fst stepper) (snd stepper)

    if selects options "adam_250k" then
        let graph, leaves = adam ()
        case options "adam_250k" graph leaves
