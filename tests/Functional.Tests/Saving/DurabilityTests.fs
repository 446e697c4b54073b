/// What is saved survives: a process killed while it saves, a disk that fills up, a folder that may not be written to.
module Functional.Tests.DurabilityTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection

/// What a child process of the tests does: `--save-forever PATH` saves 200,000 equal numbers, each time larger by one;
/// `--save-once PATH` saves twenty thousand nines and says how it went.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--save-forever"; path |] ->
        Some(fun () ->
            let mutable number = 0.0

            while true do
                Checkpoint.save path (Tensor.full DType.Float32 [ 200_000 ] number)
                number <- number + 1.0)
    | [| "--save-once"; path |] ->
        Some(fun () ->
            try
                Checkpoint.save path (Tensor.full DType.Float32 [ 20_000 ] 9.0)
                Console.Out.WriteLine "saved"
            with :? IOException as e ->
                Console.Out.WriteLine e.Message)
    | _ -> None

/// This program, as a command and its first arguments.
let thisProgram =
    let assembly = Reflection.Assembly.GetExecutingAssembly().Location

    if Path.GetFileNameWithoutExtension Environment.ProcessPath = "dotnet" then
        [ Environment.ProcessPath; assembly ]
    else
        [ Environment.ProcessPath ]

let start (command: string list) =
    let info = ProcessStartInfo(List.head command, RedirectStandardOutput = true, UseShellExecute = false)
    List.tail command |> List.iter info.ArgumentList.Add
    Process.Start info

[<Tests>]
let tests =
    testList "durability" [
        testCase "a process killed twenty times while saving leaves a whole file every time"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")
            Checkpoint.save path (Tensor.zeros [ 1 ])
            let random = Random 3
            let mutable overwritten = 0

            for _ in 1..20 do
                let before = File.GetLastWriteTimeUtc path
                use child = start (thisProgram @ [ "--save-forever"; path ])

                // from the first save on, at any moment of a later one
                let patience = Stopwatch.StartNew()

                while File.GetLastWriteTimeUtc path = before && patience.Elapsed < TimeSpan.FromSeconds 20.0 do
                    Threading.Thread.Sleep 1

                Threading.Thread.Sleep(random.Next 12)
                child.Kill()
                child.WaitForExit()
                let numbers = Checkpoint.load path (Tensor.full DType.Float32 [ 200_000 ] 0.0) |> Tensor.toFloats
                Expect.isTrue (numbers |> Array.forall ((=) numbers[0])) "all numbers are of one save"
                overwritten <- overwritten + 1

            Expect.equal overwritten 20 "a save was overtaken every time")
        |> slow

        testCase "an abandoned partial file is cleared by a later save, one being written is not"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")
            let old, young = $"{path}.{Guid.NewGuid():N}.partial", $"{path}.{Guid.NewGuid():N}.partial"
            File.WriteAllText(old, "half")
            File.WriteAllText(young, "half")
            File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours -1.0)
            Checkpoint.save path (Tensor.zeros [ 1 ])
            Expect.isFalse (File.Exists old) "the abandoned one"
            Expect.isTrue (File.Exists young) "the other process' one")

        testCase "a disk that fills up is a clear error and leaves the old file"
        <| inFolder (fun folder ->
            if not (OperatingSystem.IsLinux()) then
                skiptest "needs a shell that limits the size of files"

            let path = Path.Combine(folder, "net.safetensors")
            Checkpoint.save path (Tensor.ofSeq [ 1.0; 2.0 ])

            // 16 blocks of 512 or 1024 bytes; without the signal, the write fails as on a full disk
            use child =
                start (
                    [ "/bin/sh"; "-c"; "trap '' XFSZ; ulimit -f 16; DOTNET_EnableWriteXorExecute=0 exec \"$@\""; "sh" ]
                    @ thisProgram
                    @ [ "--save-once"; path ]
                )

            let said = child.StandardOutput.ReadToEnd()
            child.WaitForExit()
            mentions [ "save: cannot write"; path; "the file that was there is unchanged" ] said
            Expect.equal (Tensor.toFloats (Checkpoint.load path (Tensor.zeros [ 2 ]))) [| 1.0; 2.0 |] "the old numbers"
            Expect.equal (Directory.GetFiles folder) [| path |] "no partial file is left")
        |> slow

        testCase "a folder that may not be written to"
        <| fun () ->
            if not (OperatingSystem.IsLinux()) then
                skiptest "needs a folder that nobody may write to"

            messageOf<IOException>(fun () -> Checkpoint.save "/sys/net.safetensors" (Tensor.zeros [ 1 ]))
            |> mentions [ "save: cannot write /sys/net.safetensors"; "nothing was written" ]

        testCase "a folder in place of a file, and no name at all"
        <| inFolder (fun folder ->
            messageOf<IOException>(fun () -> Checkpoint.save folder (Tensor.zeros [ 1 ]))
            |> mentions [ folder; "is a folder" ]

            messageOf<ArgumentException>(fun () -> Checkpoint.save "" (Tensor.zeros [ 1 ]))
            |> mentions [ "empty path" ])

        testCase "a link is followed"
        <| inFolder (fun folder ->
            let path, link = Path.Combine(folder, "net.safetensors"), Path.Combine(folder, "latest.safetensors")
            Checkpoint.save path (Tensor.zeros [ 1 ])
            File.CreateSymbolicLink(link, path) |> ignore
            Checkpoint.save link (Tensor.ofSeq [ 4.0 ])

            Expect.equal
                (Tensor.toFloats (Checkpoint.load path (Tensor.zeros [ 1 ])))
                [| 4.0 |]
                "the file behind the link"

            Expect.isNotNull (File.ResolveLinkTarget(link, false)) "the link is still one")
    ]
