namespace Functional

// Adam with other norms: that of the largest gradient (Adamax), and steps as long as the parameter says (Lamb).

/// The settings. Opened with the namespace; a module of their own, because the C# facade has classes of these names.
[<AutoOpen>]
module AdamaxSettings =

    /// Keras' Adamax and its arguments.
    type Adamax = { Rate: Schedule; Beta1: float; Beta2: float; Epsilon: float }

    /// Keras' Lamb and its arguments.
    type Lamb = { Rate: Schedule; Beta1: float; Beta2: float; Epsilon: float }

/// Adam with the largest gradient in place of the mean square: Kingma and Ba, "Adam: a method for stochastic optimization"
/// (2015), section 7.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adamax =

    /// Rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
    let defaults: Adamax = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.999; Epsilon = 1e-7 }

    type private Memory = { Momentum: Tensor; Largest: Tensor }

    let private rule (settings: Adamax) : Optimizer =
        let first p = { Momentum = Tensor.zerosLike p; Largest = Tensor.zerosLike p }

        Update.each "adamax" settings.Rate first (fun rate steps ->
            let rate = rate / (1.0 - Tensor.scalar settings.Beta1 ** Update.count steps)

            fun g memory p ->
                let m = Update.average settings.Beta1 memory.Momentum g
                let largest = maximum (memory.Largest * settings.Beta2) (abs g)
                Update.minus rate p (m / (largest + settings.Epsilon)), { Momentum = m; Largest = largest })

    let internal kind: OptimizerKind<Adamax> = {
        Name = "Adamax"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "beta1" _.Beta1 (fun x settings -> { settings with Beta1 = x })
            Field.kept "beta2" _.Beta2 (fun x settings -> { settings with Beta2 = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
        ]
        Rule = rule
    }

    /// m ← beta1·m + (1 − beta1)·g, u ← max(beta2·u, |g|), p ← p − rate/(1 − beta1ᵗ)·m/(u + epsilon)
    /// (keras/optimizers/adamax.py). Errors: settings outside their ranges.
    let create (settings: Adamax) : Optimizer = OptimizerKind.create kind settings

/// Adam whose steps have the length of the parameter: You et al., "Large batch optimization for deep learning" (2020).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Lamb =

    /// Rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
    let defaults: Lamb = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.999; Epsilon = 1e-7 }

    type private Memory = { Momentum: Tensor; Velocity: Tensor }

    let private rule (settings: Lamb) : Optimizer =
        let first p = { Momentum = Tensor.zerosLike p; Velocity = Tensor.zerosLike p }

        Update.each "lamb" settings.Rate first (fun rate steps ->
            let t = Update.count steps
            let ofMomentum = 1.0 / (1.0 - Tensor.scalar settings.Beta1 ** t)
            let ofVelocity = 1.0 / (1.0 - Tensor.scalar settings.Beta2 ** t)

            fun g memory p ->
                let m = Update.average settings.Beta1 memory.Momentum g
                let v = Update.average settings.Beta2 memory.Velocity (square g)
                let step = Update.scale ofMomentum m / (sqrt (Update.scale ofVelocity v) + settings.Epsilon)
                let own, its = norm p, norm step
                let zero = host own 0.0
                let hasBoth = logicalAnd (greater own zero) (greater its zero)
                let ratio = where hasBoth (safeDivide own its) (host own 1.0)
                Update.minus rate p (ratio * step), { Momentum = m; Velocity = v })

    let internal kind: OptimizerKind<Lamb> = {
        Name = "Lamb"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.kept "beta1" _.Beta1 (fun x settings -> { settings with Beta1 = x })
            Field.kept "beta2" _.Beta2 (fun x settings -> { settings with Beta2 = x })
            Field.positive "epsilon" _.Epsilon (fun x settings -> { settings with Epsilon = x })
        ]
        Rule = rule
    }

    /// With Adam's m̂ = m/(1 − beta1ᵗ) and v̂ = v/(1 − beta2ᵗ), u = m̂/(√v̂ + epsilon): p ← p − rate·‖p‖/‖u‖·u, with 1 for the
    /// ratio where a norm is 0 (keras/optimizers/lamb.py). Errors: settings outside their ranges.
    let create (settings: Lamb) : Optimizer = OptimizerKind.create kind settings
