/// Ctrl-C and the signals by which a system ends processes, in a real one: the batch at hand is finished, what was learnt is kept, and the program goes on.
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

/// Whether this process was started with a signal switched off, as background processes of a shell are; children
/// inherit that.
let private ignores (number: int) =
    File.ReadLines "/proc/self/status"
    |> Seq.tryFind (fun line -> line.StartsWith "SigIgn:")
    |> Option.exists (fun line -> (Convert.ToUInt64(line[7..].Trim(), 16) >>> (number - 1)) &&& 1UL <> 0UL)

let private send (signal: string) (child: Process) =
    use kill = Process.Start("kill", [ "-" + signal; string child.Id ])
    kill.WaitForExit()

/// A child that trains until it is told to end, once it has begun.
let private training (path: string) (prefix: string list) =
    let child = DurabilityTests.start (prefix @ DurabilityTests.thisProgram @ [ "--train-forever"; path ])
    Expect.equal (child.StandardOutput.ReadLine()) "begun" "it has begun"
    child

/// It ends in good order, and what it has learnt is in its file.
let private endsWell (path: string) (child: Process) =
    let said = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    Expect.equal child.ExitCode 0 "it ended in good order"
    mentions [ "Interrupted after" ] said
    let state = TrainingState.load path trainer (init 1L 2 4 2)
    Expect.isGreaterThan (state.Epoch * 2 + state.Batch) 0 "what was learnt is kept"

[<Tests>]
let tests =
    testList "signals" [
        for signal, number in [ "INT", 2; "TERM", 15; "HUP", 1 ] do
            testCase $"SIG{signal} stops after the current batch and keeps what was learnt"
            <| inFolder (fun folder ->
                if not (OperatingSystem.IsLinux()) || ignores number then
                    skiptest $"needs a Linux process that does not ignore SIG{signal}"

                let path = Path.Combine(folder, "run.safetensors")
                use child = training path []
                send signal child
                endsWell path child)
            |> slow

        testCase "a signal that the process was started to ignore stays ignored"
        <| inFolder (fun folder ->
            if not (OperatingSystem.IsLinux()) || ignores 15 then
                skiptest "needs a Linux process that does not ignore SIGTERM"

            let path = Path.Combine(folder, "run.safetensors")
            // as nohup does
            use child = training path [ "/bin/sh"; "-c"; "trap '' HUP; exec \"$@\""; "sh" ]
            send "HUP" child
            Expect.isFalse (child.WaitForExit 700) "it goes on"
            send "TERM" child
            endsWell path child)
        |> slow
    ]
