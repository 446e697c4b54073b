namespace Functional

// Steps along an averaged gradient, scaled by its averaged size: Adam and its relatives.

/// The settings. Opened with the namespace; a module of their own, because the C# facade has classes of these names.
[<AutoOpen>]
module AdamSettings =

    /// Keras' Adam and its arguments.
    type Adam = {
        Rate: Schedule
        /// How slowly the average of gradients forgets.
        Beta1: float
        /// How slowly the average of squared gradients forgets.
        Beta2: float
        Epsilon: float
        /// Divides by the largest average there was: Reddi et al., "On the convergence of Adam and beyond" (2018).
        AmsGrad: bool
    }

    /// Keras' Nadam and its arguments.
    type Nadam = { Rate: Schedule; Beta1: float; Beta2: float; Epsilon: float }

    /// Keras' Lion and its arguments.
    type Lion = { Rate: Schedule; Beta1: float; Beta2: float }

/// Adam: Kingma and Ba, "Adam: a method for stochastic optimization" (2015).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adam =

    /// Rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
    let defaults: Adam = {
        Rate = Schedule.constant 0.001
        Beta1 = 0.9
        Beta2 = 0.999
        Epsilon = 1e-7
        AmsGrad = false
    }

    type private Memory = { Momentum: Tensor; Velocity: Tensor; VelocityHat: Tensor option }

    let private power (x: float) (n: Tensor) = Tensor.scalar x ** n

    let private rule (settings: Adam) : Optimizer =
        let first p =
            let zeros = Tensor.zerosLike p

            {
                Momentum = zeros
                Velocity = zeros
                VelocityHat = if settings.AmsGrad then Some zeros else None
            }

        Update.each "adam" settings.Rate first (fun rate steps ->
            let t = Update.count steps
            let rate = rate * sqrt (1.0 - power settings.Beta2 t) / (1.0 - power settings.Beta1 t)

            fun g memory p ->
                let m = Update.average settings.Beta1 memory.Momentum g
                let v = Update.average settings.Beta2 memory.Velocity (square g)

                let largest =
                    if settings.AmsGrad then
                        Some(maximum (Update.remembered "velocity hat" memory.VelocityHat) v)
                    else
                        None

                Update.minus rate p (m / (sqrt (defaultArg largest v) + settings.Epsilon)),
                { Momentum = m; Velocity = v; VelocityHat = largest })

    let internal kind: OptimizerKind<Adam> = {
        Name = "Adam"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "beta1" _.Beta1 (fun x settings -> { settings with Beta1 = x })
            Field.kept "beta2" _.Beta2 (fun x settings -> { settings with Beta2 = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
            Field.switch "amsgrad" _.AmsGrad (fun x settings -> { settings with AmsGrad = x })
        ]
        Rule = rule
    }

    /// m ← beta1·m + (1 − beta1)·g, v ← beta2·v + (1 − beta2)·g², p ← p − rate·√(1 − beta2ᵗ)/(1 − beta1ᵗ)·m/(√v + epsilon)
    /// (keras/optimizers/adam.py). Example: `Adam.create { Adam.defaults with Beta2 = 0.99 }`.
    /// Errors: settings outside their ranges.
    let create (settings: Adam) : Optimizer = OptimizerKind.create kind settings

/// Adam with Nesterov's look ahead: Dozat, "Incorporating Nesterov momentum into Adam" (2016).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Nadam =

    /// Rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
    let defaults: Nadam = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.999; Epsilon = 1e-7 }

    type private Moments = { Momentum: Tensor; Velocity: Tensor }

    /// The product is that of the momentum of all steps.
    type private Memory = { Each: Moments[]; MomentumProduct: Tensor }

    let private first (parameters: Tensor[]) = {
        Each = parameters |> Array.map (fun p -> { Momentum = Tensor.zerosLike p; Velocity = Tensor.zerosLike p })
        MomentumProduct = Tensor.scalar 1.0
    }

    let private rule (settings: Nadam) : Optimizer =
        Update.whole "nadam" settings.Rate first (fun rate steps gradients memory parameters ->
            let t = Update.count steps
            let momentumAt (t: Tensor) = settings.Beta1 * (1.0 - 0.5 * Tensor.scalar 0.96 ** t)
            let now, later = momentumAt t, momentumAt (t + 1.0)
            let product = memory.MomentumProduct * now
            let ofMoment = later / (1.0 - product * later)
            let ofGradient = (1.0 - now) / (1.0 - product)
            let ofVelocity = 1.0 / (1.0 - Tensor.scalar settings.Beta2 ** t)

            let step g memory p =
                let m = Update.average settings.Beta1 memory.Momentum g
                let v = Update.average settings.Beta2 memory.Velocity (square g)
                let direction = Update.scale ofMoment m + Update.scale ofGradient g

                Update.minus rate p (direction / (sqrt (Update.scale ofVelocity v) + settings.Epsilon)),
                { Momentum = m; Velocity = v }

            let updated, each = Update.alone step gradients memory.Each parameters
            updated, { Each = each; MomentumProduct = product })

    let internal kind: OptimizerKind<Nadam> = {
        Name = "Nadam"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "beta1" _.Beta1 (fun x settings -> { settings with Beta1 = x })
            Field.kept "beta2" _.Beta2 (fun x settings -> { settings with Beta2 = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
        ]
        Rule = rule
    }

    /// With uₜ = beta1·(1 − ½·0.96ᵗ) and Uₜ = u₁·…·uₜ: p ← p − rate·m̂/(√v̂ + epsilon), where
    /// m̂ = uₜ₊₁·m/(1 − Uₜ₊₁) + (1 − uₜ)·g/(1 − Uₜ) and v̂ = v/(1 − beta2ᵗ) (keras/optimizers/nadam.py).
    /// Errors: settings outside their ranges.
    let create (settings: Nadam) : Optimizer = OptimizerKind.create kind settings

/// Steps of one size along the sign of an averaged gradient: Chen et al., "Symbolic discovery of optimization
/// algorithms" (2023).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Lion =

    /// Rate 0.001, beta1 0.9, beta2 0.99.
    let defaults: Lion = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.99 }

    type private Memory = { Momentum: Tensor }

    let private rule (settings: Lion) : Optimizer =
        Update.each "lion" settings.Rate (fun p -> { Momentum = Tensor.zerosLike p }) (fun rate _ g memory p ->
            Update.minus rate p (signum (Update.average settings.Beta1 memory.Momentum g)),
            { Momentum = Update.average settings.Beta2 memory.Momentum g })

    let internal kind: OptimizerKind<Lion> = {
        Name = "Lion"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "beta1" _.Beta1 (fun x settings -> { settings with Beta1 = x })
            Field.kept "beta2" _.Beta2 (fun x settings -> { settings with Beta2 = x })
        ]
        Rule = rule
    }

    /// p ← p − rate·sign(beta1·m + (1 − beta1)·g), m ← beta2·m + (1 − beta2)·g (keras/optimizers/lion.py).
    /// Errors: settings outside their ranges.
    let create (settings: Lion) : Optimizer = OptimizerKind.create kind settings
