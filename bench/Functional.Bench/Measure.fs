/// How a time is taken, and how a measurement is given a process of its own.
module Functional.Bench.Measure

open System
open System.Collections.Generic
open System.Diagnostics
open System.Globalization

let median (values: seq<float>) =
    let sorted = values |> Seq.sort |> Array.ofSeq
    sorted[sorted.Length / 2]

/// The median time of a step in microseconds. After a warm-up of a third of the time (half a second at least), one
/// sample is as many steps as take a millisecond, and there are as many samples as fit into `seconds`, ten at least.
let microseconds (seconds: float) (step: unit -> unit) =
    let watch = Stopwatch.StartNew()
    let mutable steps = 0

    while watch.Elapsed.TotalSeconds < max 0.5 (seconds / 3.0) || steps < 5 do
        step ()
        steps <- steps + 1

    let estimate = watch.Elapsed.TotalMicroseconds / float steps
    let inner = max 1 (int (1000.0 / estimate))
    let samples = List<float>()
    watch.Restart()

    while watch.Elapsed.TotalSeconds < seconds || samples.Count < 10 do
        let start = Stopwatch.GetTimestamp()

        for _ in 1..inner do
            step ()

        samples.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / float inner)

    median samples

/// Prints `case median_us`, the one line format of every measurement here.
let print (case: string) (time: float) =
    Console.WriteLine(String.Format(CultureInfo.InvariantCulture, "{0} {1:F1}", case, time))

/// Runs a program to its end and gives its lines `case median_us`; other lines, and its errors, are passed on as they are.
let run (program: string) (arguments: seq<string>) =
    let start = ProcessStartInfo(program, arguments, UseShellExecute = false, RedirectStandardOutput = true)
    use child = Process.Start start

    let times = [
        while not child.StandardOutput.EndOfStream do
            let line = child.StandardOutput.ReadLine()

            match line.Split ' ' with
            | [| case; time |] ->
                match Double.TryParse(time, CultureInfo.InvariantCulture) with
                | true, time -> yield case, time
                | _ -> eprintfn "%s" line
            | _ -> eprintfn "%s" line
    ]

    child.WaitForExit()

    if child.ExitCode <> 0 then
        failwith $"""{program} {String.concat " " arguments} ended with exit code {child.ExitCode}"""

    times

/// Runs this program again, in a fresh process: pools, caches and compiled code of one group cannot help or harm another.
let runSelf (arguments: seq<string>) = run Environment.ProcessPath arguments
