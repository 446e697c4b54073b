/// The vanishing gradient. The adding problem (Hochreiter and Schmidhuber, "Long short-term memory", 1997): a sequence of
/// pairs (random number, marker); two of the numbers are marked, and their sum is asked for at the end. To learn it, a
/// network must know how its last answer depends on what it saw up to T steps before: ∂loss/∂input has to get there. The
/// size of this gradient against the lag is measured for a plain recurrent network, an LSTM and a GRU, before and after
/// they have learnt.
module VanishingGradient

open System
open Functional
open Examples
open Functional.Plots

// ---- the problem

/// Sequences [batch, T, 2] and the sums [batch, 1]. One number is marked in the first half, one in the second.
let private problem length batch key =
    let keys = Key.split 3 key
    let values = Random.uniform DType.Float32 [ batch; length ] keys[0]
    let half = length / 2

    let marker first count key =
        let place = floor (float count * Random.uniform DType.Float32 [ batch; 1 ] key) + float first
        equal (cast DType.Float32 (Tensor.iota length)) place |> cast DType.Float32

    let markers = marker 0 half keys[1] + marker half (length - half) keys[2]
    stack -1 [ values; markers ], sumKeep [ -1 ] (values * markers)

/// The mean squared error of always saying 1: the variance of the sum of two numbers from [0, 1].
let private guessing = 1.0 / 6.0

// ---- the networks: a cell that reads the sequence, and a weighted sum of its last output

type Net<'P> = { Cell: 'P; Readout: Dense }

let private predict cell net x = Recurrent.last cell Recurrent.defaults net.Cell x |> dense net.Readout

/// How much of the last step a gate keeps, at first: biases that make memories of every age from 1 to T steps (Tallec and
/// Ollivier, "Can recurrent neural networks warp time?", 2018). With a gate's usual bias, memories fade within a few steps.
let private ages length units key = Random.uniform DType.Float32 [ units ] key * float (length - 2) + 1.0 |> log

/// The forget gate keeps, the input gate takes what is left.
let private rememberingLstm length key (p: Lstm) =
    let part = p.RecurrentKernel.Shape[0]
    let age = ages length part key

    {
        p with
            Bias = p.Bias |> Option.map (fun bias -> concat 0 [ -age; age; narrow 0 (2 * part) (2 * part) bias ])
    }

/// The update gate keeps.
let private rememberingGru length key (p: Gru) =
    let part = p.RecurrentKernel.Shape[0]

    {
        p with
            Bias = p.Bias |> Option.map (fun bias -> concat 0 [ ages length part key; narrow 0 part (2 * part) bias ])
    }

/// Weights as they were usual before orthogonal matrices: uniform within ±1/√units.
let private usual (units: int) =
    let bound = 1.0 / sqrt (float units)
    { Cell.defaults with RecurrentInitializer = Initializer.uniform -bound bound }

// ---- learning and measuring

/// The mean size of ∂loss/∂input for each lag: how strongly the loss depends on what was read so many steps before the
/// end. In Float64, since what vanishes would be nothing at all in Float32.
let private gradientByLag cell net (x, y) =
    let wide tree = Tree.map (cast DType.Float64) tree
    let net, x, y = wide net, cast DType.Float64 x, cast DType.Float64 y
    let examples = x.Shape[0]
    let loss x = Loss.meanSquaredError y (predict cell net x) * float examples
    let sizes = grad loss x |> square |> sumOver [ 2 ] |> sqrt |> meanOver [ 0 ] |> Tensor.toFloats
    Array.rev sizes

type private Learnt = {
    Name: string
    Colour: ScottPlot.Color
    Before: float[]
    After: float[]
    /// Held-out errors, and after how many steps.
    Steps: float[]
    Errors: float[]
    /// Of sequences nobody has seen: the sums, and what the network says.
    Sums: float[]
    Answers: float[]
    Error: float
    Seconds: float
}

