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

    /// Batches that a function makes for each epoch's key; a resumed epoch reads and drops those already done. An epoch has
    /// no more than the number given, where one is, so that the function may go on for ever. Each batch is checked as it comes: as many targets as inputs, at least one, all numbers finite.
    let ofSeq (batches: int option) (read: Tensor -> ('X * 'Y) seq) : BatchSource<'X, 'Y> =
        match batches with
        | Some count when count < 1 ->
            invalidArg "batches" $"batches: an epoch of {count} batches would be empty; there must be at least one"
        | _ -> ()

        let upTo = batches |> Option.fold (fun _ count -> Seq.truncate count) id

        {
            Batches = batches
            Read =
                fun key first ->
                    read key |> upTo |> Seq.mapi (fun i batch -> checkBatch (i + 1) batch) |> Seq.skip first
        }

    /// A sequence with zeros behind it, up to a length along the first axis.
    let private lengthen (length: int) (x: Tensor) =
        pad (List.init x.Rank (fun axis -> if axis = 0 then 0, length - x.Shape[0] else 0, 0)) x

    let private bySequence name (whole: Tensor -> int -> Tensor) (lengths: int list) (batching: Batching) examples =
        Batching.check name batching
        let inputs, targets = Array.ofSeq examples |> Array.unzip
        let lengths = List.sort lengths

        let lengthOf (i: int) (x: Tensor) =
            let own = if x.Rank = 0 then 0 else x.Shape[0]

            match lengths |> List.tryFind (fun length -> own <= length) with
            | Some length when x.Rank > 0 -> length
            | _ ->
                invalidArg
                    "lengths"
                    $"{name}: input {i} is {Shape.show x.Shape}, and none of the lengths {lengths} holds it; add a larger one, or cut the sequence"

        let parts =
            inputs
            |> Array.mapi lengthOf
            |> Array.indexed
            |> Array.groupBy snd
            |> Array.sortBy fst
            |> Array.map (fun (length, own) -> length, Array.map fst own)

        let batches = parts |> Array.sumBy (fun (_, own) -> Batching.count batching own.Length)

        if batches = 0 then
            invalidArg "examples" $"{name}: {inputs.Length} sequences do not fill a single batch of {batching.Size}"

        let shuffled (key: Tensor) (items: 'T[]) =
            if batching.Shuffle then
                Random.permutation items.Length key |> Tensor.toFloats |> Array.map (fun i -> items[int i])
            else
                items

        let read key first =
            parts
            |> Array.mapi (fun i (length, own) ->
                shuffled (Key.fold (int64 i) key) own
                |> Array.chunkBySize batching.Size
                |> Array.truncate (Batching.count batching own.Length)
                |> Array.map (fun places -> length, places))
            |> Array.concat
            |> shuffled (Key.fold (int64 parts.Length) key)
            |> Seq.indexed
            |> Seq.map (fun (number, (length, places)) ->
                let stacked make = places |> Array.map make |> List.ofArray |> stack 0

                checkBatch
                    (number + 1)
                    (stacked (fun i -> lengthen length inputs[i]), stacked (fun i -> whole targets[i] length)))
            |> Seq.skip first

        { Batches = Some batches; Read = read }

    /// Batches of sequences of many lengths, filled up with zeros to a few: a step is compiled for each shape of a batch, and
    /// so only for these. Each input, [length, ...], takes the least of the lengths that holds it, and a batch holds inputs
    /// of one; mask what was filled up (`Masked`, `Recurrent.Mask`, an embedding's padding). Targets are of one shape. The
    /// same key gives the same batches. A sequence longer than all lengths is an error.
    /// Example: `BatchSource.ofSequences [ 16; 64; 256 ] (Batching.ofSize 32) (Seq.zip sentences labels)`.
    let ofSequences (lengths: int list) (batching: Batching) (examples: (Tensor * Tensor) seq) : BatchSource =
        bySequence "BatchSource.ofSequences" (fun target _ -> target) lengths batching examples

    /// The same where targets have a place for each place of their input: they are filled up, too.
    let ofSequencePairs (lengths: int list) (batching: Batching) (examples: (Tensor * Tensor) seq) : BatchSource =
        let examples = Array.ofSeq examples

        examples
        |> Array.iteri (fun i (x, y) ->
            if y.Rank = 0 || (x.Rank > 0 && y.Shape[0] <> x.Shape[0]) then
                invalidArg
                    "examples"
                    $"BatchSource.ofSequencePairs: target {i} is {Shape.show y.Shape}, its input {Shape.show x.Shape}; a target has a place for each of its input's")

        bySequence "BatchSource.ofSequencePairs" (fun target length -> lengthen length target) lengths batching examples
