/// Files that live as long as one test, and the messages of the errors a test expects.
module Functional.Tests.Data.Files

open System
open System.IO
open System.IO.Compression
open Expecto

/// Runs a test in a folder of its own.
let inFolder (test: string -> unit) () =
    let folder = Directory.CreateTempSubdirectory "functional-"

    try
        test folder.FullName
    finally
        folder.Delete true

let write folder name (bytes: byte[]) =
    let path = Path.Combine(folder, name)
    File.WriteAllBytes(path, bytes)
    path

let gzip (bytes: byte[]) =
    use memory = new MemoryStream()

    do
        use zip = new GZipStream(memory, CompressionLevel.Fastest)
        zip.Write(ReadOnlySpan bytes)

    memory.ToArray()

/// An IDX file of unsigned bytes.
let idx (shape: int list) (elements: byte[]) =
    let size n = [| byte (n >>> 24); byte (n >>> 16); byte (n >>> 8); byte n |]
    Array.concat [ [| 0uy; 0uy; 8uy; byte shape.Length |]; Array.collect size (Array.ofList shape); elements ]

/// The message of the error an action ends in; it must contain all the parts.
let failsWith<'E when 'E :> exn> (parts: string list) (action: unit -> unit) =
    let message =
        try
            action ()
            failtest "no error was raised"
        with :? 'E as error ->
            error.Message

    for part in parts do
        Expect.stringContains message part "the error says what is wrong"
