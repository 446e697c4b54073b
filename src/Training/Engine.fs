namespace Functional

// What runs the training steps of `fit`: one compiled program over state that it owns, or operation by operation where
// that is wished for or the step cannot be compiled.

open System

/// What a step is given. One object serves all steps, so that handing it over allocates nothing.
type internal Fed<'X, 'Y> = {
    /// The key of the epoch's noise.
    mutable Noise: Tensor
    mutable Inputs: 'X
    mutable Targets: 'Y
}

/// What a step changes, with the number of the batch, from which its noise comes.
type internal Counted<'P> = { State: StepState<'P>; Batch: Tensor }

/// Functions that are compiled where that can be done.
module internal Fallback =

    /// The function as a compiled program. Where that fails but the function itself does not, it runs as it is from then
    /// on, and `refuse` is told why.
    let compiled (refuse: exn -> unit) (eager: 'A -> 'B) : 'A -> 'B =
        let compiled = compile eager
        let mutable works = true

        fun argument ->
            if not works then
                eager argument
            else
                try
                    compiled argument
                with e ->
                    // an error of the data or the network itself comes back here
                    let result = eager argument
                    works <- false
                    refuse e
                    result

/// Runs steps from a state on. `keepsPrevious`: the state before a step can be asked for after it. `refuse` is told why
/// a step is not compiled.
[<Sealed>]
type internal Engine<'P, 'X, 'Y>
    (
        trainer: Trainer<'P, 'X, 'Y>,
        isCompiled: bool,
        keepsPrevious: bool,
        first: StepState<'P>,
        start: int,
        refuse: exn -> unit
    ) =
    let mutable current, previous = first, first
    let mutable batch = start
    let mutable compiles = isCompiled
    let mutable stepper: Stepper<Counted<'P>, Fed<'X, 'Y>, Tensor> = Unchecked.defaultof<_>

    let fed = {
        Noise = null
        Inputs = Unchecked.defaultof<'X>
        Targets = Unchecked.defaultof<'Y>
    }

    let counted (state: StepState<'P>) batch = { State = state; Batch = Tensor.create [] [| int64 batch |] }

    // some metrics learn the shape of their sums from the first batch
    let isSum (path: string) = path.StartsWith("State.Sums", StringComparison.Ordinal)
    let isBatch (path: string) = path = "Batch"

    let step (before: Counted<'P>) (fed: Fed<'X, 'Y>) =
        let key = Key.foldTensor before.Batch fed.Noise
        let loss, after = Trainer.step trainer (key, before.State, fed.Inputs, fed.Targets)
        { State = after; Batch = before.Batch + 1.0 }, loss

    let runEagerly (before: StepState<'P>) =
        let key = Key.fold (int64 batch) fed.Noise
        let loss, after = Trainer.step trainer (key, before, fed.Inputs, fed.Targets)
        previous <- before
        current <- after
        Tensor.toFloat loss

    let runCompiled () =
        if isNull (box stepper) then
            stepper <- new Stepper<_, _, _>(step, counted current batch, keepsPrevious, isSum)

        stepper.Step fed
        stepper.Number

    /// Runs a step; its loss.
    member _.Step(noise: Tensor, x: 'X, y: 'Y) : float =
        fed.Noise <- noise
        fed.Inputs <- x
        fed.Targets <- y

        let loss =
            if compiles then
                try
                    runCompiled ()
                with e ->
                    // an error of the data or the network itself comes back here, and the state is as it was
                    let before = if isNull (box stepper) then current else stepper.Snapshot().State

                    let loss = runEagerly before
                    compiles <- false

                    if not (isNull (box stepper)) then
                        (stepper :> IDisposable).Dispose()

                    refuse e
                    loss
            else
                runEagerly current

        batch <- batch + 1
        loss

    member private _.Owns = compiles && not (isNull (box stepper))
    /// Whether steps run as a compiled program.
    member _.IsCompiled = compiles
    /// The state, copied where a program owns it.
    member e.State: StepState<'P> = if e.Owns then stepper.Snapshot().State else current
    /// The state before the last step.
    member e.Previous: StepState<'P> = if e.Owns then stepper.Previous().State else previous
    /// What the loss and the metrics have gathered.
    member e.Sums: Tensor[][] = if e.Owns then (stepper.SnapshotOf isSum).State.Sums else current.Sums

    /// Goes on from another state.
    member e.Restore(state: StepState<'P>, at: int) =
        batch <- at

        if e.Owns then stepper.Restore(counted state at) else current <- state

    /// Goes on with the first batch of an epoch.
    member e.BeginEpoch() =
        batch <- 0
        let sums = Trainer.noSums trainer

        if e.Owns then
            let fresh = stepper.SnapshotOf(fun _ -> false)

            stepper.RestoreAt((fun path -> isSum path || isBatch path), counted { fresh.State with Sums = sums } 0)
        else
            current <- { current with Sums = sums }

    interface IDisposable with
        member e.Dispose() =
            if e.Owns then
                (stepper :> IDisposable).Dispose()
