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

    [<Literal>]
    let private Velocity = "velocity"

    let private plain (settings: Sgd) : Optimizer = {
        Name = "sgd"
        Rate = settings.Rate
        Init = Update.initial []
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                Array.map2 (Update.minus rate) parameters gradients, Update.next state []
    }

    /// v ← momentum·v − rate·g, then p ← p + v, or with Nesterov p ← p + momentum·v − rate·g (keras/optimizers/sgd.py).
    let private withMomentum (settings: Sgd) : Optimizer = {
        Name = "sgd"
        Rate = settings.Rate
        Init = Update.initial [ Velocity, Tensor.zerosLike ]
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let velocities = Update.slot Velocity parameters state

                let velocities =
                    Array.map2 (fun v g -> Update.minus rate (v * settings.Momentum) g) velocities gradients

                let updated =
                    if settings.Nesterov then
                        Array.map3
                            (fun p v g -> Update.minus rate (addScaled settings.Momentum p v) g)
                            parameters
                            velocities
                            gradients
                    else
                        Array.map2 (fun p v -> p + v) parameters velocities

                updated, Update.next state [ Velocity, velocities ]
    }

    /// The optimiser of the settings. Example: `Sgd.create { Sgd.defaults with Momentum = 0.9; Nesterov = true }`.
    /// Errors: a momentum outside [0, 1].
    let create (settings: Sgd) : Optimizer =
        Settings.momentum "Sgd" settings.Momentum

        (if settings.Momentum = 0.0 then plain settings else withMomentum settings)
        |> Update.described "sgd" [
            "momentum", Setting.Number settings.Momentum
            "nesterov", Setting.Switch settings.Nesterov
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Momentum = Description.number "momentum" d
            Nesterov = Description.switch "nesterov" d
        }
