namespace Functional

// Learning rates as functions of the number of steps done.

open System
open Functional.Kernels

/// The number of steps done so far (0-d, Int64) → the learning rate of the next one (0-d, Float64). An ordinary
/// function of tensors, so that a compiled step can contain it.
type Schedule = Tensor -> Tensor

/// A schedule that knows what it was made with. It is the function itself that knows, so that a function put in its place
/// does not pass for it.
[<Sealed>]
type internal DescribedSchedule(description: Description, rate: Schedule) =
    inherit FSharpFunc<Tensor, Tensor>()
    member _.Description = description
    override _.Invoke step = rate step

/// Schedules with Keras' meanings. Steps are batches, not epochs.
/// Example: `Schedule.cosine 0.1 10_000 0.0 |> Schedule.warmUp 500`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Schedule =

    let private float64 (step: Tensor) = cast DType.Float64 step

    let private requireSteps name (steps: int) =
        if steps < 1 then
            invalidArg "steps" $"Schedule.{name}: {steps} steps; there must be at least one"

    let private described kind settings (rate: Schedule) : Schedule =
        let numbers = settings |> List.map (fun (name, value) -> name, Setting.Number value)
        unbox (box (DescribedSchedule({ Kind = kind; Settings = numbers }, rate)))

    /// The same rate always; a number of at least 0.
    let constant (rate: float) : Schedule =
        Settings.notNegative "Schedule.constant" "rate" rate
        let value = Tensor.scalar rate
        described "constant" [ "rate", rate ] (fun _ -> value)

    let private decaying name (rate: float) (every: int) (factor: float) =
        requireSteps name every
        Settings.notNegative $"Schedule.{name}" "rate" rate
        Settings.notNegative $"Schedule.{name}" "factor" factor
        described name [ "rate", rate; "every", float every; "factor", factor ]

    /// rate·factor^⌊step/every⌋. Example: `Schedule.step 0.1 1000 0.5` halves the rate every 1000 steps.
    let step (rate: float) (every: int) (factor: float) : Schedule =
        decaying "step" rate every factor (fun step ->
            rate * Tensor.scalar factor ** floor (float64 step / float every))

    /// rate·factor^(step/every): Keras' ExponentialDecay.
    let exponential (rate: float) (every: int) (factor: float) : Schedule =
        decaying "exponential" rate every factor (fun step ->
            rate * Tensor.scalar factor ** (float64 step / float every))

    /// Half a cosine from the rate down to floor·rate in a number of steps, and that from there on: Keras' CosineDecay.
    /// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).
    let cosine (rate: float) (steps: int) (floor: float) : Schedule =
        requireSteps "cosine" steps
        Settings.notNegative "Schedule.cosine" "rate" rate
        Settings.notNegative "Schedule.cosine" "floor" floor

        described "cosine" [ "rate", rate; "steps", float steps; "floor", floor ] (fun step ->
            let progress = clamp 0.0 1.0 (float64 step / float steps)
            rate * ((1.0 - floor) * 0.5 * (1.0 + cos (progress * Math.PI)) + floor))

    /// A line from almost 0 up to the beginning of another schedule, which then starts from its step 0: during the first
    /// `steps` steps the rate is (step + 1)/steps of that beginning.
    let warmUp (steps: int) (schedule: Schedule) : Schedule =
        requireSteps "warmUp" steps

        let rate (step: Tensor) =
            let rest = step - float steps
            let warm = minimum (float64 (step + 1.0) / float steps) (Tensor.scalar 1.0)
            schedule (maximum rest (host rest 0.0)) * warm

        match box schedule with
        | :? DescribedSchedule as s ->
            let settings = [ "steps", Setting.Number(float steps); "schedule", Setting.Part s.Description ]
            unbox (box (DescribedSchedule({ Kind = "warm_up"; Settings = settings }, rate)))
        | _ -> rate

    /// Up to the highest rate and down again to almost nothing, each half a cosine: Smith and Topin, "Super-convergence"
    /// (2018), with PyTorch's OneCycleLR defaults: it begins at highest/25, rises during the first 30% of the steps, and
    /// ends at highest/250,000.
    let oneCycle (highest: float) (steps: int) : Schedule =
        if steps < 2 then
            invalidArg "steps" $"Schedule.oneCycle: {steps} steps; there must be at least two"

        Settings.notNegative "Schedule.oneCycle" "highest" highest
        let first, last = highest / 25.0, highest / 25.0 / 1e4
        let top, finish = 0.3 * float steps - 1.0, float (steps - 1)

        // half a cosine from a to b
        let anneal (a: float) (b: float) (progress: Tensor) = b + (a - b) * 0.5 * (1.0 + cos (progress * Math.PI))

        described "one_cycle" [ "highest", highest; "steps", float steps ] (fun step ->
            let t = minimum (float64 step) (Tensor.scalar finish)
            let up = anneal first highest (clamp 0.0 1.0 (t / max top 1e-9))
            let down = anneal highest last (clamp 0.0 1.0 ((t - top) / (finish - top)))
            where (lessEqual t (Tensor.scalar top)) up down)

    // ---- schedules in files

    /// What a schedule was made with; None where it is a function of one's own.
    let describe (schedule: Schedule) : Description option =
        match box schedule with
        | :? DescribedSchedule as s -> Some s.Description
        | _ -> None

    /// The rate of a schedule that is always the same; None of any other.
    let constantRate (schedule: Schedule) : float option =
        match describe schedule with
        | Some({ Kind = "constant" } as d) -> Some(Description.number "rate" d)
        | _ -> None

    let private makers: Map<string, (Description -> Schedule) -> Description -> Schedule> =
        let number, whole = Description.number, Description.whole

        Map [
            "constant", (fun _ d -> constant (number "rate" d))
            "step", (fun _ d -> step (number "rate" d) (whole "every" d) (number "factor" d))
            "exponential", (fun _ d -> exponential (number "rate" d) (whole "every" d) (number "factor" d))
            "cosine", (fun _ d -> cosine (number "rate" d) (whole "steps" d) (number "floor" d))
            "one_cycle", (fun _ d -> oneCycle (number "highest" d) (whole "steps" d))
            "warm_up", (fun read d -> warmUp (whole "steps" d) (read (Description.part "schedule" d)))
        ]

    /// The schedule of a description. Errors: `InvalidDataException` where it describes none, `ArgumentException` where its
    /// settings cannot be.
    let rec ofDescription (description: Description) : Schedule =
        match makers.TryFind description.Kind with
        | Some make -> make ofDescription description
        | None -> raise (Description.unknown "schedule" makers.Keys description)
