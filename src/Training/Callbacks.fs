namespace Functional

// The callbacks that everybody needs, with Keras' meanings.

open System
open System.IO

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module EarlyStoppingSettings =

    /// When to stop early.
    type EarlyStopping = {
        Monitor: Monitor
        /// Epochs without improvement that are waited for.
        Patience: int
        /// Whether the parameters of the best epoch are given back instead of the last ones.
        RestoreBest: bool
    }

/// When to lower the learning rate.
type ReduceRate = {
    Monitor: Monitor
    /// What the rate is multiplied by.
    Factor: float
    /// Epochs without improvement that are waited for.
    Patience: int
    /// Epochs after a reduction in which nothing is counted.
    Cooldown: int
    /// The factor on the rate never falls below this.
    MinScale: float
}

/// Ready-made callbacks.
[<RequireQualifiedAccess>]
module Callbacks =

    let private number (value: float) = Tensor.scalar value

    /// A callback's numbers, or what they are at first.
    let private recall (name: string) (first: float[]) (state: TrainingState<'P>) : float[] =
        match state.Memory.TryFind name with
        | Some memory when memory.Length = first.Length && memory |> Array.forall (fun t -> t.Size = 1) ->
            memory |> Array.map Tensor.toFloat
        | Some memory ->
            raise (
                InvalidDataException
                    $"{name}: the state remembers {memory.Length} tensors of it, where {first.Length} numbers are expected; it is damaged, or another callback's"
            )
        | None -> first

    let private remember (name: string) (values: float[]) (state: TrainingState<'P>) : TrainingState<'P> = {
        state with
            Memory = state.Memory |> Map.add name (Array.map number values)
    }

    /// `earlyStopping` that looks away during the first epochs, and that waits on where a number improves but is not yet better
    /// than a baseline: Keras' start_from_epoch and baseline.
    let earlyStoppingFrom (firstEpochs: int) (baseline: float option) (options: EarlyStopping) : Callback<'P> =
        let name = "early stopping"
        let bestName = "early stopping, best parameters"

        if options.Patience < 0 then
            invalidArg "Patience" $"{name}: a patience of {options.Patience} epochs; it is 0 or more"

        if firstEpochs < 0 then
            invalidArg "firstEpochs" $"{name}: the first {firstEpochs} epochs; it is 0 or more"

        let epochEnd monitor (report: EpochReport) state =
            let value = Monitor.value monitor report
            let memory = state |> recall name [| Monitor.worst monitor; 0.0; 0.0 |]
            let best, bestEpoch, waited = memory[0], memory[1], memory[2]

            let isBest = Monitor.improves monitor best value
            let reaches = baseline |> Option.forall (fun baseline -> Monitor.improves monitor baseline value)

            if report.Epoch <= firstEpochs then
                state, Continue
            // the first epoch is the best so far, whatever its number is
            elif bestEpoch = 0.0 || isBest then
                let waited = if reaches then 0.0 else waited + 1.0
                let state = state |> remember name [| value; float report.Epoch; waited |]

                if options.RestoreBest then
                    {
                        state with
                            Memory = state.Memory |> Map.add bestName (Tree.leaves state.Parameters)
                    },
                    Continue
                else
                    state, Continue
            else
                let state = state |> remember name [| best; bestEpoch; waited + 1.0 |]

                if waited + 1.0 >= float options.Patience then
                    let kept = if options.RestoreBest then ", whose parameters are kept" else ""

                    state,
                    Stop
                        $"{monitor.Number} has not improved for {int waited + 1} epochs; the best was {best:G6} in epoch {int bestEpoch}{kept}"
                else
                    state, Continue

        let fitEnd ending (state: TrainingState<'P>) =
            match ending, state.Memory.TryFind bestName with
            | Interrupted, _
            | _, None -> state
            | (Completed | Stopped _), Some best ->
                let now = Tree.leaves state.Parameters

                let fits =
                    best.Length = now.Length
                    && Array.forall2
                        (fun (a: Tensor) (b: Tensor) -> Shape.same a.Shape b.Shape && a.DType = b.DType)
                        best
                        now

                if not fits then
                    raise (
                        InvalidDataException
                            $"{name}: the best parameters that the state remembers are of another network"
                    )

                { state with Parameters = Tree.rebuild state.Parameters best }

        Callback.ofPlan name (fun plan -> {
            Callback.create name with
                EpochEnd = epochEnd (Monitor.watch name plan options.Monitor)
                FitEnd = fitEnd
        })

    /// Stops when a number has not improved for `Patience` epochs, and gives back the parameters of the best epoch
    /// (also when all epochs were done; after Ctrl-C the latest ones stay, so that training can go on from them).
    let earlyStopping (options: EarlyStopping) : Callback<'P> = earlyStoppingFrom 0 None options

    /// The learning rate of each epoch by a function of the epoch's number, from 0 as Keras counts them, and the rate so far. The
    /// optimiser's own rate has to be a number above 0, which is given, too.
    /// Example: `Callbacks.rateOfEpoch 0.1 (fun epoch rate -> if epoch < 10 then rate else rate * 0.9)`.
    /// Errors: a rate that is none, from the function or given.
    let rateOfEpoch (own: float) (schedule: int -> float -> float) : Callback<'P> =
        let name = "rate of the epoch"
        Settings.positive name "rate" own

        let set epoch (state: TrainingState<'P>) =
            let rate = schedule epoch (own * Tensor.toFloat state.Optimizer.RateScale)
            Settings.notNegative $"{name} {epoch}" "rate" rate

            {
                state with
                    Optimizer = { state.Optimizer with RateScale = number (rate / own) }
            }

        Callback.ofPlan name (fun plan -> {
            Callback.create name with
                FitStart =
                    fun _ state ->
                        if state.Batch = 0 && state.Epoch < plan.Epochs then
                            set state.Epoch state
                        else
                            state
                EpochEnd =
                    fun report state ->
                        (if report.Epoch < plan.Epochs then set report.Epoch state else state), Continue
        })

    /// Lowers the optimiser's learning rate when a number has not improved for `Patience` epochs.
    let reduceRateOnPlateau (options: ReduceRate) : Callback<'P> =
        let name = "reduce rate on plateau"

        if not (options.Factor > 0.0 && options.Factor < 1.0) then
            invalidArg "Factor" $"{name}: the factor lies between 0 and 1; {options.Factor} was given"

        let epochEnd monitor (report: EpochReport) (state: TrainingState<'P>) =
            let value = Monitor.value monitor report
            let memory = state |> recall name [| Monitor.worst monitor; 0.0; 0.0 |]
            let best, waited, cooling = memory[0], memory[1], memory[2]
            let waited = if cooling > 0.0 then 0.0 else waited
            let cooling = max 0.0 (cooling - 1.0)

            if Monitor.improves monitor best value then
                state |> remember name [| value; 0.0; cooling |], Continue
            elif cooling > 0.0 then
                state |> remember name [| best; waited; cooling |], Continue
            elif waited + 1.0 < float options.Patience then
                state |> remember name [| best; waited + 1.0; cooling |], Continue
            else
                let scale = max options.MinScale (Tensor.toFloat state.Optimizer.RateScale * options.Factor)

                let state = { state with Optimizer = { state.Optimizer with RateScale = number scale } }

                state |> remember name [| best; 0.0; float options.Cooldown |], Continue

        Callback.ofPlan name (fun plan -> {
            Callback.create name with
                EpochEnd = epochEnd (Monitor.watch name plan options.Monitor)
        })

    /// Stops at the first batch whose loss is NaN or infinite, says which it was, and keeps the parameters from before it.
    let terminateOnNaN<'P> : Callback<'P> = {
        Callback.create "terminate on NaN" with
            ReadsBefore = true
            BatchEnd =
                fun report ->
                    if Double.IsFinite report.Loss then
                        Callback.goOn
                    else
                        let reason =
                            $"the loss became {report.Loss} in batch {report.Batch} of epoch {report.Epoch}; the parameters from before that batch are kept (a lower learning rate or clipping the gradient may help)"

                        struct (Some report.Before, Stop reason)
    }

    /// Saves, and where that fails warns and lets the training go on: what was learnt is worth more than the file.
    let private trySave (name: string) (state: TrainingState<'P>) (save: unit -> unit) =
        try
            save ()
            state, Continue
        with :? IOException as e ->
            state, Warn $"{name}: {e.Message}; training goes on"

    /// Saves the whole training (parameters, optimiser, position, history) every so many epochs. Names in braces stand for the
    /// epoch's numbers, with Python's formats or .NET's: `run/{epoch:02d}-{val_loss:.2f}.safetensors`. `TrainingState.load` reads it and `Training.resume` goes on from it.
    let checkpoint (path: string) (every: int) (metadata: Map<string, string>) : Callback<'P> =
        if every < 1 then
            invalidArg "every" $"checkpoint: every {every} epochs; it is 1 or more"

        {
            Callback.create "checkpoint" with
                AfterOthers = true
                FitStart =
                    fun plan state ->
                        FilePattern.check "checkpoint" plan.Names path
                        AtomicFile.requireWritable "checkpoint" path
                        state
                EpochEnd =
                    fun report state ->
                        if report.Epoch % every = 0 then
                            trySave "checkpoint" state (fun () ->
                                TrainingState.saveWith
                                    metadata
                                    (FilePattern.fill "checkpoint" path report.Epoch report.Numbers)
                                    state)
                        else
                            state, Continue
        }

    /// Saves the whole training after each epoch that was better than all before it.
    let checkpointBest (path: string) (monitor: Monitor) (metadata: Map<string, string>) : Callback<'P> =
        let name = "checkpoint of the best"

        Callback.ofPlan name (fun plan ->
            let monitor = Monitor.watch name plan monitor

            {
                Callback.create name with
                    AfterOthers = true
                    FitStart =
                        fun plan state ->
                            FilePattern.check name plan.Names path
                            AtomicFile.requireWritable name path
                            state
                    EpochEnd =
                        fun report state ->
                            let value = Monitor.value monitor report
                            let best = (state |> recall name [| Monitor.worst monitor |])[0]

                            if Monitor.improves monitor best value then
                                let state = state |> remember name [| value |]

                                trySave name state (fun () ->
                                    TrainingState.saveWith
                                        metadata
                                        (FilePattern.fill name path report.Epoch report.Numbers)
                                        state)
                            else
                                state, Continue
            })

    /// Writes the history to a file of comma-separated values, a line as each epoch ends. A resumed training writes the
    /// epochs before it again, so that the file always tells the whole history of one training, whole lines only; of two
    /// trainings that are given one file, it tells that of the one which wrote last. What cannot be written is told once.
    let csvLog (path: string) : Callback<'P> =
        let name = "CSV log"

        Callback.ofPlan name (fun plan ->
            let log = CsvLog(name, path)

            {
                Callback.create name with
                    AfterOthers = true
                    FitStart =
                        fun _ state ->
                            log.Begin(
                                if state.History.Epochs = 0 then
                                    { state.History with Columns = plan.Names }
                                else
                                    state.History
                            )

                            state
                    EpochEnd = fun report state -> state, log.Add(report.Epoch, state.History)
            })
