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

    /// Under which name an optimiser's description lies beside the tensors.
    [<Literal>]
    let OptimizerName = "optimizer"

    /// Texts with an optimiser's description: its kind and settings, schedule, clipping and weight decay. What it remembers is
    /// in the training's state. Errors: an optimiser or a schedule that is a function of one's own.
    /// Example: `Callbacks.checkpoint "run.safetensors" 1 (ModelFile.withOptimizer trainer.Optimizer Map.empty)`.
    let withOptimizer (optimizer: Optimizer) (metadata: Map<string, string>) : Map<string, string> =
        match Optimizer.describe optimizer with
        | Some description -> metadata |> Map.add OptimizerName (Description.toJson description)
        | None ->
            invalidArg
                "optimizer"
                $"save: the optimiser {optimizer.Name}, or its schedule, is a function of one's own, which a file cannot hold; make it again where the training is loaded"

    /// The optimiser whose description lies in a file, as it was: its steps are the same, bit for bit.
    /// Example: `{ trainer with Optimizer = ModelFile.optimizer "run.safetensors" }`.
    let optimizer (path: string) : Optimizer =
        match (Checkpoint.metadata path).TryFind OptimizerName with
        | Some text ->
            try
                Optimizer.ofDescription (Description.ofJson text)
            with :? ArgumentException as e ->
                raise (InvalidDataException($"load: the optimiser described in {path} cannot be: {e.Message}", e))
        | None ->
            raise (
                InvalidDataException $"load: {path} holds no description of an optimiser; see ModelFile.withOptimizer"
            )

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
