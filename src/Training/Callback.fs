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
    /// Which values of them are better, where that is known: the loss knows, and a metric that says it.
    Better: Map<string, Better>
    /// Whether the training step is to run as a compiled program.
    Compiled: bool
}

/// A training under way, as the reports of its batches see it.
[<AbstractClass>]
type internal Live<'P>() =
    /// Changes whenever the training goes on.
    member val Version = 0L with get, set
    abstract State: TrainingState<'P>
    abstract Before: TrainingState<'P>
    abstract SoFar: (string * float) list

/// A batch that was just done. The training step writes its state in place, so the state is copied out when it is asked
/// for, and only as long as the callback is being called.
[<Struct; NoEquality; NoComparison>]
type BatchReport<'P> =
    val private live: Live<'P>
    val private version: int64
    /// Counted from 1, as the user counts.
    val Epoch: int
    /// Counted from 1.
    val Batch: int
    /// Examples in it.
    val Size: int
    val Loss: float

    internal new(live, epoch, batch, size, loss) =
        {
            live = live
            version = live.Version
            Epoch = epoch
            Batch = batch
            Size = size
            Loss = loss
        }

    member private r.Live =
        if r.live.Version <> r.version then
            invalidOp
                $"the report of batch {r.Batch} of epoch {r.Epoch}: the training has gone on since; read its state while the callback is being called"

        r.live

    /// The loss and the metrics of the epoch so far, computed when asked for.
    member r.SoFar() : (string * float) list = r.Live.SoFar

    /// The state after this batch. Asking for it copies all parameters.
    member r.State: TrainingState<'P> = r.Live.State

    /// The state before this batch, for callbacks that say they read it.
    member r.Before: TrainingState<'P> = r.Live.Before

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
    /// Ctrl-C, SIGTERM, SIGHUP or a cancellation token stopped it after the batch at hand.
    | Interrupted

/// Functions that are called while a network is trained; each gives back the state to go on with. After a batch that is
/// None where the state stays as it is, which is what costs nothing.
type Callback<'P> = {
    Name: string
    /// Makes the callback of one training, where it depends on the plan, or remembers what is no part of the state (a
    /// clock, a line on the screen): `Callback.ofPlan`. None where the functions below are all there is.
    OfPlan: (TrainingPlan -> Callback<'P>) option
    /// Whether it is called after those that do not, whatever their order: it saves what the others remember.
    AfterOthers: bool
    /// Before the first batch: the place to refuse what cannot work.
    FitStart: TrainingPlan -> TrainingState<'P> -> TrainingState<'P>
    /// Whether `BatchEnd` reads the state before the batch, which is then kept: in memory there are two of each parameter.
    ReadsBefore: bool
    BatchEnd: BatchReport<'P> -> struct (TrainingState<'P> option * Signal)
    EpochEnd: EpochReport -> TrainingState<'P> -> TrainingState<'P> * Signal
    FitEnd: Ending -> TrainingState<'P> -> TrainingState<'P>
}

/// Making callbacks of one's own; the ready-made ones are in `Callbacks`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Callback =

    /// What `BatchEnd` answers when the training simply goes on.
    let goOn<'P> : struct (TrainingState<'P> option * Signal) = struct (None, Continue)

    /// A callback that does nothing, to be given functions: `{ Callback.create "mine" with EpochEnd = ... }`.
    let create (name: string) : Callback<'P> = {
        Name = name
        OfPlan = None
        AfterOthers = false
        FitStart = fun _ state -> state
        ReadsBefore = false
        BatchEnd = fun _ -> goOn
        EpochEnd = fun _ state -> state, Continue
        FitEnd = fun _ state -> state
    }

    /// A callback that is made anew for every training, when its plan is known. Two trainings at once have one each.
    let ofPlan (name: string) (make: TrainingPlan -> Callback<'P>) : Callback<'P> = {
        create name with
            OfPlan = Some make
    }

    /// The callback of one training.
    let rec internal forPlan (plan: TrainingPlan) (callback: Callback<'P>) : Callback<'P> =
        match callback.OfPlan with
        | Some make -> forPlan plan (make plan)
        | None -> callback

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
                fun report ->
                    f report.Epoch report.Batch report.Loss
                    goOn
    }
