/// What a path may lead to: regular files only, whatever is asked of it; what was allowed stays allowed; nobody else's
/// files are touched; names of any length work.
module Functional.Tests.PlaceTests

open System
open System.Diagnostics
open System.IO
open System.Threading.Tasks
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection
open Functional.Tests.Toys

let private run (program: string) (arguments: string list) =
    use child = Process.Start(ProcessStartInfo(program, arguments, RedirectStandardError = true))
    child.WaitForExit()
    child.ExitCode = 0

/// What does not end within ten seconds never ends: it waits for somebody to write.
let private soon (work: unit -> 'T) : 'T =
    let task = Task.Run<'T>(work)

    if not (task.Wait(TimeSpan.FromSeconds 10.0)) then
        failtest "it waits"

    task.Result

let private refusal (work: unit -> unit) =
    soon (fun () ->
        try
            work ()
            "nothing was thrown"
        with
        | :? IOException as e -> e.Message
        | :? AggregateException as e when (e.InnerException :? IOException) -> e.InnerException.Message)

let private readers: (string * (string -> unit)) list = [
    "Safetensors.read", (fun path -> Safetensors.read path |> ignore)
    "Safetensors.describe", (fun path -> Safetensors.describe path |> ignore)
    "Checkpoint.load", (fun path -> Checkpoint.load path (scalar 1.0) |> ignore)
    "ModelFile.description", (fun path -> ModelFile.description path |> ignore)
    "TrainingState.load", (fun path -> TrainingState.load path trainer (init 1L 2 4 2) |> ignore)
    "Model.Load", (fun path -> Functional.CSharp.Model.Load path |> ignore)
    "Idx.read", (fun path -> Idx.read path |> ignore)
    "Csv.read", (fun path -> Csv.read Csv.defaults path |> ignore)
]

let private training path (callback: string -> Callback<Net>) =
    Training.fit { quiet 1 with Callbacks = [ callback path ] } trainer (init 1L 2 4 2) (points 8)
    |> ignore

let private writers: (string * (string -> unit)) list = [
    "Checkpoint.save", (fun path -> Checkpoint.save path (scalar 1.0))
    "Safetensors.write", (fun path -> Safetensors.write path Map.empty [ "a", scalar 1.0 ])
    "ModelFile.save", (fun path -> ModelFile.save path "{}" (scalar 1.0))
    "ModelFile.saveDescription", (fun path -> ModelFile.saveDescription path "{}")
    "TrainingState.save",
    (fun path -> TrainingState.save path (TrainingState.create trainer (Key.create 1L) (init 1L 2 4 2)))
    "the CSV log", (fun path -> training path Callbacks.csvLog)
    "checkpoints", (fun path -> training path (fun path -> Callbacks.checkpoint path 1 Map.empty))
]

/// A FIFO, a device and a socket of a folder, as far as this user can make them.
let private strange folder = [
    let at name = Path.Combine(folder, name)

    if run "mkfifo" [ at "fifo" ] then
        at "fifo", "a FIFO"

    // like /dev/zero, which never ends
    if run "mknod" [ at "device"; "c"; "1"; "5" ] then
        at "device", "a device"
]

let private onUnix (test: string -> unit) =
    inFolder (fun folder ->
        if OperatingSystem.IsWindows() then
            skiptest "needs FIFOs, modes and links of Unix"

        test folder)

let private old (path: string) = File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours -1.0)

let private places =
    testList "what is no regular file" [
        for name, read in readers do
            testCase $"{name} refuses FIFOs, devices and folders"
            <| onUnix (fun folder ->
                for path, what in strange folder do
                    refusal (fun () -> read path) |> mentions [ path; what; "not a regular file" ]

                refusal (fun () -> read folder) |> mentions [ folder; "is a folder" ]
                refusal (fun () -> read (Path.Combine(folder, "none"))) |> mentions [ "there is no file" ])

        for name, write in writers do
            testCase $"{name} replaces neither FIFOs nor devices nor folders"
            <| onUnix (fun folder ->
                for path, what in strange folder do
                    refusal (fun () -> write path) |> mentions [ path; what ]
                    Expect.equal (RegularFile.kind path) (RegularFile.Other what) "it is still there"

                refusal (fun () -> write folder) |> mentions [ folder; "is a folder" ]
                let loop = Path.Combine(folder, "loop")
                File.CreateSymbolicLink(loop, loop) |> ignore
                refusal (fun () -> write loop) |> mentions [ loop ])

        testCase "a link to a FIFO is one"
        <| onUnix (fun folder ->
            let link = Path.Combine(folder, "link")

            for path, what in strange folder do
                File.CreateSymbolicLink(link, path) |> ignore
                refusal (fun () -> Checkpoint.save link (scalar 1.0)) |> mentions [ link; what ]
                refusal (fun () -> Safetensors.read link |> ignore) |> mentions [ link; what ]
                File.Delete link)
    ]

