/// Ctrl-C in a real process: the batch at hand is finished, what was learnt is kept, and the program goes on.
module Functional.Tests.InterruptTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection
open Functional.Tests.Toys

/// What a child process of the tests does: `--train-forever PATH` trains, says when it has begun, and saves what it has
/// learnt when it is interrupted.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--train-forever"; path |] ->
        Some(fun () ->
            let said =
                Callback.onBatchEnd (fun epoch batch _ ->
                    if epoch = 1 && batch = 1 then
                        Console.Out.WriteLine "begun")

            let options = { FitOptions.create Int32.MaxValue with Display = Silent; Callbacks = [ said ] }

            let fitted = Training.fit options trainer (init 1L 2 4 2) (points 64)
            TrainingState.save path fitted.State
            Console.Out.WriteLine $"{fitted.Ending} after {fitted.State.Epoch} epochs")
    | _ -> None

/// Whether this process was started with interrupts switched off, as background processes of a shell are; children
/// inherit that.
let private ignoresInterrupts () =
    File.ReadLines "/proc/self/status"
    |> Seq.tryFind (fun line -> line.StartsWith "SigIgn:")
    |> Option.exists (fun line -> Convert.ToUInt64(line[7..].Trim(), 16) &&& 2UL <> 0UL)

[<Tests>]
let tests =
    testCase "Ctrl-C stops after the current batch and keeps what was learnt"
    <| inFolder (fun folder ->
        if not (OperatingSystem.IsLinux()) || ignoresInterrupts () then
            skiptest "needs a Linux process that does not ignore interrupts"

        let path = Path.Combine(folder, "run.safetensors")
        use child = DurabilityTests.start (DurabilityTests.thisProgram @ [ "--train-forever"; path ])
        Expect.equal (child.StandardOutput.ReadLine()) "begun" "it has begun"
        use kill = Process.Start("kill", [ "-INT"; string child.Id ])
        kill.WaitForExit()
        let said = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        Expect.equal child.ExitCode 0 "it ended in good order"
        mentions [ "Interrupted after" ] said
        let state = TrainingState.load path trainer (init 1L 2 4 2)
        Expect.isGreaterThan (state.Epoch * 2 + state.Batch) 0 "what was learnt is kept")
    |> slow
