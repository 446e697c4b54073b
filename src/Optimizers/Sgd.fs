namespace Functional

// Stochastic gradient descent.

/// Keras' SGD and its arguments.
type Sgd = {
    Rate: Schedule
    /// How much of the last step goes into the next one.
    Momentum: float
    /// Looks ahead along the momentum: Nesterov (1983), in the form of Sutskever et al. (2013).
    Nesterov: bool
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Sgd =

    /// Rate 0.01, no momentum.
    let defaults: Sgd = { Rate = Schedule.constant 0.01; Momentum = 0.0; Nesterov = false }

    type private Memory = { Velocity: Tensor }

    let private plain (settings: Sgd) : Optimizer =
        Update.each "sgd" settings.Rate ignore (fun rate _ g () p -> Update.minus rate p g, ())

    /// v ← momentum·v − rate·g, then p ← p + v, or with Nesterov p ← p + momentum·v − rate·g (keras/optimizers/sgd.py).
    let private withMomentum (settings: Sgd) : Optimizer =
        Update.each "sgd" settings.Rate (fun p -> { Velocity = Tensor.zerosLike p }) (fun rate _ g memory p ->
            let v = Update.minus rate (memory.Velocity * settings.Momentum) g

            let updated =
                if settings.Nesterov then
                    Update.minus rate (addScaled settings.Momentum p v) g
                else
                    p + v

            updated, { Velocity = v })

    let internal kind: OptimizerKind<Sgd> = {
        Name = "Sgd"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.share "momentum" _.Momentum (fun x settings -> { settings with Momentum = x })
            Field.switch "nesterov" _.Nesterov (fun x settings -> { settings with Nesterov = x })
        ]
        Rule = fun settings -> if settings.Momentum = 0.0 then plain settings else withMomentum settings
    }

    /// The optimiser of the settings. Example: `Sgd.create { Sgd.defaults with Momentum = 0.9; Nesterov = true }`.
    /// Errors: a momentum outside [0, 1].
    let create (settings: Sgd) : Optimizer = OptimizerKind.create kind settings
