/// The search for the smallest width that does.
module internal Functional.Search

open System
open Functional.Target

type private Found = { Net: ApproximationNetwork; Sup: float }

/// Steps of the minimiser between two looks at the grid.
let private stepsInRound = 20

let private mostRounds = 40

/// Whether a run is worth going on with: the best error has to fall towards ε.
let private isHopeful epsilon (history: ResizeArray<float>) =
    let now = history[history.Count - 1]
    let ago n = history[max 0 (history.Count - 1 - n)]
    let far = now / epsilon

    history.Count <= 4
    || (if far > 20.0 then now < 0.7 * ago 4
        elif far > 3.0 then now < 0.85 * ago 5
        else now < 0.97 * ago 8)

/// The starts of a width. On a line, of twice as many drawn: the one that does best before it has learnt anything, one whose
/// units are as wide as they lie apart, and the next best. Across a box how well they begin says little.
let private startsOf (options: ApproximationOptions) (target: Target) (random: Random) (width: int) =
    let start number =
        let density = target.Densities[number % target.Densities.Length]
        let make = Starts.make random options.Activation options.Depth width number target.Grid density
        make target.TrainX target.TrainY

    if target.D > 1 then
        List.init options.Restarts (fun i -> start (2 * i))
    else
        let drawn = List.init (2 * options.Restarts) start
        let error net = Tensor.toFloat (amax (abs (forward options.Activation net target.TrainX - target.TrainY)))
        let sorted = drawn |> List.sortBy error
        let plain, best = drawn.Head, sorted.Head
        let others = sorted.Tail |> List.filter (fun net -> not (obj.ReferenceEquals(net, plain)))
        let plain = if obj.ReferenceEquals(best, plain) then [] else [ plain ]
        best :: plain @ others |> List.truncate options.Restarts

