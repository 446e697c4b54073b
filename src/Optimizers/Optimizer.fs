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
    /// What else the optimiser remembers, a tree of a type of its own: as a rule an array with a record for each parameter
    /// (`{ Momentum: Tensor; Velocity: Tensor }`).
    Memory: obj
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
        Memory = null
    }

    /// The learning rate of the coming step.
    let rate (schedule: Schedule) (state: OptimizerState) : Tensor = schedule state.Step * state.RateScale

    /// The number of the coming step, from 1, as a float.
    let count (steps: Tensor) : Tensor = cast DType.Float64 (steps + 1.0)

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

    let private another (what: string) : exn =
        ArgumentException(
            $"the optimiser's state {what}: it belongs to another optimiser; begin with Optimizer.init",
            "state"
        )

    /// What an optimiser of these settings remembers; of one with others it may not be there.
    let remembered (name: string) (memory: Tensor option) : Tensor =
        match memory with
        | Some tensor -> tensor
        | None -> raise (another $"has no {name}")

    /// An optimiser that remembers a tree of one type. `step`: rate → steps done → gradients → memory → parameters → the new
    /// parameters and memory.
    let whole name (schedule: Schedule) (first: Tensor[] -> 'M) step : Optimizer = {
        Name = name
        Rate = schedule
        Init = fun parameters -> { start with Memory = box (first parameters) }
        Update =
            fun gradients state parameters ->
                match state.Memory with
                | :? 'M as memory ->
                    let updated, memory: Tensor[] * 'M =
                        step (rate schedule state) state.Step gradients memory parameters

                    updated, { state with Step = state.Step + 1.0; Memory = box memory }
                | _ -> raise (another $"is not one of {name} with these settings")
    }

    /// Each parameter by itself. `step`: gradient → memory → parameter → the new parameter and memory.
    let alone step (gradients: Tensor[]) (memory: 'M[]) (parameters: Tensor[]) : Tensor[] * 'M[] =
        if memory.Length <> parameters.Length then
            invalidArg
                "state"
                $"the optimiser's state remembers {memory.Length} parameters, there are {parameters.Length}; begin with Optimizer.init"

        Array.map3 step gradients memory parameters |> Array.unzip

    /// An optimiser that remembers a tree for each parameter, and treats each by itself. `step`: rate → steps done →
    /// gradient → memory → parameter → the new parameter and memory.
    let each
        name
        (schedule: Schedule)
        (first: Tensor -> 'M)
        (step: Tensor -> Tensor -> Tensor -> 'M -> Tensor -> Tensor * 'M)
        =
        whole name schedule (Array.map first) (fun rate steps -> alone (step rate steps))

    /// What an optimiser was made with; None where some of it is a function of one's own.
    let description (optimizer: Optimizer) : Description option =
        match box optimizer.Update with
        | :? DescribedUpdate as update -> Some update.Description
        | _ -> None

    /// The optimiser, knowing what it was made with.
    let knowing (description: Description) (optimizer: Optimizer) : Optimizer = {
        optimizer with
            Update = unbox (box (DescribedUpdate(description, optimizer.Update)))
    }

    /// An optimiser made of another, knowing its settings, if that one knows its own.
    let describedAround kind name (value: float) (inner: Optimizer) (outer: Optimizer) : Optimizer =
        match description inner with
        | Some part ->
            let settings = [ name, Setting.Number value; "optimizer", Setting.Part part ]
            knowing { Kind = kind; Settings = settings } outer
        | None -> outer

/// One kind of optimiser: its settings, and the optimiser that they make.
type internal OptimizerKind<'S> = {
    /// What it is called in errors; in descriptions without capitals.
    Name: string
    Defaults: 'S
    WithRate: Schedule -> 'S -> 'S
    Fields: Field<'S> list
    Rule: 'S -> Optimizer
}

[<RequireQualifiedAccess>]
module internal OptimizerKind =

    let describedAs (kind: OptimizerKind<'S>) = kind.Name.ToLowerInvariant()

    /// The optimiser of settings, which it knows if its schedule knows its own. Errors: settings outside their ranges.
    let create (kind: OptimizerKind<'S>) (settings: 'S) : Optimizer =
        for field in kind.Fields do
            field.Check kind.Name settings

        let optimizer = kind.Rule settings

        match Schedule.describe optimizer.Rate with
        | Some rate ->
            let fields = kind.Fields |> List.map (fun field -> field.Name, field.Get settings)

            Update.knowing { Kind = describedAs kind; Settings = ("rate", Setting.Part rate) :: fields } optimizer
        | None -> optimizer

    /// The optimiser of a description.
    let read (kind: OptimizerKind<'S>) (description: Description) : Optimizer =
        let rate = Schedule.ofDescription (Description.part "rate" description)

        kind.Fields
        |> List.fold (fun settings field -> field.Read description settings) (kind.WithRate rate kind.Defaults)
        |> create kind
