namespace Functional

// When minimisers stop, and what they say of it.

open System.Globalization

/// When a minimisation stops. Each rule is off at 0 (`Loss`: at −∞).
type Stopping = {
    /// What is left of the gradient: its largest component; of least squares, the largest cosine between the residuals and
    /// a column of their Jacobian, which has no units. Default 1e-10.
    Gradient: float
    /// The length of a step, relative to the parameters'. Default 1e-14.
    Step: float
    /// The loss falls by less than this part of itself `Patience` steps running. Default 1e-15.
    Decrease: float
    /// Default 5.
    Patience: int
    /// A loss that is low enough. Default −∞.
    Loss: float
    /// The most steps. Default 1000.
    Steps: int
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Stopping =

    /// As far as rounding lets it go, in 1000 steps at most.
    let defaults: Stopping = {
        Gradient = 1e-10
        Step = 1e-14
        Decrease = 1e-15
        Patience = 5
        Loss = -infinity
        Steps = 1000
    }

    /// The defaults with another number of steps. Example: `Stopping.after 51`.
    let after (steps: int) : Stopping = { defaults with Steps = steps }

/// Opened with the namespace; a module of its own, because the C# facade has classes of these names.
[<AutoOpen>]
module MinimizerReports =

    /// Why a minimiser stopped.
    [<RequireQualifiedAccess>]
    type StopReason =
        /// It has not: there are steps to do.
        | NotYet
        /// The gradient is gone.
        | GradientVanished
        /// The last step was too short to count.
        | StepVanished
        /// The loss does not fall any more.
        | LossStalled
        /// The loss is as low as was asked for.
        | LossReached
        /// All steps that were allowed are done.
        | StepsDone
        /// No step along the direction lowered the loss, and the gradient is not gone.
        | NoDescent
        /// The loss or its gradient became infinite or NaN, or the loss falls without end.
        | NotFinite
        /// The caller stopped it.
        | Interrupted

    /// What a minimisation came to.
    type MinimizerReport = {
        /// The minimiser's name.
        Minimizer: string
        Reason: StopReason
        Steps: int
        /// How often the loss was computed, with or without derivatives.
        Evaluations: int
        Loss: float
        /// The largest component of the gradient, not counting those that lead out of bounds.
        Gradient: float
        /// What the rule `Stopping.Gradient` looked at.
        Optimality: float
    } with

        /// Whether it stopped at what looks like a minimum, and not because it could not go on or was not let.
        member r.Converged =
            match r.Reason with
            | StopReason.GradientVanished
            | StopReason.StepVanished
            | StopReason.LossStalled
            | StopReason.LossReached -> true
            | StopReason.NotYet
            | StopReason.StepsDone
            | StopReason.NoDescent
            | StopReason.NotFinite
            | StopReason.Interrupted -> false

        override r.ToString() =
            let number (x: float) = x.ToString("G4", CultureInfo.InvariantCulture)

            let why =
                match r.Reason with
                | StopReason.NotYet -> "not done yet"
                | StopReason.GradientVanished -> "converged: the gradient vanished"
                | StopReason.StepVanished -> "converged: the step vanished"
                | StopReason.LossStalled -> "converged: the loss falls no more"
                | StopReason.LossReached -> "done: the loss is low enough"
                | StopReason.StepsDone -> "not converged: all steps are done"
                | StopReason.NoDescent -> "not converged: no step lowers the loss"
                | StopReason.NotFinite ->
                    "not converged: the loss or its gradient is not finite, or the loss falls without end"
                | StopReason.Interrupted -> "not converged: interrupted"

            $"{r.Minimizer}: {why}; {r.Steps} steps, {r.Evaluations} evaluations, loss {number r.Loss}, gradient {number r.Gradient}"

    /// Where a minimisation ended, and its report.
    type Minimum<'P> = { Parameters: 'P; Report: MinimizerReport }