type private Settings = { Length: int; Units: int; Batch: int; Training: int; Rate: float; Seed: int }

let private learn settings name colour (cell: Cell<'P, 'S>) start remember =
    let clock = Diagnostics.Stopwatch.StartNew()
    let keys = Key.split 5 (Key.create (int64 settings.Seed))

    let net = {
        Cell = cell.Initialize start keys[0] 2 settings.Units |> remember keys[1]
        Readout = Dense.init keys[2] settings.Units 1
    }

    let optimizer =
        Adam.create {
            Adam.defaults with
                Rate = Schedule.cosine settings.Rate settings.Training 0.0
        }
        |> Optimizer.clipByGlobalNorm 1.0

    // every step draws new sequences: there is nothing to learn by heart
    use stepper =
        new Stepper<_, _, _>(
            (fun (net, memory) key ->
                let x, y = problem settings.Length settings.Batch key
                let loss, gradient = valueAndGrad (fun net -> Loss.meanSquaredError y (predict cell net x)) net
                Optimizer.step optimizer gradient memory net, loss),
            (net, Optimizer.init optimizer net)
        )

    let held, last =
        problem settings.Length 1_000 keys[3], problem settings.Length 4_000 (Key.fold 1L keys[3])

    let answer = compile (fun (net, x) -> predict cell net x)
    let error net (x, y) = Loss.meanSquaredError y (answer (net, x)) |> Tensor.toFloat
    let before = gradientByLag cell net held
    let every = max 1 (settings.Training / 50)
    let curve = ResizeArray [ 0.0, error net held ]

    for step in 1 .. settings.Training do
        stepper.Step(Key.fold (int64 step) keys[4])

        if step % every = 0 || step = settings.Training then
            curve.Add(float step, error (fst (stepper.Snapshot())) held)

    let net = fst (stepper.Snapshot())
    let x, y = last
    let steps, errors = Array.unzip (curve.ToArray())

    let learnt = {
        Name = name
        Colour = colour
        Before = before
        After = gradientByLag cell net held
        Steps = steps
        Errors = errors
        Sums = Tensor.toFloats y
        Answers = Tensor.toFloats (answer (net, x))
        Error = error net last
        Seconds = clock.Elapsed.TotalSeconds
    }

    printfn $"%-22s{name} mean squared error on 4,000 new sequences %.5f{learnt.Error}   (%.0f{learnt.Seconds} s)"
    learnt

// ---- pictures

let private gradientPanel title low high (sizes: Learnt -> float[]) (all: Learnt list) =
    let panel = Chart(title, "lag: steps before the end", "size of ∂loss/∂input", logY = true)

    for learnt in all do
        let sizes = sizes learnt
        let lags = Array.init sizes.Length float
        panel.Line(learnt.Name, lags, sizes, learnt.Colour, 2.5) |> ignore

    let steps = (sizes (List.head all)).Length
    panel.LimitsX(0.0, float (steps - 1)).LimitsY(low, high).Legend Corner.LowerLeft

let private curvePanel (all: Learnt list) =
    let panel =
        Chart(
            "Learning the sum of two marked numbers",
            "training steps",
            "mean squared error, new sequences",
            logY = true
        )

    let steps = (List.head all).Steps
    let last = Array.last steps

    panel.Line("always saying 1", [| 0.0; last |], Array.replicate 2 guessing, Palette.Grey, 1.5)
    |> ignore

    for learnt in all do
        panel.Line(learnt.Name, learnt.Steps, learnt.Errors, learnt.Colour, 2.5) |> ignore

    panel.LimitsX(0.0, last).LimitsY(1e-5, 2.0).Legend Corner.LowerLeft

