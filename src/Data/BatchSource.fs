namespace Functional

// Where mini-batches come from, when they are more than a data set in memory: a stream, files, a generator.

/// Mini-batches for epoch after epoch.
type BatchSource<'X, 'Y> = {
    /// Batches in an epoch, where that is known.
    Batches: int option
    /// A key of the epoch's own → the number of the first batch wanted (counted from 0) → inputs and targets.
    Read: Tensor -> int -> ('X * 'Y) seq
}

/// Mini-batches of one tensor of inputs and one of targets.
type BatchSource = BatchSource<Tensor, Tensor>

/// Making sources of mini-batches.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module BatchSource =

    /// The batches of `count` examples from `start` on.
    let internal ofPart (start: int, count: int) (batching: Batching) (data: Dataset<'X, 'Y>) : BatchSource<'X, 'Y> =
        let batches = Batching.count batching count

        if batches = 0 then
            invalidArg
                "data"
                $"batches: {count} examples do not fill a single batch of {batching.Size}; lower the batch size or keep the last, smaller batch"

        {
            Batches = Some batches
            Read = fun key first -> Dataset.batchesOfPart (start, count) first batching key data
        }

    /// The batches of a data set. Its numbers are checked once, here.
    let ofDataset (batching: Batching) (data: Dataset<'X, 'Y>) : BatchSource<'X, 'Y> =
        Dataset.requireFinite "batches" data
        ofPart (0, data.Count) batching data

    let private checkBatch (number: int) (x: 'X, y: 'Y) =
        let data =
            try
                Dataset.create x y
            with :? System.ArgumentException as e ->
                invalidArg "batches" $"batch {number}: {e.Message}"

        Dataset.requireFinite $"batch {number}" data
        x, y

    /// Batches that a function makes for each epoch's key; a resumed epoch reads and drops those already done. Each
    /// batch is checked as it comes: as many targets as inputs, at least one, all numbers finite.
    let ofSeq (batches: int option) (read: Tensor -> ('X * 'Y) seq) : BatchSource<'X, 'Y> = {
        Batches = batches
        Read = fun key first -> read key |> Seq.mapi (fun i batch -> checkBatch (i + 1) batch) |> Seq.skip first
    }
