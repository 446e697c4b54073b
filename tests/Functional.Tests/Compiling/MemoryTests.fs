/// Memory stays flat however many shapes, numbers and models come by, and a new trace costs what the first ones did; what
/// the pool keeps free is given up before anybody is out of memory. Each is a process of its own, which nothing disturbs.
module Functional.Tests.MemoryTests

open System
open System.Diagnostics
open System.Runtime.CompilerServices
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.DurabilityTests

/// Does something so many times, and says how many bytes more are held at the end than halfway, in thousands, of managed
/// memory and of the process; and how many times as long the last tenth took as the one after the first half.
let private growth (times: int) (work: int -> unit) =
    let held () =
        for _ in 1..3 do
            GC.Collect()
            GC.WaitForPendingFinalizers()

        use self = Process.GetCurrentProcess()
        struct (GC.GetTotalMemory true, self.WorkingSet64)

    let run first last =
        let watch = Stopwatch.StartNew()

        for i in first .. last - 1 do
            work i

        watch.Elapsed.TotalSeconds

    run 0 (times / 2) |> ignore
    let struct (managed, resident) = held ()
    let early = run (times / 2) (times * 6 / 10)
    run (times * 6 / 10) (times * 9 / 10) |> ignore
    let late = run (times * 9 / 10) times
    let struct (managedNow, residentNow) = held ()
    Console.Out.WriteLine $"{(managedNow - managed) / 1000L} {(residentNow - resident) / 1000L} {late / early:F2}"

/// An LSTM over sequences of a length.
let private recurrent =
    let p = Lstm.cell.Initialize Cell.defaults (Key.create 1L) 2 4

    fun (batch: int) (length: int) ->
        Recurrent.outputs Lstm.cell Recurrent.defaults p (Tensor.full DType.Float32 [ batch; length; 2 ] 0.5)

/// 300 shapes in turns, more than are kept: each is a new one when it comes again, and they grow no larger.
let private rows i = 1 + i / 20 % 15
let private columns i = 1 + i % 20

let private scans times =
    growth times (fun i ->
        scan (fun (c: Tensor) (x: Tensor) -> c * scalar (float i) + x, ()) (scalar 1.0) (Tensor.zeros [ 10 ])
        |> ignore)

let private shapes times =
    let f = compile (fun (x: Tensor) -> sum (sin x * x))
    growth times (fun i -> f (Tensor.zeros [ rows i; columns i ]) |> ignore)

let private lengths times = growth times (fun i -> recurrent (rows i) (columns i) |> ignore)

let private stepper times =
    use stepper =
        new Stepper<_, _, _>((fun (w: Tensor) (x: Tensor) -> let w = w + mean x in w, sum w), scalar 1.0)

    growth times (fun i -> stepper.Step(Tensor.zeros [ rows i; columns i ]))

let private models times =
    growth times (fun i ->
        let w = Tensor.full DType.Float64 [ 4; 4 ] (float i)

        let step =
            compile (fun (x: Tensor) ->
                snd (
                    scan (fun (h: Tensor) (x: Tensor) -> let h = tanh (h *@ w + x) in h, h) (Tensor.zeros [ 1; 4 ]) x
                ))

        step (Tensor.zeros [ 3; 1; 4 ]) |> ignore)

/// Networks of the facade, of many sizes: built, trained, asked and dropped.
let private networks times =
    growth times (fun i ->
        let x = Tensor.full DType.Float32 [ 4; columns i ] 0.5
        Fixtures.Models.Talk(x, Tensor.full DType.Float32 [ 4; rows i ] 0.5, 2, 1) |> ignore)

/// Arrays that fill the memory there is, and are dropped: by the end of the call nothing holds them.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private fill () =
    let many = Array.init 9 (fun _ -> Tensor.zeros [ 20_000_000 / 8 ])
    GC.KeepAlive many

let private peak () =
    for _ in 1..3 do
        fill ()

    Console.Out.WriteLine(Tensor.toFloat (sum (Tensor.zeros [ 100_000_000 / 8 ])))

let (|Child|_|) (args: string[]) =
    match args with
    | [| "--memory"; what; times |] ->
        let times = int times

        match what with
        | "scans" -> Some(fun () -> scans times)
        | "shapes" -> Some(fun () -> shapes times)
        | "lengths" -> Some(fun () -> lengths times)
        | "stepper" -> Some(fun () -> stepper times)
        | "models" -> Some(fun () -> models times)
        | "networks" -> Some(fun () -> networks times)
        | "peak" -> Some peak
        | _ -> None
    | _ -> None

let private outputOf (settings: (string * string) list) (arguments: string list) =
    let command = thisProgram @ arguments
    let info = ProcessStartInfo(List.head command, RedirectStandardOutput = true, UseShellExecute = false)
    info.RedirectStandardError <- true
    List.tail command |> List.iter info.ArgumentList.Add

    for name, value in settings do
        info.Environment[name] <- value

    use child = Process.Start info
    let errors = child.StandardError.ReadToEndAsync()
    let text = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    Expect.equal child.ExitCode 0 errors.Result
    text.Trim()

let private flat (what: string) (times: int) (thousands: int64) =
    testCase $"{what}: flat over {times}" (fun () ->
        let answer = outputOf [] [ "--memory"; what; string (Selection.draws times) ]
        let parts = answer.Split ' '
        Expect.isLessThan (int64 parts[0]) thousands $"thousand bytes more at the end than halfway ({answer})"
        // the pool and the collector keep some megabytes more or less
        Expect.isLessThan (int64 parts[1]) 60_000L $"thousand bytes more of the process ({answer})"
        // a shared machine: a trace that compares itself with all before it takes many times as long
        Expect.isLessThan (float parts[2]) 4.0 $"times as long ({answer})")
    |> Selection.slow

[<Tests>]
let tests =
    testSequenced
    <| testList "memory" [
        flat "scans" 2000 500L
        flat "shapes" 1500 500L
        flat "lengths" 800 500L
        flat "stepper" 1500 500L
        flat "models" 300 500L
        flat "networks" 60 500L
        test "what lies free is given up before there is no memory" {
            let answer = outputOf [ "DOTNET_GCHeapHardLimit", "0x10000000" ] [ "--memory"; "peak"; "1" ]
            Expect.equal answer "0" "a sum of zeros"
        }
    ]
