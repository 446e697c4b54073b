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

    let private power (x: float) (n: Tensor) = Tensor.scalar x ** n

    let private rule (settings: Adam) : Optimizer = {
        Name = "adam"
        Rate = settings.Rate
        Init =
            Update.initial [
                "momentum", Tensor.zerosLike
                "velocity", Tensor.zerosLike
                if settings.AmsGrad then
                    "velocity hat", Tensor.zerosLike
            ]
        Update =
            fun gradients state parameters ->
                let t = Update.count state

                let rate =
                    Update.rate settings.Rate state * sqrt (1.0 - power settings.Beta2 t)
                    / (1.0 - power settings.Beta1 t)

                let slot name = Update.slot name parameters state
                let moments = Array.map2 (Update.average settings.Beta1) (slot "momentum") gradients

                let velocities =
                    Array.map2 (fun v g -> Update.average settings.Beta2 v (square g)) (slot "velocity") gradients

                let largest =
                    if settings.AmsGrad then
                        Array.map2 maximum (slot "velocity hat") velocities
                    else
                        velocities

                let step p m (v: Tensor) = Update.minus rate p (m / (sqrt v + settings.Epsilon))

                Array.map3 step parameters moments largest,
                Update.next state [
                    "momentum", moments
                    "velocity", velocities
                    if settings.AmsGrad then
                        "velocity hat", largest
                ]
    }

    /// m ← beta1·m + (1 − beta1)·g, v ← beta2·v + (1 − beta2)·g², p ← p − rate·√(1 − beta2ᵗ)/(1 − beta1ᵗ)·m/(√v + epsilon)
    /// (keras/optimizers/adam.py). Example: `Adam.create { Adam.defaults with Beta2 = 0.99 }`.
    /// Errors: settings outside their ranges.
    let create (settings: Adam) : Optimizer =
        Settings.kept "Adam" "beta1" settings.Beta1
        Settings.kept "Adam" "beta2" settings.Beta2
        Settings.positive "Adam" "epsilon" settings.Epsilon

        rule settings
        |> Update.described "adam" [
            "beta1", Setting.Number settings.Beta1
            "beta2", Setting.Number settings.Beta2
            "epsilon", Setting.Number settings.Epsilon
            "amsgrad", Setting.Switch settings.AmsGrad
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Beta1 = Description.number "beta1" d
            Beta2 = Description.number "beta2" d
            Epsilon = Description.number "epsilon" d
            AmsGrad = Description.switch "amsgrad" d
        }

/// Adam with Nesterov's look ahead: Dozat, "Incorporating Nesterov momentum into Adam" (2016).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Nadam =

    /// Rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
    let defaults: Nadam = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.999; Epsilon = 1e-7 }

    let private rule (settings: Nadam) : Optimizer = {
        Name = "nadam"
        Rate = settings.Rate
        Init =
            fun parameters ->
                let state = Update.initial [ "momentum", Tensor.zerosLike; "velocity", Tensor.zerosLike ] parameters

                {
                    state with
                        Slots = state.Slots.Add("momentum product", [| Tensor.scalar 1.0 |])
                }
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let t = Update.count state
                let momentumAt (t: Tensor) = settings.Beta1 * (1.0 - 0.5 * Tensor.scalar 0.96 ** t)
                let now, later = momentumAt t, momentumAt (t + 1.0)
                let product = (Update.slot "momentum product" [| t |] state)[0] * now
                let ofMoment = later / (1.0 - product * later)
                let ofGradient = (1.0 - now) / (1.0 - product)
                let ofVelocity = 1.0 / (1.0 - Tensor.scalar settings.Beta2 ** t)

                let slot name = Update.slot name parameters state
                let moments = Array.map2 (Update.average settings.Beta1) (slot "momentum") gradients

                let velocities =
                    Array.map2 (fun v g -> Update.average settings.Beta2 v (square g)) (slot "velocity") gradients

                let updated =
                    Array.init parameters.Length (fun i ->
                        let m = Update.scale ofMoment moments[i] + Update.scale ofGradient gradients[i]

                        Update.minus
                            rate
                            parameters[i]
                            (m / (sqrt (Update.scale ofVelocity velocities[i]) + settings.Epsilon)))

                updated,
                Update.next state [ "momentum", moments; "velocity", velocities; "momentum product", [| product |] ]
    }

    /// With uₜ = beta1·(1 − ½·0.96ᵗ) and Uₜ = u₁·…·uₜ: p ← p − rate·m̂/(√v̂ + epsilon), where
    /// m̂ = uₜ₊₁·m/(1 − Uₜ₊₁) + (1 − uₜ)·g/(1 − Uₜ) and v̂ = v/(1 − beta2ᵗ) (keras/optimizers/nadam.py).
    /// Errors: settings outside their ranges.
    let create (settings: Nadam) : Optimizer =
        Settings.kept "Nadam" "beta1" settings.Beta1
        Settings.kept "Nadam" "beta2" settings.Beta2
        Settings.positive "Nadam" "epsilon" settings.Epsilon

        rule settings
        |> Update.described "nadam" [
            "beta1", Setting.Number settings.Beta1
            "beta2", Setting.Number settings.Beta2
            "epsilon", Setting.Number settings.Epsilon
        ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Beta1 = Description.number "beta1" d
            Beta2 = Description.number "beta2" d
            Epsilon = Description.number "epsilon" d
        }

/// Steps of one size along the sign of an averaged gradient: Chen et al., "Symbolic discovery of optimization
/// algorithms" (2023).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Lion =

    /// Rate 0.001, beta1 0.9, beta2 0.99.
    let defaults: Lion = { Rate = Schedule.constant 0.001; Beta1 = 0.9; Beta2 = 0.99 }

    let private rule (settings: Lion) : Optimizer = {
        Name = "lion"
        Rate = settings.Rate
        Init = Update.initial [ "momentum", Tensor.zerosLike ]
        Update =
            fun gradients state parameters ->
                let rate = Update.rate settings.Rate state
                let moments = Update.slot "momentum" parameters state
                let step p m g = Update.minus rate p (signum (Update.average settings.Beta1 m g))

                Array.map3 step parameters moments gradients,
                Update.next state [ "momentum", Array.map2 (Update.average settings.Beta2) moments gradients ]
    }

    /// p ← p − rate·sign(beta1·m + (1 − beta1)·g), m ← beta2·m + (1 − beta2)·g (keras/optimizers/lion.py).
    /// Errors: settings outside their ranges.
    let create (settings: Lion) : Optimizer =
        Settings.kept "Lion" "beta1" settings.Beta1
        Settings.kept "Lion" "beta2" settings.Beta2

        rule settings
        |> Update.described "lion" [ "beta1", Setting.Number settings.Beta1; "beta2", Setting.Number settings.Beta2 ]

    let internal ofDescription (d: Description) : Optimizer =
        create {
            Rate = Update.readRate d
            Beta1 = Description.number "beta1" d
            Beta2 = Description.number "beta2" d
        }
