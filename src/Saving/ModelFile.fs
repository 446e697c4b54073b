namespace Functional

// A model in one file: its parameters, and a description in JSON from which the model itself can be made again.

open System
open System.IO
open System.Text.Json

/// Saving a model's description, which is JSON, with its parameters or by itself.
[<RequireQualifiedAccess>]
module ModelFile =

    /// Under which name the description lies beside the tensors.
    [<Literal>]
    let MetadataName = "model"

    let private requireJson (operation: string) (description: string) : string =
        try
            use _ = JsonDocument.Parse description
            description
        with :? JsonException as e ->
            raise (ArgumentException($"{operation}: the model's description is not JSON ({e.Message})", "description"))

    /// The text to save beside the tensors of a checkpoint (`Callbacks.checkpoint`, `TrainingState.saveWith`).
    let metadata (description: string) : Map<string, string> = Map [ MetadataName, requireJson "save" description ]

    /// Writes parameters and description to one file, which appears whole or not at all.
    let save (path: string) (description: string) (tree: 'P) : unit =
        Checkpoint.saveWith (metadata description) path tree

    /// The description in a file of parameters; `Checkpoint.load` reads the parameters themselves.
    let description (path: string) : string =
        match (Checkpoint.metadata path).TryFind MetadataName with
        | Some text -> text
        | None ->
            raise (
                InvalidDataException
                    $"load: {path} holds parameters without a description of their model; make the model and load them with Checkpoint.load"
            )

    /// Writes a description to a file of its own.
    let saveDescription (path: string) (description: string) : unit =
        AtomicFile.writeText "save" path (requireJson "save" description)