let private rights =
    testList "rights" [
        testCase "a file that is overwritten keeps its mode, and is private while it is written"
        <| onUnix (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")

            for mode in [ 0o600; 0o640; 0o444; 0o666; 0o751 ] do
                Checkpoint.save path (scalar 1.0)
                File.SetUnixFileMode(path, enum<UnixFileMode> mode)
                let mutable meanwhile = UnixFileMode.None

                AtomicFile.write "save" path (fun stream ->
                    stream.WriteByte 1uy
                    meanwhile <- File.GetUnixFileMode stream.Name)

                Expect.equal (int meanwhile) 0o600 "while it is written"
                Expect.equal (int (File.GetUnixFileMode path)) mode "afterwards"
                File.Delete path)

        testCase "a new file is as other new files are"
        <| onUnix (fun folder ->
            let path, other = Path.Combine(folder, "net.safetensors"), Path.Combine(folder, "other")
            Checkpoint.save path (scalar 1.0)
            File.WriteAllText(other, "")
            Expect.equal (File.GetUnixFileMode path) (File.GetUnixFileMode other) "mode")

        testCase "owner and group stay"
        <| onUnix (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")
            Checkpoint.save path (scalar 1.0)

            if Environment.UserName = "root" && run "chown" [ "12345:23456"; path ] then
                File.SetUnixFileMode(path, enum<UnixFileMode> 0o660)
                Checkpoint.save path (scalar 2.0)
                let rights = (RegularFile.rights path).Value
                Expect.equal (rights.Owner, rights.Group, int rights.Mode) (12345u, 23456u, 0o660) "as before"
            else
                let before = RegularFile.rights path
                Checkpoint.save path (scalar 2.0)
                Expect.equal (RegularFile.rights path) before "as before")

        testCase "another name of the file keeps what it was"
        <| onUnix (fun folder ->
            let path, name = Path.Combine(folder, "net.safetensors"), Path.Combine(folder, "name")
            Checkpoint.save path (scalar 1.0)

            if run "ln" [ path; name ] then
                Checkpoint.save path (scalar 2.0)
                Expect.equal (Tensor.toFloat (Checkpoint.load name (scalar 0.0))) 1.0 "the other name"
                Expect.equal (Tensor.toFloat (Checkpoint.load path (scalar 0.0))) 2.0 "this one")
    ]

let private names =
    testList "names" [
        testCase "only our own abandoned files are cleared, whatever the file is called"
        <| onUnix (fun folder ->
            let random = Random 5
            let alphabet = "ab*?[].é \\-{}$"

            for _ in 1 .. draws 40 do
                let name = String(Array.init (1 + random.Next 6) (fun _ -> alphabet[random.Next alphabet.Length]))

                if name.Trim('.') <> "" then
                    let at (name: string) = Path.Combine(folder, name)
                    let guid () = $"{Guid.NewGuid():N}"
                    let ours = at $"{name}.{guid ()}.partial"

                    let others = [
                        at $"{name}.notes.partial"
                        at $"{name}x.{guid ()}.partial"
                        at $"x{name}.{guid ()}.partial"
                        at $"{name}.{guid().ToUpperInvariant()}Z.partial"
                        at $"{name}.{guid ()}.partial.txt"
                        at $"{name}.{guid ()}"
                        at "other.st.partial"
                    ]

                    for path in ours :: others do
                        File.WriteAllText(path, "")
                        old path

                    Checkpoint.save (at name) (scalar 1.0)
                    Expect.isFalse (File.Exists ours) $"ours, of \"{name}\""

                    for path in others do
                        Expect.isTrue (File.Exists path) $"{path} is not ours to delete"

                    for path in Directory.GetFiles folder do
                        File.Delete path)

        testCase "names of every length that the file system takes"
        <| onUnix (fun folder ->
            for name in
                [
                    yield! [ 1; 100; 213; 214; 215; 216; 230; 254; 255 ] |> List.map (fun n -> String('n', n))
                    yield! [ 106; 107; 108; 127 ] |> List.map (fun n -> String('é', n))
                    String.replicate 63 "😀"
                ] do
                let path = Path.Combine(folder, name)
                Checkpoint.save path (scalar 3.0)
                Expect.equal (Tensor.toFloat (Checkpoint.load path (scalar 0.0))) 3.0 "it comes back"
                Expect.equal (Directory.GetFiles folder) [| path |] "and is alone"
                File.Delete path

            let path = Path.Combine(folder, String('n', 256))
            refusal (fun () -> Checkpoint.save path (scalar 3.0)) |> mentions [ "nothing was written" ]
            Expect.isEmpty (Directory.GetFiles folder) "nothing is left")
    ]

[<Tests>]
let tests = testList "places of files" [ places; rights; names ]