/// Trains networks of a width.
[<Sealed>]
type private Attempt(options: ApproximationOptions, target: Target, out: unit -> bool, width: int) =
    let random = Random(int options.Seed * 7919 + width)
    let kind = options.Activation
    let n = target.TrainX.Shape[0]
    // a table has no other points
    let extra = if target.H = 0.0 then 0 else n / 6
    let equal = Array.create (n + extra) (1.0 / sqrt (float (n + extra)))

    let residual net (x: Tensor, y: Tensor, w: Tensor) = w * (squeeze [ 0 ] (forward kind net (expandDims 0 x)) - y)
    let errors = compile (fun (net, x, y) -> maxOver [ 1 ] (abs (forward kind net x - y)))
    let measured net = errors (net, target.GridX, target.GridY) |> Tensor.toFloats

    let rules = {
        Stopping.after stepsInRound with
            Gradient = 0.0
            Step = 0.0
            Decrease = 0.0
            Patience = 0
    }

    let mutable best: Found voption = ValueNone
    let mutable steps = 0

    let keep net (onGrid: float[]) =
        let sup = Array.max onGrid

        if best.IsNone || sup < best.Value.Sup then
            best <- ValueSome { Net = net; Sup = sup }

    let isDone () = best.IsSome && best.Value.Sup < 0.98 * target.Goal || out ()

    /// The points with places of the grid added, and weights.
    let data (picked: int[]) (weights: float[]) =
        let more (all: Tensor) (grid: Tensor) =
            if extra = 0 then
                all
            else
                concat 0 [ all; take 0 (Tensor.ofSeq (Seq.map int64 picked)) grid ]

        more target.TrainX target.GridX, more target.TrainY target.GridY, Tensor.ofSeq weights |> expandDims -1

    let anywhere () = data (Array.init extra (fun _ -> random.Next target.Grid.Length)) equal

    /// C. L. Lawson's weights, which lead from least squares towards the least sup error; points that are new weigh as much
    /// as the others on average.
    let reweighted (weights: float[]) (r: float[]) =
        let most = Array.max r
        let raised = Array.map2 (fun w e -> w * sqrt (0.3 + e / most)) weights r
        let mean = Array.average raised
        let raised = Array.init raised.Length (fun i -> if i < n then raised[i] else mean)
        let length = sqrt (Array.sumBy (fun w -> w * w) raised)
        raised |> Array.map (fun w -> w / length)

    /// A round of steps: the network after it, and its errors on the grid.
    let round (run: Minimization<_, _>) =
        let report = run.Run rules
        steps <- steps + stepsInRound
        let trained = run.Parameters
        let solved = Starts.solved kind Starts.exactly trained run.Data
        let before, after = measured trained, measured solved
        // the output layer solved for loses no digits to the Gramian
        let net, onGrid = if Array.max after < Array.max before then solved, after else trained, before

        if 2.0 * Array.max onGrid < Array.max before then
            run.Restart net

        keep net onGrid
        net, onGrid, report.Reason

    /// Trains from where the run stands, with new points where the error is large, as long as there is hope.
    let train (run: Minimization<_, _>) =
        let history = ResizeArray<float>()
        let mutable weights = equal
        let mutable isOver = false

        while not isOver do
            let net, onGrid, reason = round run
            let sup = Array.max onGrid
            history.Add(if history.Count = 0 then sup else min sup history[history.Count - 1])

            isOver <-
                isDone ()
                || history.Count >= mostRounds
                || not (isHopeful target.Goal history)
                || reason = StopReason.NoDescent && history.Count > 3

            if not isOver && history.Count >= 2 then
                let x, y, _ = run.Data
                weights <- reweighted weights (errors (net, x, y) |> Tensor.toFloats)
                let picked = Sampling.chosen random extra (onGrid |> Array.map (fun e -> (e / sup) ** 4.0))
                run.Data <- data picked weights

    /// The best of several starts, and how many steps were done; the first below ε ends it.
    member _.Run() : struct (Found * int) =
        let starts = startsOf options target random width

        for net in starts do
            keep net (measured net)

        if not (isDone ()) then
            let objective data = Objective.squares residual data
            use run = new Minimization<_, _>(options.Minimizer, objective, starts.Head, anywhere ())
            train run
            // across a box, starts come to much the same
            let isNear () = target.D = 1 || best.Value.Sup < 3.0 * target.Goal

            for net in starts.Tail do
                if isNear () && not (isDone ()) then
                    run.Data <- anywhere ()
                    run.Restart net
                    train run

        struct (best.Value, steps)

/// Doubles the width until it does, then halves the interval between what does and what does not, down to a sixteenth.
let search (options: ApproximationOptions) (target: Target) (unit': float) =
    let clock = Diagnostics.Stopwatch.StartNew()
    let out () = clock.Elapsed.TotalSeconds > options.Seconds || options.Stop()
    let trials = ResizeArray<ApproximationTrial>()
    let mutable best = None

    let tries width =
        let struct (found, steps) = Attempt(options, target, out, width).Run()
        let trial = { Width = width; Sup = found.Sup * unit'; Steps = steps }
        trials.Add trial
        options.Progress trial
        let reached = found.Sup < target.Goal

        best <-
            match best with
            | Some(_, before: Found) when (before.Sup < target.Goal && not reached) -> best
            | Some(_, before) when not reached && before.Sup <= found.Sup -> best
            | _ -> Some(width, found)

        reached

    let rec doubled failed width =
        if width > options.MaxWidth || (out () && trials.Count > 0) then
            None
        elif tries width then
            Some(failed, width)
        elif width < options.MaxWidth then
            doubled width (min options.MaxWidth (2 * width))
        else
            None

    let rec bisected failed reached =
        if reached - failed > max 1 (reached / 16) && not (out ()) then
            let middle = (failed + reached) / 2
            if tries middle then bisected failed middle else bisected middle reached

    doubled 0 1 |> Option.iter (fun (failed, reached) -> bisected failed reached)
    let width, found = Option.get best
    width, found.Net, List.ofSeq trials, clock.Elapsed.TotalSeconds