let private answerPanel (all: Learnt list) =
    let panel = Chart("What they say of new sequences", "the sum", "the network's answer")
    panel.Line("", [| 0.0; 2.0 |], [| 0.0; 2.0 |], Palette.Grey, 1.5) |> ignore

    // smaller and smaller, so that none covers those before it
    for size, learnt in List.zip [ 9.0; 4.0; 8.0; 4.0 ] all do
        let some = Array.truncate 400
        panel.Points(learnt.Name, some learnt.Sums, some learnt.Answers, learnt.Colour, size) |> ignore

    panel.Legend(Corner.UpperLeft) |> ignore
    panel.Plot.Axes.SetLimits(0.0, 2.0, 0.0, 2.0)
    panel

[<EntryPoint>]
let main arguments =
    let command =
        Command(
            "VanishingGradient",
            [
                struct ("length", "T, the number of steps in a sequence, at least 4 (default 100)")
                struct ("units", "units of each network (default 64)")
                struct ("seed", "what weights and sequences are drawn from (default 1)")
                struct ("steps", "training steps (default 2000)")
            ],
            arguments
        )

    let settings = {
        // two halves, in each of which a place can be drawn
        Length = max 4 (command.Count("length", 100))
        Units = command.Count("units", 64)
        Batch = 32
        Training = command.Count("steps", 2_000)
        Rate = 0.01
        Seed = command.Number("seed", 1)
    }

    printfn
        $"The adding problem over {settings.Length} steps; always saying 1 has a mean squared error of %.4f{guessing}."

    let keep _ p = p

    let plain = learn settings "plain RNN" Palette.Orange SimpleRnn.cell (usual settings.Units) keep

    let orthogonal = learn settings "plain RNN, orthogonal" Palette.Yellow SimpleRnn.cell Cell.defaults keep

    let lstm = learn settings "LSTM" Palette.Blue Lstm.cell Cell.defaults (rememberingLstm settings.Length)

    let gru = learn settings "GRU" Palette.Green Gru.cell Cell.defaults (rememberingGru settings.Length)

    let all = [ plain; orthogonal; lstm; gru ]

    printfn ""
    let first = $"{settings.Length - 1} earlier"
    let short (size: float) = size.ToString("0.0e0", Globalization.CultureInfo.InvariantCulture)
    printfn "Size of ∂loss/∂input           before learning             after learning"
    printfn $"                            at the end %10s{first}       at the end %10s{first}"

    for learnt in all do
        printfn
            $"%-26s{learnt.Name}%10s{short learnt.Before[0]} %10s{short (Array.last learnt.Before)}       %10s{short learnt.After[0]} %10s{short (Array.last learnt.After)}"

    let sizes =
        all |> List.collect (fun l -> [ yield! l.Before; yield! l.After ]) |> List.filter (fun g -> g > 0.0)

    let low = 10.0 ** floor (log10 (List.min sizes))
    let high = 10.0 ** ceil (log10 (List.max sizes))
    let path = command.File "vanishing-gradient.png"

    Figure.Save(
        path,
        2,
        700,
        460,
        [
            gradientPanel "Before learning: how far the gradient reaches" low high _.Before all
            gradientPanel "After learning" low high _.After all
            curvePanel all
            answerPanel all
        ]
    )

    command.Announce path
    let reach (sizes: float[]) = sizes[0] / Array.last sizes

    printfn ""

    printfn
        $"Over {settings.Length - 1} steps the plain network's gradient shrinks 10^%.0f{log10 (reach plain.Before)} times before it has learnt anything, the LSTM's %.1f{reach lstm.Before} times, the GRU's %.1f{reach gru.Before} times."

    for learnt in all do
        if learnt.Error < 0.01 then
            printfn
                $"{learnt.Name}: has learnt to add the two numbers, wherever they stand; it is off by %.3f{sqrt learnt.Error}."
        elif learnt.Error > 0.9 * guessing then
            printfn $"{learnt.Name}: has learnt nothing better than to say 1."
        else
            printfn $"{learnt.Name}: has learnt part of it; it is off by %.3f{sqrt learnt.Error}."

    Command.Result("mse", max lstm.Error gru.Error)
    0
