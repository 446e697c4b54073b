namespace Functional

// Training batch by batch, as the caller has them: Keras' train_on_batch, test_on_batch and predict_on_batch.

/// A training that goes on with whatever batch it is given, at the price of a step of `fit`: the step's program is made once,
/// and owns the state. Measuring and answering run as programs, too.
/// Example:
///     use training = new OnlineTraining<_, _, _>(trainer, TrainingState.create trainer (Key.create 1L) net, true)
///     let numbers = training.Step(x, y)
///     let learnt = training.State.Parameters
[<Sealed>]
type OnlineTraining<'P, 'X, 'Y>(trainer: Trainer<'P, 'X, 'Y>, start: TrainingState<'P>, isCompiled: bool) =
    let engine = new Engine<'P, 'X, 'Y>(trainer, isCompiled, false, start.OfSteps, ignore)
    let program f = if isCompiled then Fallback.compiled ignore f else f
    let measure = program (Trainer.measure trainer)
    let answer = program (fun (p, x) -> fst (trainer.Apply Inference p x))
    let mutable steps = 0L

    /// One step; the loss and the metrics of this batch alone, by name.
    member _.Step(x: 'X, y: 'Y) : (string * float) list =
        Dataset.requireFinite "the batch" (Dataset.create x y)
        engine.BeginEpoch()
        engine.Step(Key.fold steps start.Key, x, y) |> ignore
        steps <- steps + 1L
        Trainer.results trainer engine.Sums

    /// The state after the last step, copied.
    member _.State: TrainingState<'P> =
        let now = engine.State
        { start with Parameters = now.Parameters; Optimizer = now.Optimizer }

    /// The loss and the metrics of a batch, by name; nothing is learnt.
    member _.Measure(parameters: 'P, x: 'X, y: 'Y) : (string * float) list =
        Trainer.results trainer (measure (parameters, Trainer.noSums trainer, x, y))

    /// The predictions for a batch.
    member _.Answer(parameters: 'P, x: 'X) : 'Y = answer (parameters, x)

    interface System.IDisposable with
        member _.Dispose() = (engine :> System.IDisposable).Dispose()
