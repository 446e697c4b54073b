namespace Functional

// A minimisation under way: one compiled program that is stepped until a rule says stop.

open System

/// A minimiser at work on an objective of data: compiled once, stepped as long as one likes.
///
/// Example:
///
///     use run = new Minimization<_, _>(Minimizer.levenbergMarquardt, (fun (x, y) -> Objective.squares residual (x, y)), start, (xs, ys))
///     run.Run(Stopping.after 100) |> printfn "%O"
///     let fitted = run.Parameters
[<Sealed>]
type Minimization<'P, 'D>(minimizer: Minimizer, objective: 'D -> Objective<'P>, parameters: 'P, data: 'D) =
    let name = $"Minimizer.{minimizer.Name}"
    let problem data = Problem.ofObjective name parameters (objective data)

    /// The numbers that the rules ask for, in one tensor.
    let figures (s: MinimizerState) =
        let number (x: Tensor) = expandDims 0 (cast DType.Float64 x)

        concat 0 [
            number s.Loss
            number s.Optimality
            number s.Length
            number s.Decrease
            number s.Found
            number s.Steps
            number s.Evaluations
            number (MinimizerState.largest s.Gradient)
        ]

    let finite (what: string) (x: float) =
        if not (Double.IsFinite x) then
            invalidArg
                "parameters"
                $"{name}: {what} is {x} where the minimisation begins; begin at parameters where it is finite"

    /// Looks at a point for the first time, or with other data.
    let lookAt data (state: MinimizerState) =
        let problem = problem data
        let state = minimizer.Look problem { state with Point = Problem.project problem state.Point }
        finite "the loss" (Tensor.toFloat state.Loss)
        finite "the gradient" (Tensor.toFloat (MinimizerState.largest state.Gradient))
        state

    let begin' (parameters: 'P) data =
        let point = ParameterVector.ofTree name parameters

        match Tensor.toFloats point |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i ->
            invalidArg
                "parameters"
                $"{name}: {ParameterVector.nameOf parameters i} is {(Tensor.toFloats point)[i]} where the minimisation begins; parameters are finite numbers"
        | None -> lookAt data (MinimizerState.blank minimizer point)

    let mutable data = data
    let start = begin' parameters data
    let mutable last = Tensor.toFloats (figures start)

    let stepper =
        new Stepper<MinimizerState, 'D, Tensor>(
            (fun state data ->
                let next = minimizer.Step (problem data) state
                next, figures next),
            start
        )

    /// How many steps running the loss has not fallen to speak of.
    let mutable idle = 0
    let mutable interrupted = false

    let reason (rules: Stopping) (stepsBefore: int) =
        let loss, optimality, length, steps = last[0], last[1], last[2], int last[5]
        let isStepped = steps > 0

        if not (abs loss < 1e300 && Double.IsFinite last[7]) then StopReason.NotFinite
        elif optimality <= rules.Gradient then StopReason.GradientVanished
        elif loss <= rules.Loss then StopReason.LossReached
        elif isStepped && last[4] = 0.0 then StopReason.NoDescent
        elif isStepped && length <= rules.Step then StopReason.StepVanished
        elif rules.Patience > 0 && idle >= rules.Patience then StopReason.LossStalled
        elif interrupted then StopReason.Interrupted
        elif steps - stepsBefore >= rules.Steps then StopReason.StepsDone
        else StopReason.NotYet

    let report why : MinimizerReport = {
        Minimizer = minimizer.Name
        Reason = why
        Steps = int last[5]
        Evaluations = int last[6]
        Loss = last[0]
        Gradient = last[7]
        Optimality = last[1]
    }

    let step () =
        stepper.Step data
        last <- Tensor.toFloats stepper.Result

    /// The parameters where it stands.
    member _.Parameters: 'P = ParameterVector.toTree name parameters (stepper.Snapshot().Point)

    /// The loss where it stands.
    member _.Loss = last[0]

    /// The state, copied: to be saved, and put back with `Restore`.
    member _.State: MinimizerState = stepper.Snapshot()

    /// The data. Others of the same shapes, or of any other, may take their place: the loss and the gradient are computed
    /// anew, and what the minimiser has learnt of the objective stays.
    member _.Data
        with get () = data
        and set value =
            let state = lookAt value (stepper.Snapshot())
            data <- value
            stepper.Restore state
            last <- Tensor.toFloats (figures state)
            idle <- 0

    /// Goes on from a state that another minimisation of the same kind had.
    member _.Restore(state: MinimizerState) =
        stepper.Restore state
        last <- Tensor.toFloats (figures state)
        idle <- 0

    /// Begins again from other parameters, with the program that there is.
    member _.Restart(parameters: 'P) =
        let state = begin' parameters data
        stepper.Restore state
        last <- Tensor.toFloats (figures state)
        idle <- 0

    /// One step, whatever the rules say.
    member _.Step() : unit = step ()

    /// Steps until a rule says stop, and says which. `each` is called after every step with the report so far; where it
    /// answers false, the run ends, and may be gone on with.
    member _.Run(rules: Stopping, each: MinimizerReport -> bool) : MinimizerReport =
        let before = int last[5]
        interrupted <- false
        idle <- 0
        let mutable why = reason rules before

        while why = StopReason.NotYet do
            step ()
            idle <- if last[3] <= rules.Decrease then idle + 1 else 0
            why <- reason rules before

            if why = StopReason.NotYet && not (each (report why)) then
                interrupted <- true
                why <- reason rules before

        report why

    /// Steps until a rule says stop, and says which.
    member m.Run(rules: Stopping) : MinimizerReport = m.Run(rules, (fun _ -> true))

    /// What became of the step: the graphs, the kernels, the memory.
    member _.Explain() = stepper.Explain()

    interface IDisposable with
        member _.Dispose() = (stepper :> IDisposable).Dispose()
