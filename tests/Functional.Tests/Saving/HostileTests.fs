/// Saved models that somebody has changed: a model, or an InvalidDataException, with little memory; never a crash. In child
/// processes, so that a crash is a failed test. FUNCTIONAL_DRAWS asks for more mutations.
module Functional.Tests.HostileTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Fixtures
open Functional.Tests.Folders
open Functional.Tests.Selection

/// What a child process of the tests does: `--hostile FOLDER SEED COUNT` loads mutated models, `--claims FOLDER` those that
/// claim to be huge. They say how it went, and end with the number of failures, at most 99.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--hostile"; folder; seed; count |] ->
        Some(fun () -> exit (min 99 (HostileFiles.Fuzz(folder, int seed, int count, Console.Out))))
    | [| "--claims"; folder |] -> Some(fun () -> exit (min 99 (HostileFiles.Directed(folder, Console.Out))))
    | _ -> None

let private runs (arguments: string list) : unit =
    let command = DurabilityTests.thisProgram @ arguments

    let info =
        ProcessStartInfo(List.head command, RedirectStandardOutput = true, RedirectStandardError = true)

    List.tail command |> List.iter info.ArgumentList.Add
    // what a model asks for when it answers may be more than there is; nothing else may
    info.Environment["DOTNET_GCHeapHardLimit"] <- "0x20000000"
    use child = Process.Start info
    let errors = child.StandardError.ReadToEndAsync()
    let said = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    Expect.equal child.ExitCode 0 $"{said}\n{errors.Result}"

[<Tests>]
let tests =
    testList "hostile model files" [
        testCase "what claims to be huge is refused without memory for it"
        <| inFolder (fun folder -> runs [ "--claims"; folder ])

        testCase "mutated models are models or InvalidDataExceptions"
        <| inFolder (fun folder -> runs [ "--hostile"; folder; "11"; string (draws 400) ])
    ]
