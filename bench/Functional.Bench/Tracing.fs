/// How long it takes to trace a step and to plan it, which the first step of a program pays.
module Functional.Bench.Tracing

open System
open System.Diagnostics
open Functional.Bench.Options

let private milliseconds (work: unit -> unit) =
    let watch = Stopwatch.StartNew()
    work ()
    watch.Elapsed.TotalMilliseconds

/// Prints each case's time in a warm process (the median of several), and what the first one of all took, the
/// just-in-time compiler included. A loop's time must not grow with its length.
let run options =
    let cases = Steps.cases @ [ Recurrent.lstm 50; Recurrent.lstm 500 ]

    let times = [
        for case in cases do
            if selects options case.Name then
                let first = milliseconds case.Plan
                let warm = Measure.median [ for _ in 1..9 -> milliseconds case.Plan ]
                Console.WriteLine $"{case.Name, -16} {warm, 8:F1} ms to trace and plan   (the first time {first:F1} ms)"
                case.Name, warm
    ]

    match Map.tryFind "lstm_50" (Map.ofList times), Map.tryFind "lstm_500" (Map.ofList times) with
    | Some short, Some long -> Console.WriteLine $"T = 500 takes {long / short:F2} times as long as T = 50"
    | _ -> ()
