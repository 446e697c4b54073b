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

    /// rate/(1 + decay·step/every), or with whole steps of `every` where it goes in stairs: Keras' InverseTimeDecay.
    let inverseTime (rate: float) (every: int) (decay: float) (staircase: bool) : Schedule =
        requireSteps "inverseTime" every
        Settings.notNegative "Schedule.inverseTime" "rate" rate
        Settings.notNegative "Schedule.inverseTime" "decay" decay

        let settings = [
            "rate", rate
            "every", float every
            "decay", decay
            "staircase", (if staircase then 1.0 else 0.0)
        ]

        described "inverse_time" settings (fun step ->
            let part = float64 step / float every
            rate / (1.0 + decay * (if staircase then floor part else part)))

    /// From the rate down to another in a number of steps, along (1 − step/steps)^power, and that from there on, or, where it
    /// cycles, in as many times the steps as it takes: Keras' PolynomialDecay.
    let polynomial (rate: float) (steps: int) (last: float) (power: float) (cycles: bool) : Schedule =
        requireSteps "polynomial" steps
        Settings.notNegative "Schedule.polynomial" "rate" rate
        Settings.notNegative "Schedule.polynomial" "last" last
        Settings.notNegative "Schedule.polynomial" "power" power

        let settings = [
            "rate", rate
            "steps", float steps
            "last", last
            "power", power
            "cycles", (if cycles then 1.0 else 0.0)
        ]

        described "polynomial" settings (fun step ->
            let now = float64 step
            let all = float steps

            let progress =
                if cycles then
                    // at step 0 Keras takes one cycle, not none
                    now / (all * maximum (-(floor (-now / all))) (Tensor.scalar 1.0))
                else
                    minimum now (Tensor.scalar all) / all

            (rate - last) * (1.0 - progress) ** power + last)

    /// Half cosines one after another, each `longer` times as long as the one before and begun at `lower` times its rate; none
    /// goes under floor·rate: Keras' CosineDecayRestarts. Loshchilov and Hutter, "SGDR" (2017).
    let cosineRestarts (rate: float) (steps: int) (longer: float) (lower: float) (floorShare: float) : Schedule =
        requireSteps "cosineRestarts" steps
        Settings.notNegative "Schedule.cosineRestarts" "rate" rate
        Settings.positive "Schedule.cosineRestarts" "longer" longer
        Settings.notNegative "Schedule.cosineRestarts" "lower" lower
        Settings.notNegative "Schedule.cosineRestarts" "floor" floorShare

        let settings = [ "rate", rate; "steps", float steps; "longer", longer; "lower", lower; "floor", floorShare ]

        described "cosine_restarts" settings (fun step ->
            let part = float64 step / float steps

            let restarts, progress =
                if longer = 1.0 then
                    let restarts = floor part
                    restarts, part - restarts
                else
                    let restarts = floor (log (1.0 - part * (1.0 - longer)) / Math.Log longer)
                    let before = (1.0 - Tensor.scalar longer ** restarts) / (1.0 - longer)
                    restarts, (part - before) / Tensor.scalar longer ** restarts

            let share = 0.5 * Tensor.scalar lower ** restarts * (1.0 + cos (progress * Math.PI))
            rate * ((1.0 - floorShare) * share + floorShare))

    /// One rate up to each boundary, itself included, and the last from there on: Keras' PiecewiseConstantDecay.
    /// Example: `Schedule.piecewise [ 100; 200 ] [ 0.1; 0.05; 0.01 ]`. Errors: not one rate more than there are boundaries,
    /// boundaries that do not rise.
    let piecewise (boundaries: int list) (rates: float list) : Schedule =
        if rates.Length <> boundaries.Length + 1 then
            invalidArg
                "rates"
                $"Schedule.piecewise: {boundaries.Length} boundaries lie between {boundaries.Length + 1} rates; {rates.Length} were given"

        if boundaries |> List.pairwise |> List.exists (fun (a, b) -> a >= b) then
            invalidArg "boundaries" $"Schedule.piecewise: the boundaries must rise; {boundaries} were given"

        rates |> List.iter (Settings.notNegative "Schedule.piecewise" "rate")

        let settings = [
            for i, boundary in List.indexed boundaries do
                $"boundary_{i}", float boundary
            for i, rate in List.indexed rates do
                $"rate_{i}", rate
        ]

        described "piecewise" settings (fun step ->
            List.foldBack2
                (fun boundary rate later ->
                    where (lessEqual step (host step (float boundary))) (Tensor.scalar rate) later)
                boundaries
                rates[.. boundaries.Length - 1]
                (Tensor.scalar (List.last rates)))

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
            "inverse_time",
            (fun _ d -> inverseTime (number "rate" d) (whole "every" d) (number "decay" d) (number "staircase" d = 1.0))
            "polynomial",
            (fun _ d ->
                polynomial
                    (number "rate" d)
                    (whole "steps" d)
                    (number "last" d)
                    (number "power" d)
                    (number "cycles" d = 1.0))
            "cosine_restarts",
            (fun _ d ->
                cosineRestarts
                    (number "rate" d)
                    (whole "steps" d)
                    (number "longer" d)
                    (number "lower" d)
                    (number "floor" d))
            "piecewise",
            (fun _ d ->
                let boundaries =
                    d.Settings |> List.filter (fun (name, _) -> name.StartsWith "boundary_") |> List.length

                piecewise [ for i in 0 .. boundaries - 1 -> whole $"boundary_{i}" d ] [
                    for i in 0..boundaries -> number $"rate_{i}" d
                ])
            "warm_up", (fun read d -> warmUp (whole "steps" d) (read (Description.part "schedule" d)))
        ]

    /// The schedule of a description. Errors: `InvalidDataException` where it describes none, `ArgumentException` where its
    /// settings cannot be.
    let rec ofDescription (description: Description) : Schedule =
        match makers.TryFind description.Kind with
        | Some make -> make ofDescription description
        | None -> raise (Description.unknown "schedule" makers.Keys description)
