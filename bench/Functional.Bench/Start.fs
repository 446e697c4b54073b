/// From the start of a process to the end of its first training step, and the memory of twenty more.
module Functional.Bench.Start

open System
open System.Diagnostics
open System.Runtime
open Functional.Kernels
open Functional.Bench.Options

let private case = "b_mlp_f32"

/// What the fresh process does.
let once options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)
    let step = (Steps.case case).Make options.Eager
    step ()

    let methods, compiling =
        JitInfo.GetCompiledMethodCount(), JitInfo.GetCompilationTime().TotalMilliseconds

    Console.WriteLine case

    for _ in 1..20 do
        step ()

    let memory = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576L

    Console.WriteLine
        $"peak resident memory {memory} MB; {methods} methods compiled in {compiling:F0} ms before the first step's end"

/// Starts processes and prints the median time until each says that its first step is done.
let run options =
    let starts = [
        for _ in 1 .. max 5 options.Rounds do
            let threads =
                options.Threads |> Option.map (fun n -> [ "--threads"; string n ]) |> Option.defaultValue []

            let watch = Stopwatch.StartNew()

            let info =
                ProcessStartInfo(
                    Environment.ProcessPath,
                    "start-once" :: (if options.Eager then [ "--eager" ] else []) @ threads,
                    UseShellExecute = false,
                    RedirectStandardOutput = true
                )

            use child = Process.Start info
            child.StandardOutput.ReadLine() |> ignore
            let time = watch.Elapsed.TotalMicroseconds
            let remark = child.StandardOutput.ReadLine()
            child.WaitForExit()
            time, remark
    ]

    Measure.print $"cold_{case}" (Measure.median (List.map fst starts))
    eprintfn "%s" (snd (List.last starts))
