/// Extreme arguments for every operation that takes sizes and for the facade's layers, eager, compiled and differentiated:
/// the right result, or an error that names the operation; never another exception, another's memory, or a crash. The draws are
/// made in a process of their own with little memory, so that a crash is a failed test.
module Functional.Tests.Sizes.ExtremeTests

open System
open System.Diagnostics
open Expecto
open Fixtures
open Functional
open Functional.Tests.DurabilityTests
open Functional.Tests.Selection
open Functional.Tests.Sizes.Extremes

type private Outcome =
    | Result of Tensor
    | Refused of string
    | Broken of string

let private attempt (f: unit -> Tensor) =
    try
        Result(f ())
    with
    | :? ArgumentException as e -> Refused e.Message
    | e -> Broken $"{e.GetType().Name}: {e.Message}"

/// The ways to run a draw.
let private modes (d: Draw) = [
    "eager", (fun () -> d.Run d.Argument)
    "compiled", (fun () -> compile d.Run d.Argument)
    "compiled, of a result", (fun () -> compile (fun x -> d.Run(x + 0.0)) d.Argument)
    if d.Moves && d.Argument.DType.IsFloat() then
        "gradient", (fun () -> grad (d.Run >> sum) d.Argument)
]

/// What is wrong with an operation's outcome, if anything is.
let private faultOf (d: Draw) (mode: string) (outcome: Outcome) =
    let isRight (y: Tensor) =
        match d.Verdict with
        | Impossible -> Some $"gave {Shape.show y.Shape}, where nothing can be"
        | Gives _ when mode = "gradient" ->
            if Shape.same y.Shape d.Argument.Shape then
                None
            else
                Some $"a gradient of shape {Shape.show y.Shape}"
        | Gives(shape, _) ->
            let found = y.Shape |> Array.map bigint |> List.ofArray

            if found <> shape then
                Some $"gave %A{found}, not %A{shape}"
            elif d.Moves then
                let known = Collections.Generic.HashSet(Tensor.toFloats d.Argument)
                known.UnionWith [ 0.0; Double.NegativeInfinity ]

                Tensor.toFloats y
                |> Array.tryFind (known.Contains >> not)
                |> Option.map (fun x -> $"holds {x}, which is in no argument")
            else
                None

    match outcome, d.Verdict with
    | Broken e, _ -> Some e
    | Refused message, Gives(shape, extra) when fits d.Width shape extra -> Some $"refused: {message}"
    | Refused message, _ ->
        if d.Names |> List.exists (fun name -> message.StartsWith(name + ":")) then
            None
        else
            Some $"refused by another name: {message}"
    | Result y, Gives(shape, extra) when not (fits d.Width shape extra) -> Some $"gave {Shape.show y.Shape}, too large"
    | Result y, _ -> isRight y

/// Draws of operations: whether each was run, and what was wrong.
let private operation (seed: int) : string list option =
    let d = draw seed

    match d.Verdict with
    | Gives(shape, extra) when fits d.Width shape extra && not (isSmall d.Width shape extra) -> None
    | _ ->
        Some [
            for mode, run in modes d do
                match faultOf d mode (attempt run) with
                | Some fault -> $"{d.Text}, {mode}: {fault}"
                | None -> ()
        ]

let private layer (seed: int) : string list option =
    let random = Random seed
    let which = random.Next ExtremeLayers.Count
    let a, b = extreme random, extreme random
    let sizes = ExtremeLayers.Sizes(which, a, b)
    let most = bigint (Int32.MaxValue - 64)
    let exists = not (isNull sizes) && sizes |> Array.forall (fun n -> n * 4I <= most)
    let isSmall = exists && sizes |> Array.forall (fun n -> n <= bigint (1 <<< 20))

    if exists && not isSmall then
        None
    else
        let outcome =
            try
                ExtremeLayers.Run(which, a, b) |> ignore
                if exists then None else Some "was made, where nothing can be"
            with
            | :? ArgumentException as e when exists -> Some $"refused: {e.Message}"
            | :? ArgumentException as e ->
                let named =
                    [ ExtremeLayers.Name which + ":"; "layer 0 (" ]
                    |> List.exists (fun name -> e.Message.Contains(name, StringComparison.OrdinalIgnoreCase))

                if named then None else Some $"refused without a name: {e.Message}"
            | e -> Some $"{e.GetType().Name}: {e.Message}"

        Some [
            match outcome with
            | Some fault -> $"{ExtremeLayers.Name which} of {a} and {b}: {fault}"
            | None -> ()
        ]

/// `--extremes FIRST COUNT`: so many draws, each with a line before it; then how many were run.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--extremes"; first; count |] ->
        Some(fun () ->
            let mutable run, faults = 0, 0

            for seed in int first .. int first + int count - 1 do
                Console.Out.WriteLine $"draw {seed}"

                match (if seed % 3 = 0 then layer seed else operation seed) with
                | None -> ()
                | Some found ->
                    run <- run + 1

                    for fault in found do
                        faults <- faults + 1
                        Console.Out.WriteLine $"FAULT {seed}: {fault}"

            Console.Out.WriteLine $"done, {run} run, {faults} faults")
    | _ -> None

/// Draws in a process of their own that may use so much memory; what it said, from its faults on.
let private inChild (first: int) (count: int) =
    let start =
        ProcessStartInfo(
            List.head thisProgram,
            List.tail thisProgram @ [ "--extremes"; string first; string count ],
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    start.Environment["DOTNET_GCHeapHardLimit"] <- "0x30000000"
    start.Environment["FUNCTIONAL_THREADS"] <- "1"
    use child = Process.Start start
    let errors = child.StandardError.ReadToEndAsync()
    let lines = child.StandardOutput.ReadToEnd().Split '\n'
    child.WaitForExit()

    let last =
        lines |> Array.filter (fun line -> line <> "") |> Array.tryLast |> Option.defaultValue "nothing"

    let faults = lines |> Array.filter _.StartsWith("FAULT")
    Expect.isEmpty faults "no draw is wrong"
    Expect.isTrue (last.StartsWith "done" && child.ExitCode = 0) $"it ended at: {last}; {errors.Result}"
    let run = int (last.Split(' ')[1])
    Expect.isGreaterThan run (count / 3) $"enough were run: {last}"

[<Tests>]
let tests =
    slow (
        testList "extreme arguments" [
            testCase "a right result or a clear error, in a process of their own"
            <| fun () -> inChild 1 (draws 400)
        ]
    )
