namespace Functional

// Adam's memory in less space: of a matrix the mean squares of its rows and columns are remembered, not those of its elements.

/// The settings. Opened with the namespace; a module of their own, because the C# facade has a class of this name.
[<AutoOpen>]
module AdafactorSettings =

    /// Keras' Adafactor and its arguments.
    type Adafactor = {
        Rate: Schedule
        /// How the forgetting slows down: 1 − stepᵈ is kept.
        Beta2Decay: float
        /// Added to squared gradients.
        Epsilon1: float
        /// The least size that a parameter counts as having.
        Epsilon2: float
        /// The largest root mean square of a step, before the rate.
        ClipThreshold: float
    }

/// Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost" (2018).
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Adafactor =

    /// Rate 0.001, decay −0.8, epsilons 1e-30 and 1e-3, threshold 1; the rate is at most 1/√step.
    let defaults: Adafactor = {
        Rate = Schedule.constant 0.001
        Beta2Decay = -0.8
        Epsilon1 = 1e-30
        Epsilon2 = 1e-3
        ClipThreshold = 1.0
    }

    /// Mean squares of rows and columns, or of the elements of what is no matrix.
    type private Memory = { Rows: Tensor option; Columns: Tensor option; Velocity: Tensor option }

    let private rms (x: Tensor) = sqrt (mean (square x))

    let private first (p: Tensor) =
        let zeros (shape: int[]) = Some(Tensor.full p.DType shape 0.0)

        if p.Rank < 2 then
            { Rows = None; Columns = None; Velocity = zeros p.Shape }
        else
            {
                Rows = zeros p.Shape[.. p.Rank - 2]
                Columns = zeros (Array.append p.Shape[.. p.Rank - 3] [| p.Shape[p.Rank - 1] |])
                Velocity = None
            }

    let private rule (settings: Adafactor) : Optimizer =
        Update.each "adafactor" settings.Rate first (fun rate steps ->
            let t = Update.count steps
            // as in Keras, whatever its relative_step says
            let rate = minimum rate (1.0 / sqrt t)
            let forgotten = t ** settings.Beta2Decay

            fun g memory p ->
                let squares = square g + settings.Epsilon1
                let average (old: Tensor) x = old + Update.scale forgotten (x - old)

                let velocity, memory =
                    match memory.Rows, memory.Columns with
                    | Some rows, Some columns ->
                        let rows = average rows (meanOver [ -1 ] squares)
                        let columns = average columns (meanOver [ -2 ] squares)
                        let share = rows / meanKeep [ -1 ] rows

                        expandDims -1 share * expandDims -2 columns,
                        { Rows = Some rows; Columns = Some columns; Velocity = None }
                    | _ ->
                        let velocity = average (Update.remembered "velocity" memory.Velocity) squares
                        velocity, { Rows = None; Columns = None; Velocity = Some velocity }

                let step = g * rsqrt velocity
                let step = step / maximum (rms step / settings.ClipThreshold) (host step 1.0)
                let size = maximum (rms p) (host p settings.Epsilon2)
                Update.minus rate p (size * step), memory)

    let internal kind: OptimizerKind<Adafactor> = {
        Name = "Adafactor"
        Defaults = defaults
        WithRate = fun rate settings -> { settings with Rate = rate }
        Fields = [
            Field.atMostZero "beta2_decay" _.Beta2Decay (fun x settings -> { settings with Beta2Decay = x })
            Field.positive "epsilon1" _.Epsilon1 (fun x settings -> { settings with Epsilon1 = x })
            Field.positive "epsilon2" _.Epsilon2 (fun x settings -> { settings with Epsilon2 = x })
            Field.positive "clip_threshold" _.ClipThreshold (fun x settings -> { settings with ClipThreshold = x })
        ]
        Rule = rule
    }

    /// The steps of keras/optimizers/adafactor.py: g/√v, no longer than the threshold, times the parameter's root mean square
    /// and the rate, where v of a matrix is the product of its rows' and columns' means. Errors: settings outside their ranges.
    let create (settings: Adafactor) : Optimizer = OptimizerKind.create kind settings
