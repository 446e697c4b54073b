/// What each pass of the compiler buys: the same traced step, run with one pass more at a time.
module Functional.Bench.Passes

open System
open Microsoft.FSharp.Reflection
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
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

/// The passes one after another, in the order of the record's fields: each with those before it.
let private oneMoreAtATime: (string * Passes) list =
    let fields = FSharpType.GetRecordFields(typeof<Passes>, true)

    [
        for n in 0 .. fields.Length do
            let values = Array.init fields.Length (fun i -> box (i < n))

            let name =
                if n = 0 then
                    "plan: kernels bound to an arena"
                else
                    fields[n - 1].Name.ToLowerInvariant()

            $"+ {name}", FSharpValue.MakeRecord(typeof<Passes>, values, true) :?> Passes
    ]

let private case options name (graph: Graph) (leaves: Tensor[]) =
    let inputs = arrays leaves
    let simplified = Simplify.graph graph
    let time = Measure.microseconds options.Seconds
    let mutable before = nan

    let print pass (us: float) remark =
        let gain = if Double.IsNaN before then "" else $"{before / us, 5:F2}x"
        Console.WriteLine $"{name, -14} {pass, -34} {us, 9:F1} us  {gain, 6}   {remark}"
        before <- us

    let operations (g: Graph) = $"{g.Instructions.Length} operations"

    print
        "as traced, operation by operation"
        (time (fun () -> release (Interpret.graph graph inputs)))
        (operations graph)

    print "+ simplify" (time (fun () -> release (Interpret.graph simplified inputs))) (operations simplified)

    for pass, passes in oneMoreAtATime do
        let runner = Runner(simplified, passes)
        let us = time (fun () -> release (runner.Run inputs))
        print pass us $"{runner.Plan.Steps.Length} kernels, {runner.Plan.Bytes / 1024L} KB"

let run options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)

    for one in Steps.cases do
        if selects options one.Name then
            let graph, leaves = one.Traced()
            case options one.Name graph leaves

    if selects options "adam_250k" then
        let graph, leaves = adam ()
        case options "adam_250k" graph leaves
