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

    type private Memory = { Velocity: Tensor; Momentum: Tensor option; AverageGradient: Tensor option }

    let private rule (settings: RmsProp) : Optimizer =
        let withMomentum = settings.Momentum > 0.0

        let first p =
            let zeros = Tensor.zerosLike p
            let where wanted = if wanted then Some zeros else None

            {
                Velocity = zeros
                Momentum = where withMomentum
                AverageGradient = where settings.Centered
            }

        Update.each "rmsprop" settings.Rate first (fun rate _ g memory p ->
            let velocity = Update.average settings.Rho memory.Velocity (square g)

            let mean =
                if settings.Centered then
                    Some(Update.average settings.Rho (Update.remembered "average gradient" memory.AverageGradient) g)
                else
                    None

            let spread = mean |> Option.fold (fun v m -> v - square m) velocity
            let step = g * rsqrt (spread + settings.Epsilon)

            if withMomentum then
                let m = Update.scale rate step + Update.remembered "momentum" memory.Momentum * settings.Momentum
                p - m, { Velocity = velocity; Momentum = Some m; AverageGradient = mean }
            else
                Update.minus rate p step, { Velocity = velocity; Momentum = None; AverageGradient = mean })

    let internal kind: OptimizerKind<RmsProp> = {
        Name = "RmsProp"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "rho" _.Rho (fun x settings -> { settings with Rho = x })
            Field.share "momentum" _.Momentum (fun x settings -> { settings with Momentum = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
            Field.switch "centered" _.Centered (fun x settings -> { settings with Centered = x })
        ]
        Rule = rule
    }

    /// v ← rho·v + (1 − rho)·g², p ← p − rate·g/√(v + epsilon), where centring takes the square of the mean gradient
    /// from v and momentum sums the steps (keras/optimizers/rmsprop.py).
    /// Errors: settings outside their ranges.
    let create (settings: RmsProp) : Optimizer = OptimizerKind.create kind settings

/// Adagrad: Duchi, Hazan and Singer, "Adaptive subgradient methods" (2011).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adagrad =

    /// Rate 0.001, initial accumulator 0.1, epsilon 1e-7.
    let defaults: Adagrad = { Rate = Schedule.constant 0.001; InitialAccumulator = 0.1; Epsilon = 1e-7 }

    type private Memory = { Accumulator: Tensor }

    let private rule (settings: Adagrad) : Optimizer =
        let first (p: Tensor) = { Accumulator = Tensor.full p.DType p.Shape settings.InitialAccumulator }

        Update.each "adagrad" settings.Rate first (fun rate _ g memory p ->
            let a = memory.Accumulator + square g
            Update.minus rate p (g * rsqrt (a + settings.Epsilon)), { Accumulator = a })

    let internal kind: OptimizerKind<Adagrad> = {
        Name = "Adagrad"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.notNegative "initial_accumulator" _.InitialAccumulator (fun x settings -> {
                settings with
                    InitialAccumulator = x
            })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
        ]
        Rule = rule
    }

    /// a ← a + g², p ← p − rate·g/√(a + epsilon) (keras/optimizers/adagrad.py).
    /// Errors: settings outside their ranges.
    let create (settings: Adagrad) : Optimizer = OptimizerKind.create kind settings

/// Adadelta: Zeiler, "ADADELTA: an adaptive learning rate method" (2012).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adadelta =

    /// Rate 0.001, rho 0.95, epsilon 1e-7.
    let defaults: Adadelta = { Rate = Schedule.constant 0.001; Rho = 0.95; Epsilon = 1e-7 }

    type private Memory = { AccumulatedGradient: Tensor; AccumulatedDelta: Tensor }

    let private rule (settings: Adadelta) : Optimizer =
        let first p = {
            AccumulatedGradient = Tensor.zerosLike p
            AccumulatedDelta = Tensor.zerosLike p
        }

        Update.each "adadelta" settings.Rate first (fun rate _ g memory p ->
            let a = Update.average settings.Rho memory.AccumulatedGradient (square g)
            let b = memory.AccumulatedDelta
            let delta = g * sqrt (b + settings.Epsilon) * rsqrt (a + settings.Epsilon)

            Update.minus rate p delta,
            {
                AccumulatedGradient = a
                AccumulatedDelta = Update.average settings.Rho b (square delta)
            })

    let internal kind: OptimizerKind<Adadelta> = {
        Name = "Adadelta"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "rho" _.Rho (fun x settings -> { settings with Rho = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
        ]
        Rule = rule
    }

    /// a ← rho·a + (1 − rho)·g², d = g·√(b + epsilon)/√(a + epsilon), b ← rho·b + (1 − rho)·d², p ← p − rate·d
    /// (keras/optimizers/adadelta.py).
    /// Errors: settings outside their ranges.
    let create (settings: Adadelta) : Optimizer = OptimizerKind.create kind settings
