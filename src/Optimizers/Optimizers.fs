/// Optimisers over parameter trees. Frozen and integer leaves are left alone.
/// Example:
///     let optimizer = Optimizer.sgd 0.1
///     let state = Optimizer.init optimizer net
///     let net, state = Optimizer.step optimizer gradient state net
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Optimizer

open Functional.Operations

let private pick (places: int[]) (xs: Tensor[]) = if isNull places then xs else Array.map (fun i -> xs[i]) places

/// The state before the first step.
let init (optimizer: Optimizer) (parameters: 'P) : OptimizerState =
    let struct (xs, places) = Tree.trainedPlaces parameters
    optimizer.Init(pick places xs)

let private disagree (parameters: 'P) (xs: Tensor[]) (gs: Tensor[]) =
    if xs.Length <> gs.Length then
        invalidArg "gradient" $"Optimizer.step: a gradient of {gs.Length} tensors for {xs.Length} parameters"

    for i in 0 .. xs.Length - 1 do
        if not (Shape.same xs[i].Shape gs[i].Shape) || xs[i].DType <> gs[i].DType then
            invalidArg
                "gradient"
                $"Optimizer.step: the gradient of {(Tree.paths parameters)[i]} is {gs[i].DType} {Shape.show gs[i].Shape}, the parameter {xs[i].DType} {Shape.show xs[i].Shape}"

/// The parameters and the state after one step along a gradient, which is a tree like the parameters.
let step (optimizer: Optimizer) (gradient: 'P) (state: OptimizerState) (parameters: 'P) : 'P * OptimizerState =
    let struct (xs, places) = Tree.trainedPlaces parameters
    let gs = Tree.leaves gradient
    disagree parameters xs gs
    let updated, state = optimizer.Update (pick places gs) state (pick places xs)

    if isNull places then
        Tree.rebuild parameters updated, state
    else
        let all = Array.copy xs
        places |> Array.iteri (fun k i -> all[i] <- updated[k])
        Tree.rebuild parameters all, state

// ---- optimisers with Keras' defaults and a constant rate; settings and schedules by their modules' `create`

/// Stochastic gradient descent: p ← p − rate·g. More by `Sgd.create`.
let sgd (rate: float) : Optimizer = Sgd.create { Sgd.defaults with Rate = Schedule.constant rate }

/// Stochastic gradient descent with momentum. Example: `Optimizer.momentum 0.9 0.01`.
let momentum (momentum: float) (rate: float) : Optimizer =
    Sgd.create { Sgd.defaults with Rate = Schedule.constant rate; Momentum = momentum }

/// RMSprop; Keras' rate is 0.001. More by `RmsProp.create`.
let rmsprop (rate: float) : Optimizer = RmsProp.create { RmsProp.defaults with Rate = Schedule.constant rate }
/// Adagrad; Keras' rate is 0.001. More by `Adagrad.create`.
let adagrad (rate: float) : Optimizer = Adagrad.create { Adagrad.defaults with Rate = Schedule.constant rate }
/// Adadelta; Keras' rate is 0.001. More by `Adadelta.create`.
let adadelta (rate: float) : Optimizer = Adadelta.create { Adadelta.defaults with Rate = Schedule.constant rate }
/// Adam; Keras' rate is 0.001. More by `Adam.create`.
let adam (rate: float) : Optimizer = Adam.create { Adam.defaults with Rate = Schedule.constant rate }
/// Nadam; Keras' rate is 0.001. More by `Nadam.create`.
let nadam (rate: float) : Optimizer = Nadam.create { Nadam.defaults with Rate = Schedule.constant rate }
/// Lion; Keras' rate is 0.001. More by `Lion.create`.
let lion (rate: float) : Optimizer = Lion.create { Lion.defaults with Rate = Schedule.constant rate }

/// Adamax; Keras' rate is 0.001. More by `Adamax.create`.
let adamax (rate: float) : Optimizer = Adamax.create { Adamax.defaults with Rate = Schedule.constant rate }
/// Lamb; Keras' rate is 0.001. More by `Lamb.create`.
let lamb (rate: float) : Optimizer = Lamb.create { Lamb.defaults with Rate = Schedule.constant rate }
/// Adafactor; Keras' rate is 0.001. More by `Adafactor.create`.
let adafactor (rate: float) : Optimizer = Adafactor.create { Adafactor.defaults with Rate = Schedule.constant rate }
/// Ftrl; Keras' rate is 0.001. More by `Ftrl.create`.
let ftrl (rate: float) : Optimizer = Ftrl.create { Ftrl.defaults with Rate = Schedule.constant rate }

// ---- optimisers of one's own

/// An optimiser from a rule for one parameter: rate → gradient → memory → parameter → the new parameter and memory.
/// Memory is a tensor of the parameter's shape for each name given, zeros at first; the rate has the parameter's element
/// type. Example, steps of one size along the gradient's sign:
/// `Optimizer.ofRule "sign" (Schedule.constant 0.01) [] (fun rate g memory p -> p - rate * signum g, memory)`.
let ofRule
    (name: string)
    (rate: Schedule)
    (memory: string list)
    (rule: Tensor -> Tensor -> Tensor list -> Tensor -> Tensor * Tensor list)
    : Optimizer =
    let first (p: Tensor) = memory |> List.map (fun part -> part, Tensor.zerosLike p) |> Map.ofList

    Update.each name rate first (fun rate _ g remembered p ->
        let updated, kept =
            rule (cast p.DType rate) g [ for part in memory -> Update.remembered part (remembered.TryFind part) ] p

        if kept.Length <> memory.Length then
            invalidOp $"the rule of {name} returned {kept.Length} tensors of memory, it has {memory.Length}"

        updated, Map.ofList (List.zip memory kept))

// ---- optimisers made of optimisers

/// Before every step the parameters lose rate·decay of themselves: decoupled weight decay, Loshchilov and Hutter,
/// "Decoupled weight decay regularization" (2019). Example: `Optimizer.adam 0.001 |> Optimizer.weightDecay 0.004`.
let weightDecay (decay: float) (optimizer: Optimizer) : Optimizer =
    Settings.notNegative "Optimizer.weightDecay" "decay" decay

    {
        optimizer with
            Update =
                fun gradients state parameters ->
                    let factor = 1.0 - Update.rate optimizer.Rate state * decay
                    optimizer.Update gradients state (Array.map (Update.scale factor) parameters)
    }
    |> Update.describedAround "weight_decay" "decay" decay optimizer

/// Adam with decoupled weight decay; Keras' decay is 0.004, its rate 0.001.
let adamw (decay: float) (rate: float) : Optimizer = { weightDecay decay (adam rate) with Name = "adamw" }

let private clipped name kind (limit: float) clip (optimizer: Optimizer) =
    Settings.positive $"Optimizer.{name}" "limit" limit

    {
        optimizer with
            Update = fun gradients -> optimizer.Update(clip limit gradients)
    }
    |> Update.describedAround kind "limit" limit optimizer

/// The optimiser with every number of the gradient kept within ±limit (Keras' clipvalue).
let clipByValue (limit: float) (optimizer: Optimizer) : Optimizer =
    clipped "clipByValue" "clip_by_value" limit Gradient.clipValues optimizer

/// The optimiser with every gradient tensor scaled down to a norm of at most the limit (Keras' clipnorm).
let clipByNorm (limit: float) (optimizer: Optimizer) : Optimizer =
    clipped "clipByNorm" "clip_by_norm" limit Gradient.clipNorms optimizer

/// The optimiser with the whole gradient scaled down to a norm of at most the limit (Keras' global_clipnorm).
/// Example: `Optimizer.adam 0.001 |> Optimizer.clipByGlobalNorm 1.0`.
let clipByGlobalNorm (limit: float) (optimizer: Optimizer) : Optimizer =
    clipped "clipByGlobalNorm" "clip_by_global_norm" limit Gradient.clipGlobalNorm optimizer

/// The state with the learning rate multiplied by a factor from here on, as reduction on a plateau does.
let scaleRate (factor: float) (state: OptimizerState) : OptimizerState =
    Settings.notNegative "Optimizer.scaleRate" "factor" factor
    { state with RateScale = state.RateScale * factor }

/// The learning rate of the coming step.
let currentRate (optimizer: Optimizer) (state: OptimizerState) : float =
    Tensor.toFloat (Update.rate optimizer.Rate state)

// ---- optimisers in files

/// What an optimiser was made with: its kind and settings, its schedule, clipping and weight decay; None where some of it is
/// a function of one's own (`ofRule`, a schedule that is a function), which no file can hold.
let describe (optimizer: Optimizer) : Description option = Update.description optimizer

let private makers: Map<string, (Description -> Optimizer) -> Description -> Optimizer> =
    let around name wrap read d = wrap (Description.number name d) (read (Description.part "optimizer" d))

    let made kind = OptimizerKind.describedAs kind, (fun _ -> OptimizerKind.read kind)

    Map [
        made Sgd.kind
        made RmsProp.kind
        made Adagrad.kind
        made Adadelta.kind
        made Adam.kind
        made Nadam.kind
        made Lion.kind
        made Adamax.kind
        made Lamb.kind
        made Adafactor.kind
        made Ftrl.kind
        "weight_decay", around "decay" weightDecay
        "clip_by_value", around "limit" clipByValue
        "clip_by_norm", around "limit" clipByNorm
        "clip_by_global_norm", around "limit" clipByGlobalNorm
    ]

/// The optimiser of a description: `describe` and `ofDescription` give one that makes the same steps, bit for bit.
/// Errors: `InvalidDataException` where it describes none, `ArgumentException` where its settings cannot be.
let rec ofDescription (description: Description) : Optimizer =
    match makers.TryFind description.Kind with
    | Some make -> make ofDescription description
    | None -> raise (Description.unknown "optimizer" makers.Keys description)
