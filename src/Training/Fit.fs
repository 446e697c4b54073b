namespace Functional

// The training loop. Everything it does is state to state; outside it only the display, files and Ctrl-C are touched.

open System
open System.Threading

/// The examples that training is measured on after each epoch.
type Validation<'X, 'Y> =
    | NoValidation
    /// The last part of the training data, which is not trained on.
    | Fraction of float
    | Examples of Dataset<'X, 'Y>

/// Validation where there is one input and one output.
type Validation = Validation<Tensor, Tensor>

/// How to train; `FitOptions.create epochs` has Keras' defaults.
type FitOptions<'P, 'X, 'Y> = {
    /// The number of the last epoch.
    Epochs: int
    Batching: Batching
    Validation: Validation<'X, 'Y>
    /// The order of the examples and all noise come from it: the same key gives the same bits.
    Key: Tensor
    Callbacks: Callback<'P> list
    Display: Display
    /// Whether the training step runs as a compiled program; one that cannot be compiled runs as it is, with a warning.
    Compile: bool
    /// Stops after the current batch and keeps what was learnt.
    Cancellation: CancellationToken
    /// Whether Ctrl-C does the same, and SIGTERM and SIGHUP, by which a system asks a process to end.
    StopOnCtrlC: bool
}

/// How to train where there is one input and one output.
type FitOptions<'P> = FitOptions<'P, Tensor, Tensor>

/// What training gives.
type Fitted<'P> = {
    /// Where it ended; `Training.resume` goes on from here.
    State: TrainingState<'P>
    Ending: Ending
    /// What went wrong without stopping the training.
    Warnings: string list
} with

    member f.Parameters = f.State.Parameters
    member f.History = f.State.History

/// Training failed after something had been learnt: the state before the failure is in it.
type TrainingException(message: string, state: obj, inner: exn) =
    inherit Exception(message, inner)

    /// What was learnt until then, a `TrainingState<'P>`.
    member _.State = state

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module FitOptions =

    /// Keras' defaults: batches of 32 in random order, no validation, the display on, Ctrl-C stops and keeps.
    let create (epochs: int) : FitOptions<'P, 'X, 'Y> = {
        Epochs = epochs
        Batching = Batching.ofSize 32
        Validation = NoValidation
        Key = Key.create 0L
        Callbacks = []
        Display = Auto
        Compile = true
        Cancellation = CancellationToken.None
        StopOnCtrlC = true
    }

