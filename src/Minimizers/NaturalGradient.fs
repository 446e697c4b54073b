namespace Functional

// Natural gradients: the direction that is steepest where steps are measured by what they do to the residuals.

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module NaturalGradientType =

    /// Energy natural gradients: J. Müller and M. Zeinhofer, "Achieving high accuracy with PINNs via energy natural gradient
    /// descent" (2023). The gradient is solved with the Gramian JᵀJ of the residuals (of `Objective.withMetric`'s, where the
    /// loss is no sum of squares), in the eigenvectors whose values are above a cut-off, and the line is searched by halving.
    /// Of least squares it is Gauss and Newton's method.
    ///
    /// Far from the solution small eigenvalues mean nothing, near it they are what is left to do: the cut-off, relative to the
    /// largest, is halved where whole steps are taken (to the rounding of the Gramian at last) and multiplied by 4 where steps
    /// are cut short.
    type NaturalGradient = {
        /// The cut-off at first, and at most.
        Cutoff: float
        /// The least cut-off.
        Least: float
    }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module NaturalGradient =

    /// From 1e-8 down to 1e-15.
    let defaults: NaturalGradient = { Cutoff = 1e-8; Least = 1e-15 }

    type private Memory = { Cutoff: Tensor }

    /// The gradient divided by the eigenvalues above a cut-off.
    let private solve (gramian: Tensor) (gradient: Tensor) (cutoff: Tensor) : Tensor =
        let values, vectors = LinearAlgebra.symmetricEigenOrNaN gramian
        let parts = ParameterVector.timesTransposed vectors gradient
        let isKept = greater values (cutoff * amax values)
        let kept = where isKept (parts / where isKept values (Tensor.onesLike values)) (Tensor.zerosLike values)
        ParameterVector.times vectors kept

    let private step (settings: NaturalGradient) (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "NaturalGradient" state
        let _, j = Problem.rows "NaturalGradient" problem state.Point
        let part = Descent.movable problem state
        let rows = j * part (Tensor.onesLike state.Point)
        let d = -(part (solve (transpose rows *@ rows) (part state.Gradient) memory.Cutoff))

        let along step =
            let point = Problem.project problem (state.Point + step * d)
            problem.Loss point, point

        let result = LineSearch.halving along (state.Loss, state.Point) (Tensor.onesLike state.Loss)
        let loss, gradient = problem.Slope result.Kept
        let place: Descent.Place = { Point = result.Kept; Loss = loss; Gradient = gradient }
        let isWhole = greaterEqual result.Step (host loss 0.5)
        let isShort = lessEqual result.Step (host loss 0.0625)
        let factor = where isWhole (host loss 0.5) (where isShort (host loss 4.0) (host loss 1.0))

        let cutoff =
            minimum (maximum (memory.Cutoff * factor) (host loss settings.Least)) (host loss settings.Cutoff)
        // with the largest cut-off there is nothing else to try
        let isLast = greaterEqual memory.Cutoff (host loss settings.Cutoff)

        Descent.arrive problem state place result.Found (result.Evaluations + 2.0) isLast (box { Cutoff = cutoff })

    /// The minimiser of the settings.
    let create (settings: NaturalGradient) : Minimizer =
        if not (0.0 < settings.Least && settings.Least <= settings.Cutoff && settings.Cutoff < 1.0) then
            invalidArg
                "settings"
                $"NaturalGradient: the cut-off goes from {settings.Cutoff} to {settings.Least}; it must be 0 < least ≤ first < 1"

        {
            Called = "NaturalGradient"
            Memory = fun point -> box { Cutoff = MinimizerState.number point settings.Cutoff }
            Look = Descent.look
            Step = step settings
        }
