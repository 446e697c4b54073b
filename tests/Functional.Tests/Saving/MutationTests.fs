/// Every reader on files that were changed at random: what comes is what the file says, or an error that the reader's page
/// names. `FUNCTIONAL_DRAWS` says how many times the usual number of files are drawn.
module Functional.Tests.MutationTests

open System
open System.IO
open System.IO.Compression
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection
open Functional.Tests.Toys

/// A file with a few changes: bytes flipped, pieces cut, doubled, moved, numbers made extreme.
let private mutate (random: Random) (bytes: byte[]) : byte[] =
    let mutable current = bytes

    for _ in 0 .. random.Next 3 do
        let length = current.Length
        let place () = random.Next(max 1 length)
        let piece () = 1 + random.Next(max 1 (min 40 length))

        current <-
            match random.Next 8 with
            | _ when length = 0 -> [| byte (random.Next 256) |]
            | 0 -> current[.. place ()]
            | 1 -> Array.append current[.. place ()] current[place () ..]
            | 2 -> current |> Array.updateAt (place ()) (byte (random.Next 256))
            | 3 ->
                let at = place ()
                current |> Array.updateAt at (current[at] ^^^ (1uy <<< random.Next 8))
            | 4 -> Array.insertManyAt (place ()) (Array.init (piece ()) (fun _ -> byte (random.Next 256))) current
            | 5 ->
                let at = place ()
                Array.removeManyAt at (min (piece ()) (length - at)) current
            | 6 ->
                let texts = [
                    "-1"
                    "0"
                    "2147483647"
                    "4294967296"
                    "9223372036854775807"
                    "1e999"
                    "null"
                    "[]"
                    "{}"
                    "\"\""
                    "\\ud800"
                    ","
                ]

                Array.insertManyAt (place ()) (Text.Encoding.UTF8.GetBytes texts[random.Next texts.Length]) current
            | _ ->
                let at = place ()
                let extreme = [| 0uy; 0x7Fuy; 0x80uy; 0xFFuy |][random.Next 4]
                current |> Array.mapi (fun i b -> if i >= at && i < at + 4 then extreme else b)

    current

let private gzip (bytes: byte[]) =
    use memory = new MemoryStream()

    do
        use zip = new GZipStream(memory, CompressionLevel.Fastest)
        zip.Write(ReadOnlySpan bytes)

    memory.ToArray()

let private saved save =
    let path = Path.Combine(Path.GetTempPath(), $"functional-{Guid.NewGuid():N}")

    try
        save path
        File.ReadAllBytes path
    finally
        File.Delete path

let private net = init 1L 2 4 2

let private idx =
    Array.concat [ [| 0uy; 0uy; 8uy; 2uy; 0uy; 0uy; 0uy; 3uy; 0uy; 0uy; 0uy; 4uy |]; Array.init 12 byte ]

let private small =
    lazy
        (saved (fun path ->
            Safetensors.write path (Map [ "a", "b" ]) [
                "w", Tensor.zeros [ 2; 3 ]
                "b", Tensor.create [ 2 ] [| true; false |]
            ]))

let private csv = Text.Encoding.UTF8.GetBytes "name;a;b\nAnn;1;2.5\n\"B;ob\";;3\nÄrna;4e1;NaN\n"

let private readers: (string * Lazy<byte[]> * (string -> unit) * (exn -> bool)) list =
    let data (e: exn) = e :? InvalidDataException
    // an element type of other programs is said to be one
    let tensors (e: exn) = data e || (e :? NotSupportedException)

    [
        "safetensors", small, (fun path -> Safetensors.read path |> ignore), tensors
        "description of safetensors", small, (fun path -> Safetensors.describe path |> ignore), tensors
        "checkpoint",
        lazy (saved (fun path -> Checkpoint.save path net)),
        (fun path -> Checkpoint.load path net |> ignore),
        tensors
        "description of a model",
        lazy (saved (fun path -> ModelFile.save path """{"a":1}""" net)),
        (fun path -> ModelFile.description path |> ignore),
        tensors
        "IDX", lazy idx, (fun path -> Idx.read path |> ignore), data
        "IDX, gzipped", lazy (gzip idx), (fun path -> Idx.read path |> ignore), data
        "IDX inside gzip",
        lazy idx,
        (fun path ->
            File.WriteAllBytes(path, gzip (File.ReadAllBytes path))
            Idx.read path |> ignore),
        data
        "CSV",
        lazy csv,
        (fun path ->
            let table = Csv.read { Csv.defaults with Missing = Csv.Fill 0.0 } path
            Csv.numbers [ table.Columns[0] ] table |> ignore
            Csv.categories table.Columns[0] table |> ignore),
        data
    ]

[<Tests>]
let tests =
    testList "mutated files" [
        for name, bytes, read, isDocumented in readers do
            testCase name
            <| inFolder (fun folder ->
                let path = Path.Combine(folder, "file")
                let random = Random 17

                for i in 1 .. draws 400 do
                    let mutated = mutate random bytes.Value
                    File.WriteAllBytes(path, mutated)
                    let before = GC.GetAllocatedBytesForCurrentThread()

                    try
                        read path
                    with e when isDocumented e ->
                        ()

                    let taken = GC.GetAllocatedBytesForCurrentThread() - before
                    Expect.isLessThan taken (8L <<< 20) $"memory for file {i} of {mutated.Length} bytes")
            |> slow
    ]