/// The loop itself.
module internal FitLoop =

    let private isSame (a: 'T) (b: 'T) = obj.ReferenceEquals(box a, box b)

    /// A training under way: the steps and the state around them, what callbacks wished for, and what went wrong.
    type private Run<'P, 'X, 'Y>
        (
            trainer: Trainer<'P, 'X, 'Y>,
            options: FitOptions<'P, 'X, 'Y>,
            callbacks: Callback<'P>[],
            start: TrainingState<'P>
        ) as run =
        inherit Live<'P>()
        let warnings = ResizeArray<string>()
        let readsBefore = callbacks |> Array.exists _.ReadsBefore

        let engine =
            new Engine<'P, 'X, 'Y>(
                trainer,
                options.Compile,
                readsBefore,
                start.OfSteps,
                fun e -> run.Refuse "the training step" e
            )

        // what the steps do not change; `whole` is the state as it is now, once it was asked for
        let mutable hasRefused = false
        let mutable frame, frameBefore = start, start
        let mutable whole = ValueSome start
        let mutable batch = start.Batch

        let heed signal =
            match signal with
            | Continue -> ()
            | Warn message -> run.Warn message
            | Stop reason ->
                if run.Reason.IsNone then
                    run.Reason <- Some reason

        /// Goes on with the state that a callback gave back.
        let goOnWith (state: TrainingState<'P>) =
            let stays =
                match whole with
                | ValueSome whole ->
                    isSame state.Parameters whole.Parameters
                    && isSame state.Optimizer whole.Optimizer
                    && isSame state.Sums whole.Sums
                    && state.Batch = batch
                | ValueNone -> false

            if not stays then
                engine.Restore state.OfSteps
                batch <- state.Batch

            frame <- state
            whole <- ValueSome state

        member val Reason: string option = None with get, set
        /// Whether anything has been learnt that an error could lose.
        member val HasLearnt = false with get, set
        member _.Warnings = List.ofSeq warnings
        member _.Epoch = frame.Epoch
        member _.Batch = batch
        member _.Key = frame.Key

        member _.Warn(message: string) =
            warnings.Add message
            Console.Error.WriteLine $"warning: {message}"

        /// Tells why something is not compiled; once, since what keeps the step from it keeps validation from it, too.
        member run.Refuse (what: string) (e: exn) =
            if not hasRefused then
                hasRefused <- true
                run.Warn $"fit: {what} is not compiled: {e.Message}"

        override _.State =
            match whole with
            | ValueSome state -> state
            | ValueNone ->
                let state = frame.After(engine.State, batch)
                whole <- ValueSome state
                state

        override _.Before =
            if not readsBefore then
                invalidOp
                    "the report of a batch: the state before it is kept only for a callback that says it reads it; set ReadsBefore = true"

            frameBefore.After(engine.Previous, batch - 1)

        override _.SoFar = Trainer.results trainer engine.Sums

        /// One batch: the step, its numbers, and the callbacks.
        member run.Step(noise: Tensor, x: 'X, y: 'Y) =
            let loss = engine.Step(noise, x, y)
            run.HasLearnt <- true
            run.Version <- run.Version + 1L
            batch <- batch + 1
            whole <- ValueNone
            frameBefore <- frame

            if callbacks.Length > 0 then
                let report = BatchReport<'P>(run, frame.Epoch + 1, batch, Batch.count x, loss)

                for callback in callbacks do
                    let struct (state, signal) = callback.BatchEnd report

                    match state with
                    | Some state -> goOnWith state
                    | None -> ()

                    heed signal

        /// The end of an epoch: its numbers, those of the validation data, and the callbacks.
        member run.EndEpoch(validate: 'P -> (string * float) list) =
            let numbers = Trainer.results trainer engine.Sums @ validate run.State.Parameters
            let state = run.State
            run.Version <- run.Version + 1L
            engine.BeginEpoch()
            batch <- 0

            frame <- {
                state with
                    Epoch = state.Epoch + 1
                    Batch = 0
                    Sums = Trainer.noSums trainer
                    History = History.add numbers state.History
            }

            whole <- ValueSome frame
            let report: EpochReport = { Epoch = frame.Epoch; Numbers = numbers }

            for callback in callbacks do
                let state, signal = callback.EpochEnd report run.State
                goOnWith state
                heed signal

        interface IDisposable with
            member _.Dispose() = (engine :> IDisposable).Dispose()

    /// Adds to an error of the first batch which parameters have the shapes that it speaks of.
    let private explain (parameters: 'P) (e: exn) : exn =
        let spoken = Errors.shapes e

        let named =
            Array.zip (Tree.paths parameters) (Tree.leaves parameters)
            |> Array.filter (fun (path, leaf) ->
                path <> "" && leaf.Rank > 1 && spoken |> Array.exists (Shape.same leaf.Shape))
            |> Array.map (fun (path, leaf) -> $"{path} is {Shape.show leaf.Shape}")

        if named.Length = 0 then
            e
        else
            let paths = String.Join(", ", named)
            ArgumentException($"{e.Message}; among the parameters {paths}", e)

    let private epochs
        (options: FitOptions<'P, 'X, 'Y>)
        trainer
        (run: Run<'P, 'X, 'Y>)
        (source: BatchSource<'X, 'Y>)
        validation
        (interrupt: Interrupt)
        =
        let measure =
            if options.Compile then
                Fallback.compiled (run.Refuse "validation") (Trainer.measure trainer)
            else
                Trainer.measure trainer

        let validate parameters =
            match validation with
            | Some(source: BatchSource<'X, 'Y>) ->
                source.Read run.Key 0
                |> Trainer.evaluate trainer measure parameters
                |> List.map (fun (name, value) -> "val_" + name, value)
            | None -> []

        let goesOn () = run.Reason.IsNone && not interrupt.Requested
        let mutable ranShort = false

        let tellWhereShort () =
            match source.Batches with
            | Some expected when run.Batch < expected && not ranShort ->
                ranShort <- true

                run.Warn
                    $"fit: the data of epoch {run.Epoch + 1} ended after {run.Batch} of {expected} batches; epochs end where their data does"
            | _ -> ()

        while goesOn () && run.Epoch < options.Epochs do
            let keys = run.Key |> Key.fold (int64 run.Epoch) |> Key.split 2
            use batches = (source.Read keys[0] run.Batch).GetEnumerator()
            let mutable more = batches.MoveNext()
            let mutable ended = not more

            while more do
                let x, y = batches.Current
                run.Step(keys[1], x, y)

                if not (goesOn ()) then
                    // stopped by the last batch, the epoch is a whole one all the same
                    more <- false
                    ended <- run.Reason.IsNone && source.Batches = Some run.Batch
                else
                    more <- batches.MoveNext()
                    ended <- not more

            if ended then
                if run.Batch = 0 then
                    invalidArg "data" $"fit: epoch {run.Epoch + 1} has no batches; there must be at least one"

                tellWhereShort ()
                run.EndEpoch validate

    /// Trains from a state on.
    let run
        (options: FitOptions<'P, 'X, 'Y>)
        (trainer: Trainer<'P, 'X, 'Y>)
        (source: BatchSource<'X, 'Y>)
        (validation: BatchSource<'X, 'Y> option)
        (state: TrainingState<'P>)
        : Fitted<'P> =
        if options.Epochs < 0 then
            invalidArg "Epochs" $"fit: {options.Epochs} epochs; there must be 0 or more"

        match source.Batches with
        | Some batches when state.Batch > batches ->
            invalidArg
                "state"
                $"fit: the state has done {state.Batch} batches of an epoch, which has {batches} here; go on with the data and the batch size that it was trained with"
        | _ -> ()

        let names = Trainer.names trainer
        let better = Trainer.directions trainer

        let plan = {
            Epochs = options.Epochs
            Batches = source.Batches
            Names = names @ (if validation.IsSome then names |> List.map ((+) "val_") else [])
            Better = Map.ofList (better @ (better |> List.map (fun (name, better) -> "val_" + name, better)))
            Compiled = options.Compile
        }

        match names |> List.countBy id |> List.tryFind (fun (_, count) -> count > 1) with
        | Some(name, _) -> invalidArg "Metrics" $"fit: two metrics are called \"{name}\"; their names must differ"
        | None -> ()

        let last, first =
            (Option.toList (Display.callback options.Display)) @ options.Callbacks
            |> List.map (Callback.forPlan plan)
            |> List.partition _.AfterOthers

        let callbacks = Array.ofList (first @ last)
        let started = callbacks |> Array.fold (fun state callback -> callback.FitStart plan state) state
        use run = new Run<'P, 'X, 'Y>(trainer, options, callbacks, started)
        use interrupt = new Interrupt(options.StopOnCtrlC, options.Cancellation)

        try
            epochs options trainer run source validation interrupt
        with
        // nothing is lost yet: the error as it is
        | e when not run.HasLearnt ->
            match explain started.Parameters e with
            | better when obj.ReferenceEquals(better, e) -> reraise ()
            | better -> raise better
        | e ->
            raise (
                TrainingException(
                    $"fit: epoch {run.Epoch + 1}, after {run.Batch} of its batches: {e.Message} (what was learnt until then is in this exception's State)",
                    run.State,
                    e
                )
            )

        let ending =
            match run.Reason with
            | Some reason -> Stopped reason
            | None when run.Epoch >= options.Epochs -> Completed
            | None -> Interrupted

        {
            State = callbacks |> Array.fold (fun state callback -> callback.FitEnd ending state) run.State
            Ending = ending
            Warnings = run.Warnings
        }
