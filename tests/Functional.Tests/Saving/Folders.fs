/// Folders for the files of one test, gone when it ends.
module Functional.Tests.Folders

open System
open System.IO

/// Runs a test with a new, empty folder.
let inFolder (test: string -> unit) () =
    let folder = Path.Combine(Path.GetTempPath(), $"functional-tests-{Guid.NewGuid():N}")
    Directory.CreateDirectory folder |> ignore

    try
        test folder
    finally
        Directory.Delete(folder, true)

/// The message of the exception that a piece of work must throw.
let messageOf<'E when 'E :> exn> (work: unit -> unit) : string =
    try
        work ()
        Expecto.Tests.failtest $"expected a {typeof<'E>.Name}, but nothing was thrown"
    with :? 'E as e ->
        e.Message

/// Fails unless every piece of text is in the message.
let mentions (pieces: string list) (message: string) =
    for piece in pieces do
        Expecto.Expect.stringContains message piece "the message says what happened"
