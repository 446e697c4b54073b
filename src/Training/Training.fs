namespace Functional

// Training, measuring and using a network: Keras' fit, evaluate and predict over any parameter tree.

open Functional.Operations

/// Training, measuring and using a network.
[<RequireQualifiedAccess>]
module Training =

    /// Validation data: its batches are taken in order, all of them.
    let private inOrder (options: FitOptions<'P, 'X, 'Y>) = { options.Batching with Shuffle = false; KeepLast = true }

    /// What is trained on and what is validated on. A part held back is not copied.
    let private sources
        (options: FitOptions<'P, 'X, 'Y>)
        (data: Dataset<'X, 'Y>)
        : BatchSource<'X, 'Y> * BatchSource<'X, 'Y> option =
        match options.Validation with
        | NoValidation -> BatchSource.ofDataset options.Batching data, None
        | Examples examples ->
            BatchSource.ofDataset options.Batching data, Some(BatchSource.ofDataset (inOrder options) examples)
        | Fraction fraction ->
            Dataset.requireFinite "fit" data
            let place = Dataset.splitPlace fraction data
            let held = place, data.Count - place
            BatchSource.ofPart (0, place) options.Batching data, Some(BatchSource.ofPart held (inOrder options) data)

    /// Goes on with a training, to the epoch that the options name: exactly as it would have gone on if it had never
    /// stopped. The state's key counts, not that of the options.
    let resume
        (options: FitOptions<'P, 'X, 'Y>)
        (trainer: Trainer<'P, 'X, 'Y>)
        (state: TrainingState<'P>)
        (data: Dataset<'X, 'Y>)
        : Fitted<'P> =
        let training, validation = sources options data
        FitLoop.run options trainer training validation state

    /// Trains parameters on a data set. The parameters given are not changed; those that were learnt, the optimiser's
    /// state and the history are in the result.
    /// Example: `let fitted = Training.fit (FitOptions.create 20) trainer net data`.
    let fit
        (options: FitOptions<'P, 'X, 'Y>)
        (trainer: Trainer<'P, 'X, 'Y>)
        (parameters: 'P)
        (data: Dataset<'X, 'Y>)
        : Fitted<'P> =
        resume options trainer (TrainingState.create trainer options.Key parameters) data

    /// The same from any source of mini-batches, and from any state; `Validation` may be `NoValidation` or `Examples`.
    let fitSource
        (options: FitOptions<'P, 'X, 'Y>)
        (trainer: Trainer<'P, 'X, 'Y>)
        (state: TrainingState<'P>)
        (source: BatchSource<'X, 'Y>)
        : Fitted<'P> =
        let validation =
            match options.Validation with
            | NoValidation -> None
            | Examples examples -> Some(BatchSource.ofDataset (inOrder options) examples)
            | Fraction fraction ->
                invalidArg
                    "Validation"
                    $"fitSource: a fraction of {fraction} of a stream cannot be held back; give the examples"

        FitLoop.run options trainer source validation state

    /// From this many batches on a program is worth its trace.
    let private many = 8

    /// A function of batches, as a program where there are many of them and it can be compiled.
    let private forBatches count batchSize (f: 'A -> 'B) : 'A -> 'B =
        if count / batchSize >= many then Fallback.compiled ignore f else f

    /// The loss and the metrics over a data set, by name, in batches of a size. Many batches run as a compiled program.
    let evaluate
        (batchSize: int)
        (trainer: Trainer<'P, 'X, 'Y>)
        (parameters: 'P)
        (data: Dataset<'X, 'Y>)
        : (string * float) list =
        let batching = { Size = batchSize; Shuffle = false; KeepLast = true }
        let source = BatchSource.ofDataset batching data
        let measure = forBatches data.Count batchSize (Trainer.measure trainer)
        source.Read (Key.create 0L) 0 |> Trainer.evaluate trainer measure parameters

    /// The predictions for inputs, in batches of a size, joined along the first axis. Many batches run as a compiled program.
    let predict (batchSize: int) (trainer: Trainer<'P, 'X, 'Y>) (parameters: 'P) (inputs: 'X) : 'Y =
        if batchSize < 1 then
            invalidArg
                "batchSize"
                $"predict: a batch of {batchSize} examples would be empty; the batch size is at least 1"

        for name, t in Batch.parts "inputs" inputs do
            if t.Rank = 0 || t.Shape[0] = 0 then
                invalidArg "inputs" $"predict: there are no examples in {name} of shape {Shape.show t.Shape}"

        let count = Batch.count inputs
        let answer = forBatches count batchSize (fun (p, x) -> fst (trainer.Apply Inference p x))

        Batch.concat [|
            for start in 0..batchSize .. count - 1 do
                let x = Batch.narrow start (min batchSize (count - start)) inputs
                answer (parameters, x)
        |]
