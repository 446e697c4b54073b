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
    (trainer: Trainer<'P, 'X, 'Y>, isCompiled: bool, keepsPrevious: bool, first: StepState<'P>, refuse: exn -> unit) =
    let mutable compiles = isCompiled
    /// The state, unless a stepper owns it; then it says no more than what the stepper's is like.
    let mutable current, previous = first, first
    let mutable stepper: Stepper<StepState<'P>, Fed<'X, 'Y>, Tensor> option = None
    let mutable fed: Fed<'X, 'Y> option = None

    // some metrics learn the shape of their sums from the first batch
    let sums = first |> Select.part _.Sums
    let ofEpoch = first |> Select.part (fun state -> state.Sums, state.Batch)

    let step (before: StepState<'P>) (fed: Fed<'X, 'Y>) =
        let key = Key.foldTensor before.Batch fed.Noise
        let loss, after = Trainer.step trainer (key, before, fed.Inputs, fed.Targets)
        after, loss

    let feed noise x y =
        match fed with
        | Some fed ->
            fed.Noise <- noise
            fed.Inputs <- x
            fed.Targets <- y
            fed
        | None ->
            let first = { Noise = noise; Inputs = x; Targets = y }
            fed <- Some first
            first

    let runEagerly (before: StepState<'P>) fed =
        let after, loss = step before fed
        previous <- before
        current <- after
        Tensor.toFloat loss

    let runCompiled fed =
        let program =
            match stepper with
            | Some program -> program
            | None ->
                let program = new Stepper<_, _, _>(step, current, keepsPrevious, sums)
                stepper <- Some program
                program

        program.Step fed
        program.Number

    let dispose () =
        stepper |> Option.iter (fun stepper -> (stepper :> IDisposable).Dispose())
        stepper <- None

    /// The state, copied where a program owns it.
    let state () =
        match stepper with
        | Some stepper -> stepper.Snapshot()
        | None -> current

    /// Runs a step; its loss.
    member _.Step(noise: Tensor, x: 'X, y: 'Y) : float =
        let fed = feed noise x y

        if not compiles then
            runEagerly current fed
        else
            try
                runCompiled fed
            with e ->
                // an error of the data or the network itself comes back here, and the state is as it was
                let loss = runEagerly (state ()) fed
                compiles <- false
                dispose ()
                refuse e
                loss

    /// Whether steps run as a compiled program.
    member _.IsCompiled = compiles
    member _.State: StepState<'P> = state ()

    /// The state before the last step.
    member _.Previous: StepState<'P> =
        match stepper with
        | Some stepper -> stepper.Previous()
        | None -> previous

    /// What the loss and the metrics have gathered.
    member _.Sums: Tensor[][] =
        match stepper with
        | Some stepper -> (stepper.SnapshotOf sums).Sums
        | None -> current.Sums

    /// Goes on from another state.
    member _.Restore(state: StepState<'P>) =
        match stepper with
        | Some stepper -> stepper.Restore state
        | None -> current <- state

    /// Goes on with the first batch of an epoch.
    member _.BeginEpoch() =
        let fresh = {
            current with
                Sums = Trainer.noSums trainer
                Batch = Tensor.create [] [| 0L |]
        }

        match stepper with
        | Some stepper -> stepper.RestoreAt(ofEpoch, fresh)
        | None -> current <- fresh

    interface IDisposable with
        member _.Dispose() = dispose ()
