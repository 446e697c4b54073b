namespace Functional

// Examples to learn from, and the ways they are cut up: into batches, into training and validation.

open System
open Functional.Operations

/// The first axis of every tensor of a tree of inputs or targets counts the examples.
[<RequireQualifiedAccess>]
module internal Batch =

    /// How many examples there are.
    let count (batch: 'T) : int =
        match box batch with
        | :? Tensor as t -> t.Shape[0]
        | _ -> (Array.head (Tree.leaves batch)).Shape[0]

    /// Every tensor with what it is called in errors.
    let parts (what: string) (batch: 'T) : (string * Tensor)[] =
        match Tree.leaves batch with
        | [| one |] -> [| what, one |]
        | several -> Array.zip (Tree.paths batch |> Array.map (fun path -> $"{what} {path}")) several

    /// Examples in a row, of every tensor.
    let narrow (start: int) (count: int) (batch: 'T) : 'T = Tree.map (narrow 0 start count) batch

    /// Batches one after another, tensor by tensor.
    let concat (batches: 'T[]) : 'T =
        if batches.Length = 1 then
            batches[0]
        else
            let parts = batches |> Array.map Tree.leaves |> Array.transpose
            Tree.rebuild batches[0] (parts |> Array.map (concat 0))

/// Examples: inputs and their targets, which have the examples along their first axis. A network with several inputs or
/// outputs takes trees of tensors: pairs, records, arrays.
type Dataset<'X, 'Y> = {
    Inputs: 'X
    Targets: 'Y
} with

    /// The number of examples.
    member d.Count = Batch.count d.Inputs

/// Examples of one tensor of inputs and one of targets.
type Dataset = Dataset<Tensor, Tensor>

/// How a data set is cut into mini-batches.
type Batching = {
    /// Examples in a batch.
    Size: int
    /// Whether each pass over the data takes the examples in a new random order.
    Shuffle: bool
    /// Whether the examples left at the end make a last, smaller batch (as in Keras), or are left out.
    KeepLast: bool
}

/// Cutting a data set into mini-batches.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Batching =

    /// Shuffled batches of a size, the last one smaller where it does not divide the data.
    let ofSize (size: int) : Batching = { Size = size; Shuffle = true; KeepLast = true }

    let internal check (operation: string) (batching: Batching) =
        if batching.Size < 1 then
            invalidArg
                "Size"
                $"{operation}: a batch of {batching.Size} examples would be empty; the batch size is at least 1"

    /// How many batches a number of examples makes.
    let count (batching: Batching) (examples: int) : int =
        check "batches" batching

        if batching.KeepLast then
            int ((int64 examples + int64 batching.Size - 1L) / int64 batching.Size)
        else
            examples / batching.Size

/// Making data sets, and cutting them up.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Dataset =

    /// Inputs and targets of equally many examples, at least one: tensors, or trees of them.
    /// Example: `Dataset.create (images, sizes) labels` for a network of two inputs.
    let create (inputs: 'X) (targets: 'Y) : Dataset<'X, 'Y> =
        let inputParts, targetParts = Batch.parts "inputs" inputs, Batch.parts "targets" targets

        if inputParts.Length = 0 || targetParts.Length = 0 then
            invalidArg "inputs" "Dataset.create: inputs and targets must hold a tensor each"

        let show (parts: (string * Tensor)[]) =
            parts |> Array.map (fun (name, t) -> $"{name} {Shape.show t.Shape}") |> String.concat ", "

        let all = Array.append inputParts targetParts

        if all |> Array.exists (fun (_, t) -> t.Rank = 0) then
            invalidArg
                "inputs"
                $"Dataset.create: the first axis counts the examples, and a single number has none ({show all})"

        let _, first = inputParts[0]

        for name, t in all do
            if t.Shape[0] <> first.Shape[0] then
                invalidArg
                    "targets"
                    $"Dataset.create: {first.Shape[0]} inputs ({Shape.show first.Shape}) and {t.Shape[0]} {name} ({Shape.show t.Shape}); every input needs its target"

        if first.Shape[0] = 0 then
            invalidArg
                "inputs"
                $"Dataset.create: there are no examples (inputs {Shape.show first.Shape}); at least one is needed"

        { Inputs = inputs; Targets = targets }

    /// From rows of numbers: one for each example's input, one for each example's target.
    let ofRows (inputs: #('T seq) seq) (targets: #('U seq) seq) : Dataset =
        create (Tensor.ofRows inputs) (Tensor.ofRows targets)

    /// How many examples there are.
    let count (data: Dataset<'X, 'Y>) : int = data.Count

    let private both (f: Tensor -> Tensor) (data: Dataset<'X, 'Y>) : Dataset<'X, 'Y> = {
        Inputs = Tree.map f data.Inputs
        Targets = Tree.map f data.Targets
    }

    /// The examples that an integer tensor names, in its order.
    let pick (places: Tensor) (data: Dataset<'X, 'Y>) : Dataset<'X, 'Y> =
        both (fun t -> Tensor.Bind(Gather 0, t, places)) data

    /// Some examples in a row.
    let narrow (start: int) (count: int) (data: Dataset<'X, 'Y>) : Dataset<'X, 'Y> =
        if start < 0 || count < 1 || start > data.Count - count then
            invalidArg
                "count"
                $"Dataset.narrow: {count} examples from {start} on, of {data.Count}; at least one is needed and all must exist"

        both (narrow 0 start count) data

    /// The same examples in random order.
    let shuffle (key: Tensor) (data: Dataset<'X, 'Y>) : Dataset<'X, 'Y> = pick (Random.permutation data.Count key) data

    /// How many examples come before the last `fraction` of them.
    let internal splitPlace (fraction: float) (data: Dataset<'X, 'Y>) : int =
        if not (fraction > 0.0 && fraction < 1.0) then
            invalidArg "fraction" $"Dataset.split: a fraction lies between 0 and 1; {fraction} was given"

        // Keras: int(n · (1 − fraction)); the small addition keeps 0.9·10 from becoming 8
        let place = int (Math.Floor(float data.Count * (1.0 - fraction) + 1e-9))

        if place < 1 || place >= data.Count then
            invalidArg
                "fraction"
                $"Dataset.split: a fraction of {fraction} of {data.Count} examples leaves one part empty"

        place

    /// The first part for training and the last `fraction` of the examples for validation, as Keras splits: shuffle
    /// first where the order means something. Both parts must hold an example.
    let split (fraction: float) (data: Dataset<'X, 'Y>) : Dataset<'X, 'Y> * Dataset<'X, 'Y> =
        let place = splitPlace fraction data
        narrow 0 place data, narrow place (data.Count - place) data

    /// An error that says where, if an input or a target is NaN or infinite.
    let requireFinite (operation: string) (data: Dataset<'X, 'Y>) : unit =
        for name, t in Batch.parts "inputs" data.Inputs do
            Finite.require operation name t

        for name, t in Batch.parts "targets" data.Targets do
            Finite.require operation name t

    /// The mini-batches of one pass over `count` examples from `start` on, beginning with batch number `first`. Only the
    /// batches are copied, not the part.
    let internal batchesOfPart
        (start: int, count: int)
        (first: int)
        (batching: Batching)
        (key: Tensor)
        (data: Dataset<'X, 'Y>)
        : ('X * 'Y) seq =
        let batches = Batching.count batching count

        let order =
            if batching.Shuffle then
                let permutation = Random.permutation count key
                Some(if start = 0 then permutation else permutation + float start)
            else
                None

        seq {
            for batch in first .. batches - 1 do
                let from = batch * batching.Size
                let size = min batching.Size (count - from)

                let part =
                    match order with
                    | Some order -> pick (Functions.narrow 0 from size order) data
                    | None -> narrow (start + from) size data

                part.Inputs, part.Targets
        }

    /// The mini-batches of one pass over the data, from batch number `first` on; the key decides their order.
    let batchesFrom (first: int) (batching: Batching) (key: Tensor) (data: Dataset<'X, 'Y>) : ('X * 'Y) seq =
        batchesOfPart (0, data.Count) first batching key data

    /// The mini-batches of one pass over the data. The same key gives the same batches, on any number of threads.
    /// Example: `for x, y in Dataset.batches (Batching.ofSize 32) key data do step (x, y)`.
    let batches (batching: Batching) (key: Tensor) (data: Dataset<'X, 'Y>) : ('X * 'Y) seq =
        batchesFrom 0 batching key data
