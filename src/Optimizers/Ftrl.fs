namespace Functional

// Parameters that are 0 unless their gradients insist.

/// The settings. Opened with the namespace; a module of their own, because the C# facade has a class of this name.
[<AutoOpen>]
module FtrlSettings =

    /// Keras' Ftrl and its arguments.
    type Ftrl = {
        Rate: Schedule
        /// How the rate falls with the squared gradients: −½ is their root.
        RatePower: float
        /// What the sum of squares begins with.
        InitialAccumulator: float
        L1: float
        L2: float
        /// A penalty on the parameter that is added to its gradient.
        L2Shrinkage: float
        Beta: float
    }

/// Follow the regularised leader: McMahan et al., "Ad click prediction: a view from the trenches" (2013).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Ftrl =

    /// Rate 0.001, power −½, initial accumulator 0.1, no penalties, beta 0.
    let defaults: Ftrl = {
        Rate = Schedule.constant 0.001
        RatePower = -0.5
        InitialAccumulator = 0.1
        L1 = 0.0
        L2 = 0.0
        L2Shrinkage = 0.0
        Beta = 0.0
    }

    type private Memory = { Accumulator: Tensor; Linear: Tensor }

    let private rule (settings: Ftrl) : Optimizer =
        if Schedule.constantRate settings.Rate = Some 0.0 then
            invalidArg "rate" "Ftrl: the rate divides here, so it must be above 0; 0 was given"

        let first (p: Tensor) = {
            Accumulator = Tensor.full p.DType p.Shape settings.InitialAccumulator
            Linear = Tensor.zerosLike p
        }

        Update.each "ftrl" settings.Rate first (fun rate _ ->
            let perRate = 1.0 / rate

            fun g memory p ->
                let accumulator = memory.Accumulator + square g
                let power (x: Tensor) = x ** -settings.RatePower
                let growth = Update.scale perRate (power accumulator - power memory.Accumulator)
                let linear = memory.Linear + g + 2.0 * settings.L2Shrinkage * p - growth * p

                let quadratic = Update.scale perRate (power accumulator + settings.Beta) + 2.0 * settings.L2

                (clamp -settings.L1 settings.L1 linear - linear) / quadratic,
                { Accumulator = accumulator; Linear = linear })

    let internal kind: OptimizerKind<Ftrl> = {
        Name = "Ftrl"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.atMostZero "rate_power" _.RatePower (fun x settings -> { settings with RatePower = x })
            Field.notNegative "initial_accumulator" _.InitialAccumulator (fun x settings -> {
                settings with
                    InitialAccumulator = x
            })
            Field.notNegative "l1" _.L1 (fun x settings -> { settings with L1 = x })
            Field.notNegative "l2" _.L2 (fun x settings -> { settings with L2 = x })
            Field.notNegative "l2_shrinkage" _.L2Shrinkage (fun x settings -> { settings with L2Shrinkage = x })
            Field.notNegative "beta" _.Beta (fun x settings -> { settings with Beta = x })
        ]
        Rule = rule
    }

    /// n′ = n + g², z ← z + g + 2·shrinkage·p − (n′^q − n^q)/rate·p with q = −power, and
    /// p ← (clip(z, ±l1) − z)/((n′^q + beta)/rate + 2·l2) (keras/optimizers/ftrl.py). Errors: settings outside their ranges; a
    /// rate of 0 has no meaning here.
    let create (settings: Ftrl) : Optimizer = OptimizerKind.create kind settings
