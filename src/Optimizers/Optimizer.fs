namespace Functional

// An optimiser is two pure functions, after Optax (DeepMind, optax/_src/base.py): no state hides anywhere.

open System
open System.Runtime.CompilerServices
open Functional.Kernels

/// What an optimiser remembers between steps. It is itself a tree of tensors: it can be saved, compiled and batched.
type OptimizerState = {
    /// The number of steps done, 0-d, Int64.
    Step: Tensor
    /// A factor on the learning rate, 0-d, Float64: 1 until something (reduction on a plateau) lowers it.
    RateScale: Tensor
    /// Memory of the parameters' shapes (moments, velocities), by its name in the optimiser's paper.
    Slots: Map<string, Tensor[]>
}

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module OptimizerType =

    /// A way of changing parameters by their gradients. The functions see the trained leaves only, in tree order;
    /// `Optimizer.init` and `Optimizer.step` do the same for trees.
    type Optimizer = {
        Name: string
        /// The learning rate as a function of the steps done.
        Rate: Schedule
        /// The state before the first step, from the parameters.
        Init: Tensor[] -> OptimizerState
        /// gradients → state → parameters → the new parameters and the new state.
        Update: Tensor[] -> OptimizerState -> Tensor[] -> Tensor[] * OptimizerState
    }

/// An optimiser's rule that knows what it was made with: as `DescribedSchedule`.
[<Sealed>]
type internal DescribedUpdate
    (description: Description, update: Tensor[] -> OptimizerState -> Tensor[] -> Tensor[] * OptimizerState) =
    inherit OptimizedClosures.FSharpFunc<Tensor[], OptimizerState, Tensor[], Tensor[] * OptimizerState>()
    let update = OptimizedClosures.FSharpFunc<_, _, _, _>.Adapt update
    member _.Description = description
    override _.Invoke(gradients, state, parameters) = update.Invoke(gradients, state, parameters)

    override _.Invoke gradients = fun state parameters -> update.Invoke(gradients, state, parameters)

/// What the update rules are written with. Rates and corrections are single numbers of Float64; where their value is
/// there already it goes into the operation, and a step is one pass over the parameter.
[<RequireQualifiedAccess>]
module internal Update =

    let private start = {
        Step = Concrete(NDArray.OfInteger(0L, DType.Int64))
        RateScale = Tensor.scalar 1.0
        Slots = Map.empty
    }

    /// The state before the first step, with memory that begins as a function of the parameters.
    let initial (slots: (string * (Tensor -> Tensor)) list) (parameters: Tensor[]) : OptimizerState = {
        start with
            Slots = Map.ofList (slots |> List.map (fun (name, make) -> name, Array.map make parameters))
    }

    /// The state after a step.
    let next (state: OptimizerState) (slots: (string * Tensor[]) list) : OptimizerState = {
        state with
            Step = state.Step + 1.0
            Slots = Map.ofList slots
    }

    let slot (name: string) (parameters: Tensor[]) (state: OptimizerState) : Tensor[] =
        match state.Slots.TryFind name with
        | Some tensors when tensors.Length = parameters.Length -> tensors
        | Some tensors ->
            invalidArg
                "state"
                $"the optimiser's state remembers {name} of {tensors.Length} parameters, there are {parameters.Length}; begin with Optimizer.init"
        | None ->
            invalidArg
                "state"
                $"the optimiser's state has no {name}: it belongs to another optimiser; begin with Optimizer.init"

    /// The learning rate of the coming step.
    let rate (schedule: Schedule) (state: OptimizerState) : Tensor = schedule state.Step * state.RateScale

    /// The number of the coming step, from 1, as a float.
    let count (state: OptimizerState) : Tensor = cast DType.Float64 (state.Step + 1.0)

    /// x scaled by a single Float64.
    let scale (factor: Tensor) (x: Tensor) : Tensor =
        if isNull factor.Level then
            x * Unsafe.As<Concrete>(factor).Value.Float
        else
            x * cast x.DType factor

    /// a − factor·b, for a single Float64.
    let minus (factor: Tensor) (a: Tensor) (b: Tensor) : Tensor =
        if isNull factor.Level then
            addScaled -(Unsafe.As<Concrete>(factor).Value.Float) a b
        else
            a - cast a.DType factor * b

    /// An average that forgets: keep·average + (1 − keep)·x.
    let average (keep: float) (average: Tensor) (x: Tensor) : Tensor = addScaled (1.0 - keep) average (x - average)

    /// What an optimiser was made with; None where some of it is a function of one's own.
    let description (optimizer: Optimizer) : Description option =
        match box optimizer.Update with
        | :? DescribedUpdate as update -> Some update.Description
        | _ -> None

    let private knowing (description: Description) (optimizer: Optimizer) : Optimizer = {
        optimizer with
            Update = unbox (box (DescribedUpdate(description, optimizer.Update)))
    }

    /// The optimiser, knowing its settings, if its schedule knows its own.
    let described (kind: string) (settings: (string * Setting) list) (optimizer: Optimizer) : Optimizer =
        match Schedule.describe optimizer.Rate with
        | Some rate -> knowing { Kind = kind; Settings = ("rate", Setting.Part rate) :: settings } optimizer
        | None -> optimizer

    /// An optimiser made of another, knowing its settings, if that one knows its own.
    let describedAround kind name (value: float) (inner: Optimizer) (outer: Optimizer) : Optimizer =
        match description inner with
        | Some part ->
            let settings = [ name, Setting.Number value; "optimizer", Setting.Part part ]
            knowing { Kind = kind; Settings = settings } outer
        | None -> outer

    /// The schedule that a description of an optimiser has.
    let readRate (description: Description) : Schedule = Schedule.ofDescription (Description.part "rate" description)
