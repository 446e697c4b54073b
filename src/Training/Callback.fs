namespace Functional

// What can look on while a network is trained, change its state between batches and epochs, and stop it. A callback is
// a record of functions from state to state; what it has to remember it keeps in the state's memory, so that it is
// saved with it and a resumed training goes on exactly.

/// What a callback wants to happen next.
type Signal =
    | Continue
    /// Go on, but tell the user.
    | Warn of message: string
    /// Stop after this batch or epoch.
    | Stop of reason: string

/// What is about to be done.
type TrainingPlan = {
    /// The number of the last epoch.
    Epochs: int
    /// Batches in an epoch, where that is known.
    Batches: int option
    /// The names of the numbers that every epoch will report.
    Names: string list
    /// Whether the training step is to run as a compiled program.
    Compiled: bool
}

/// A batch that was just done.
type BatchReport<'P> = {
    /// Counted from 1, as the user counts.
    Epoch: int
    /// Counted from 1.
    Batch: int
    /// Examples in it.
    Size: int
    Loss: float
    /// The loss and the metrics of the epoch so far, computed when asked for.
    SoFar: unit -> (string * float) list
    /// The state before this batch.
    Before: TrainingState<'P>
}

/// An epoch that was just done.
type EpochReport = {
    /// Counted from 1.
    Epoch: int
    Numbers: (string * float) list
}

/// How a training ended.
type Ending =
    /// All epochs are done.
    | Completed
    /// A callback stopped it, for this reason.
    | Stopped of reason: string
    /// Ctrl-C or a cancellation token stopped it after the batch at hand.
    | Interrupted

/// Functions that are called while a network is trained; each gives back the state to go on with.
type Callback<'P> = {
    Name: string
    /// Whether it is called after those that do not, whatever their order: it saves what the others remember.
    AfterOthers: bool
    /// Before the first batch: the place to refuse what cannot work.
    FitStart: TrainingPlan -> TrainingState<'P> -> TrainingState<'P>
    BatchEnd: BatchReport<'P> -> TrainingState<'P> -> TrainingState<'P> * Signal
    EpochEnd: EpochReport -> TrainingState<'P> -> TrainingState<'P> * Signal
    FitEnd: Ending -> TrainingState<'P> -> TrainingState<'P>
}

/// Making callbacks of one's own; the ready-made ones are in `Callbacks`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Callback =

    /// A callback that does nothing, to be given functions: `{ Callback.create "mine" with EpochEnd = ... }`.
    let create (name: string) : Callback<'P> = {
        Name = name
        AfterOthers = false
        FitStart = fun _ state -> state
        BatchEnd = fun _ state -> state, Continue
        EpochEnd = fun _ state -> state, Continue
        FitEnd = fun _ state -> state
    }

    /// Calls a function after every epoch with its number and its numbers by name.
    let onEpochEnd (f: int -> (string * float) list -> unit) : Callback<'P> = {
        create "on epoch end" with
            EpochEnd =
                fun report state ->
                    f report.Epoch report.Numbers
                    state, Continue
    }

    /// Calls a function after every batch with the epoch, the batch and its loss.
    let onBatchEnd (f: int -> int -> float -> unit) : Callback<'P> = {
        create "on batch end" with
            BatchEnd =
                fun report state ->
                    f report.Epoch report.Batch report.Loss
                    state, Continue
    }
