/// The benchmarks' command line.
module Functional.Bench.Program

open System
open Functional.Bench.Options

let private usage =
    """usage: Functional.Bench BENCHMARK [options]

  steps                  training steps: loss, gradient, update
  start                  process start to the end of the first training step of case b
  passes                 each step with one pass of the compiler more at a time: what each of them buys
  floor                  how near each step comes to its products at the processor's peak and its functions at the
                         kernels' speed, on one thread
  tracing                how long it takes to trace each step and to plan it
  scalars                the gradient of a scalar function of a thousand operations, beside the same by hand
  growth                 cost against batch, width and length, and of a gradient for every example
  linalg                 factorisations, beside MathNet's managed ones
  kernels                matrix products (gemm_...) and vector functions (elem_...)
  memory                 resident and peak MB of an epoch of case b on MNIST, and growth over 10,000 steps
  compare PEER_COMMAND   ours and a peer's program in turns, with ratios

options
  --threads N            threads that work at once (all)
  --seconds S            how long each case is measured (2)
  --cases a,b            only cases whose name begins so, in one process
  --rounds N             how often compare runs both (3)
  --eager                steps operation by operation instead of as a compiled plan
  --data DIR             the folder with MNIST's files (FUNCTIONAL_DATA)

Each prints lines `case median_us`. Without --cases every group runs in a process of its own."""

/// Without --cases, every group in a fresh process; with it, here.
let private inProcesses benchmark groups measure arguments =
    let options = parse defaults arguments

    match options.Cases with
    | Some _ -> measure options
    | None ->
        for group in groups do
            for case, time in Measure.runSelf (benchmark :: arguments @ [ "--cases"; group ]) do
                Measure.print case time

let private groups = [
    for group in Steps.groups do
        group, "steps"
    for group in Kernels.groups do
        group, "kernels"
]

[<EntryPoint>]
let main arguments =
    try
        match List.ofArray arguments with
        | "steps" :: rest -> inProcesses "steps" Steps.groups Steps.measure rest
        | "start" :: rest -> Start.run (parse defaults rest)
        | "start-once" :: rest -> Start.once (parse defaults rest)
        | "passes" :: rest -> Passes.run (parse defaults rest)
        | "floor" :: rest -> Floor.run (parse defaults rest)
        | "tracing" :: rest -> Tracing.run (parse defaults rest)
        | "scalars" :: rest -> Scalars.run (parse defaults rest)
        | "growth" :: rest -> Growth.run (parse defaults rest)
        | "linalg" :: rest -> Factors.run (parse defaults rest)
        | "memory" :: rest -> Footprint.run (parse defaults rest)
        | "kernels" :: rest -> inProcesses "kernels" Kernels.groups Kernels.measure rest
        | "compare" :: command :: rest -> Compare.run groups command (parse defaults rest)
        | _ -> Console.WriteLine usage

        0
    with error ->
        eprintfn "%s" error.Message
        1
