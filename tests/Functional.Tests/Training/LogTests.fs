/// The CSV log: at every moment whole lines of one training, whatever happens to the file and to the disk.
module Functional.Tests.LogTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection
open Functional.Tests.Toys

let private names = [ "loss"; "accuracy" ]

/// Histories of 0, 1, 2 … epochs of one training.
let private histories (seed: int) (epochs: int) =
    let random = Random seed

    List.init epochs (fun _ -> [ for name in names -> name, random.NextDouble() ])
    |> List.scan (fun history numbers -> History.add numbers history) { History.empty with Columns = names }

/// A file that others are writing to: whoever writes has it alone for a moment.
let rec private textOf (path: string) =
    try
        File.ReadAllText path
    with :? IOException ->
        Threading.Thread.Sleep 1
        textOf path

/// What a child process of the tests does: `--log PATH EPOCHS` writes a log of so many epochs, and says what it was warned of.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--log"; path; epochs |] ->
        Some(fun () ->
            let log = CsvLog("CSV log", path)

            for history in histories 1 (int epochs) do
                if history.Epochs = 0 then
                    log.Begin history
                else
                    match log.Add(history.Epochs, history) with
                    | Warn message -> Console.Out.WriteLine message
                    | _ -> ())
    | _ -> None

[<Tests>]
let tests =
    testList "CSV log" [
        testCase "whatever was done to the file in between, it tells the whole history"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "log.csv")

            let harm: (string * (unit -> unit)) list = [
                "nothing", ignore
                "a half line", (fun () -> File.AppendAllText(path, "53,"))
                "cut", (fun () -> File.WriteAllText(path, File.ReadAllText(path)[..20]))
                "deleted", (fun () -> File.Delete path)
                "emptied", (fun () -> File.WriteAllText(path, ""))
                "another log of the same length",
                (fun () -> File.WriteAllText(path, File.ReadAllText(path).Replace("1", "2")))
            ]

            for what, harm in harm do
                let log = CsvLog("CSV log", path)

                for history in histories 3 8 do
                    if history.Epochs = 0 then
                        log.Begin history
                    else
                        if history.Epochs = 5 then
                            harm ()

                        Expect.equal (log.Add(history.Epochs, history)) Continue what

                    Expect.equal
                        (File.ReadAllText path)
                        (History.toCsv history)
                        $"{what}, after {history.Epochs} epochs")

        testCase "several trainings on one file: it is always the history of one of them"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "log.csv")
            let runs = [| for seed in 1..3 -> CsvLog("CSV log", path), List.toArray (histories seed 30) |]
            let all = runs |> Array.collect (snd >> Array.map History.toCsv) |> Set.ofArray

            let write (log: CsvLog, histories: History[]) =
                Threading.Thread(fun () ->
                    for history in histories do
                        if history.Epochs = 0 then
                            log.Begin history
                        else
                            log.Add(history.Epochs, history) |> ignore)

            let threads = runs |> Array.map write
            threads |> Array.iter _.Start()

            while threads |> Array.exists _.IsAlive do
                Expect.isTrue (all.Contains(textOf path)) "the history of one training"

            Expect.isTrue (all.Contains(textOf path)) "and in the end")
        |> slow

        testCase "a log that cannot be written is told once, and whole again when it can be"
        <| inFolder (fun folder ->
            let inner = Path.Combine(folder, "inner")
            Directory.CreateDirectory inner |> ignore
            let path = Path.Combine(inner, "log.csv")
            let log = CsvLog("CSV log", path)

            let signals = [
                for history in histories 4 9 do
                    if history.Epochs = 0 then
                        log.Begin history
                    else
                        if history.Epochs = 3 then
                            Directory.Delete(inner, true)

                        if history.Epochs = 8 then
                            Directory.CreateDirectory inner |> ignore

                        log.Add(history.Epochs, history)
            ]

            Expect.equal (signals |> List.filter ((<>) Continue) |> List.length) 1 "told once"

            match signals[2] with
            | Warn message -> mentions [ "CSV log"; path; "does not exist"; "training goes on" ] message
            | other -> failtest $"said {other}"

            Expect.equal (File.ReadAllText path) (History.toCsv (List.last (histories 4 9))) "whole again")

        testCase "a disk that fills up: no half line, told once"
        <| inFolder (fun folder ->
            if not (OperatingSystem.IsLinux()) then
                skiptest "needs a shell that limits the size of files"

            let path = Path.Combine(folder, "log.csv")

            use child =
                DurabilityTests.start (
                    [ "/bin/sh"; "-c"; "trap '' XFSZ; ulimit -f 4; DOTNET_EnableWriteXorExecute=0 exec \"$@\""; "sh" ]
                    @ DurabilityTests.thisProgram
                    @ [ "--log"; path; "200" ]
                )

            let said = child.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            child.WaitForExit()
            Expect.hasLength said 1 "told once"
            let found = File.ReadAllText path
            Expect.isGreaterThan found.Length 1000 "it grew until then"
            Expect.isTrue (histories 1 200 |> List.exists (fun history -> History.toCsv history = found)) "whole lines")
        |> slow

        testCase "one callback value in two trainings, one after the other"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "log.csv")
            let callback = Callbacks.csvLog path

            for epochs in [ 3; 2 ] do
                let fitted =
                    Training.fit { quiet epochs with Callbacks = [ callback ] } trainer (init 1L 2 4 2) (points 8)

                Expect.equal (File.ReadAllText path) (History.toCsv fitted.History) "its own history")
    ]
