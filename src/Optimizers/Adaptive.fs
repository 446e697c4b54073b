namespace Functional

// Steps scaled by the size of past gradients: RMSprop, Adagrad, Adadelta.

/// The settings. Opened with the namespace; a module of their own, because the C# facade has classes of these names.
[<AutoOpen>]
module AdaptiveSettings =

    /// Keras' RMSprop and its arguments.
    type RmsProp = {
        Rate: Schedule
        /// How slowly the average of squared gradients forgets.
        Rho: float
        Momentum: float
        Epsilon: float
        /// Divides by the deviation of the gradient rather than by its size.
        Centered: bool
    }

    /// Keras' Adagrad and its arguments.
    type Adagrad = {
        Rate: Schedule
        /// What the sum of squares begins with.
        InitialAccumulator: float
        Epsilon: float
    }

    /// Keras' Adadelta and its arguments.
    type Adadelta = {
        Rate: Schedule
        /// How slowly the averages forget.
        Rho: float
        Epsilon: float
    }

/// RMSprop: Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5 (2012).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RmsProp =

    /// Rate 0.001, rho 0.9, no momentum, epsilon 1e-7, not centred.
    let defaults: RmsProp = {
        Rate = Schedule.constant 0.001
        Rho = 0.9
        Momentum = 0.0
        Epsilon = 1e-7
        Centered = false
    }

    let private rule (settings: RmsProp) : Optimizer = {
        Name = "rmsprop"
        Rate = settings.Rate
        Init =
            Update.initial [
                "velocity", Tensor.zerosLike
                if settings.Momentum > 0.0 then
                    "momentum", Tensor.zerosLike
                if settings.Centered then
                    "average gradient", Tensor.zerosLike
            ]
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let slot name = Update.slot name parameters state
                let average = Array.map2 (Update.average settings.Rho)
                let velocities = average (slot "velocity") (Array.map square gradients)
                let means = if settings.Centered then average (slot "average gradient") gradients else [||]

                let spread =
                    if settings.Centered then
                        Array.map2 (fun v m -> v - square m) velocities means
                    else
                        velocities

                let steps = Array.map2 (fun g v -> g * rsqrt (v + settings.Epsilon)) gradients spread

                let moments =
                    if settings.Momentum > 0.0 then
                        Array.map2 (fun m s -> Update.scale rate s + m * settings.Momentum) (slot "momentum") steps
                    else
                        [||]

                let updated =
                    if settings.Momentum > 0.0 then
                        Array.map2 (fun p m -> p - m) parameters moments
                    else
                        Array.map2 (Update.minus rate) parameters steps

                updated,
                Update.next state [
                    "velocity", velocities
                    if settings.Momentum > 0.0 then
                        "momentum", moments
                    if settings.Centered then
                        "average gradient", means
                ]
    }

    /// v ← rho·v + (1 − rho)·g², p ← p − rate·g/√(v + epsilon), where centring takes the square of the mean gradient
    /// from v and momentum sums the steps (keras/optimizers/rmsprop.py).
    /// Errors: settings outside their ranges.
    let create (settings: RmsProp) : Optimizer =
        Settings.kept "RmsProp" "rho" settings.Rho
        Settings.momentum "RmsProp" settings.Momentum
        Settings.positive "RmsProp" "epsilon" settings.Epsilon

        rule settings
        |> Update.described "rmsprop" [
            "rho", Setting.Number settings.Rho
            "momentum", Setting.Number settings.Momentum
            "epsilon", Setting.Number settings.Epsilon
            "centered", Setting.Switch settings.Centered
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Rho = Description.number "rho" d
            Momentum = Description.number "momentum" d
            Epsilon = Description.number "epsilon" d
            Centered = Description.switch "centered" d
        }

/// Adagrad: Duchi, Hazan and Singer, "Adaptive subgradient methods" (2011).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adagrad =

    /// Rate 0.001, initial accumulator 0.1, epsilon 1e-7.
    let defaults: Adagrad = { Rate = Schedule.constant 0.001; InitialAccumulator = 0.1; Epsilon = 1e-7 }

    let private rule (settings: Adagrad) : Optimizer = {
        Name = "adagrad"
        Rate = settings.Rate
        Init = Update.initial [ "accumulator", fun p -> Tensor.full p.DType p.Shape settings.InitialAccumulator ]
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let sums = Array.map2 (fun a g -> a + square g) (Update.slot "accumulator" parameters state) gradients
                let step p (g: Tensor) (a: Tensor) = Update.minus rate p (g * rsqrt (a + settings.Epsilon))
                Array.map3 step parameters gradients sums, Update.next state [ "accumulator", sums ]
    }

    /// a ← a + g², p ← p − rate·g/√(a + epsilon) (keras/optimizers/adagrad.py).
    /// Errors: settings outside their ranges.
    let create (settings: Adagrad) : Optimizer =
        Settings.notNegative "Adagrad" "initial accumulator" settings.InitialAccumulator
        Settings.positive "Adagrad" "epsilon" settings.Epsilon

        rule settings
        |> Update.described "adagrad" [
            "initial_accumulator", Setting.Number settings.InitialAccumulator
            "epsilon", Setting.Number settings.Epsilon
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            InitialAccumulator = Description.number "initial_accumulator" d
            Epsilon = Description.number "epsilon" d
        }

/// Adadelta: Zeiler, "ADADELTA: an adaptive learning rate method" (2012).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adadelta =

    /// Rate 0.001, rho 0.95, epsilon 1e-7.
    let defaults: Adadelta = { Rate = Schedule.constant 0.001; Rho = 0.95; Epsilon = 1e-7 }

    let private rule (settings: Adadelta) : Optimizer = {
        Name = "adadelta"
        Rate = settings.Rate
        Init = Update.initial [ "accumulated gradient", Tensor.zerosLike; "accumulated delta", Tensor.zerosLike ]
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let slot name = Update.slot name parameters state
                let average = Array.map2 (Update.average settings.Rho)
                let sums = average (slot "accumulated gradient") (Array.map square gradients)
                let last = slot "accumulated delta"

                let delta (g: Tensor) (a: Tensor) (b: Tensor) =
                    g * sqrt (b + settings.Epsilon) * rsqrt (a + settings.Epsilon)

                let deltas = Array.map3 delta gradients sums last
                let updated = Array.map2 (Update.minus rate) parameters deltas
                let next = average last (Array.map square deltas)
                updated, Update.next state [ "accumulated gradient", sums; "accumulated delta", next ]
    }

    /// a ← rho·a + (1 − rho)·g², d = g·√(b + epsilon)/√(a + epsilon), b ← rho·b + (1 − rho)·d², p ← p − rate·d
    /// (keras/optimizers/adadelta.py).
    /// Errors: settings outside their ranges.
    let create (settings: Adadelta) : Optimizer =
        Settings.kept "Adadelta" "rho" settings.Rho
        Settings.positive "Adadelta" "epsilon" settings.Epsilon

        rule settings
        |> Update.described "adadelta" [
            "rho", Setting.Number settings.Rho
            "epsilon", Setting.Number settings.Epsilon
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Rho = Description.number "rho" d
            Epsilon = Description.number "epsilon" d
        }
