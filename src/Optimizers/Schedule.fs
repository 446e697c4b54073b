namespace Functional

// Learning rates as functions of the number of steps done.

open System
open Functional.Kernels

/// The number of steps done so far (0-d, Int64) → the learning rate of the next one (0-d, Float64). An ordinary
/// function of tensors, so that a compiled step can contain it.
type Schedule = Tensor -> Tensor

/// Schedules with Keras' meanings. Steps are batches, not epochs.
/// Example: `Schedule.cosine 0.1 10_000 0.0 |> Schedule.warmUp 500`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Schedule =

    let private float64 (step: Tensor) = cast DType.Float64 step

    let private requireSteps name (steps: int) =
        if steps < 1 then
            invalidArg "steps" $"Schedule.{name}: {steps} steps; there must be at least one"

    /// The same rate always.
    let constant (rate: float) : Schedule =
        let rate = Tensor.scalar rate
        fun _ -> rate

    /// rate·factor^⌊step/every⌋. Example: `Schedule.step 0.1 1000 0.5` halves the rate every 1000 steps.
    let step (rate: float) (every: int) (factor: float) : Schedule =
        requireSteps "step" every
        fun step -> rate * Tensor.scalar factor ** floor (float64 step / float every)

    /// rate·factor^(step/every): Keras' ExponentialDecay.
    let exponential (rate: float) (every: int) (factor: float) : Schedule =
        requireSteps "exponential" every
        fun step -> rate * Tensor.scalar factor ** (float64 step / float every)

    /// Half a cosine from the rate down to floor·rate in a number of steps, and that from there on: Keras' CosineDecay.
    /// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).
    let cosine (rate: float) (steps: int) (floor: float) : Schedule =
        requireSteps "cosine" steps

        fun step ->
            let progress = clamp 0.0 1.0 (float64 step / float steps)
            rate * ((1.0 - floor) * 0.5 * (1.0 + cos (progress * Math.PI)) + floor)

    /// A line from almost 0 up to the beginning of another schedule, which then starts from its step 0: during the first
    /// `steps` steps the rate is (step + 1)/steps of that beginning.
    let warmUp (steps: int) (schedule: Schedule) : Schedule =
        requireSteps "warmUp" steps

        fun step ->
            let rest = step - float steps
            let warm = minimum (float64 (step + 1.0) / float steps) (Tensor.scalar 1.0)
            schedule (maximum rest (host rest 0.0)) * warm

    /// Up to the highest rate and down again to almost nothing, each half a cosine: Smith and Topin, "Super-convergence"
    /// (2018), with PyTorch's OneCycleLR defaults: it begins at highest/25, rises during the first 30% of the steps, and
    /// ends at highest/250,000.
    let oneCycle (highest: float) (steps: int) : Schedule =
        if steps < 2 then
            invalidArg "steps" $"Schedule.oneCycle: {steps} steps; there must be at least two"

        let first, last = highest / 25.0, highest / 25.0 / 1e4
        let top, finish = 0.3 * float steps - 1.0, float (steps - 1)

        // half a cosine from a to b
        let anneal (a: float) (b: float) (progress: Tensor) = b + (a - b) * 0.5 * (1.0 + cos (progress * Math.PI))

        fun step ->
            let t = minimum (float64 step) (Tensor.scalar finish)
            let up = anneal first highest (clamp 0.0 1.0 (t / max top 1e-9))
            let down = anneal highest last (clamp 0.0 1.0 ((t - top) / (finish - top)))
            where (lessEqual t (Tensor.scalar top)) up down
