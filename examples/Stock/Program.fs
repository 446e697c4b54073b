/// Stock prediction, f(x₁ … xₙ₋₁) = xₙ: windows over a series, and what comes next. Prices are hard to beat: "tomorrow is
/// today" is a good forecast of a market. So the network is measured against it, and against a linear model of the same
/// windows, walking forward: for every block of days all models learn from the days before it, and only from them. On the
/// built-in series, which has a structure, the network must win; on a series of your own the table tells what is so.
module Stock

open System
open Functional
open Examples
open Functional.Plots

/// Days in a window.
let private length = 10

// ---- the series

/// A made-up price with a structure that only a nonlinear model can use: what a day brings depends on the square of what
/// the day before brought (a noisy logistic map: after a large move in either direction comes a fall), and on the day of
/// the week, which a linear model can see as well.
let private synthetic days =
    let dice = Random 11
    let normal () = sqrt (-2.0 * log (1.0 - dice.NextDouble())) * cos (2.0 * Math.PI * dice.NextDouble())
    let mutable mood, price = 0.3, 100.0

    Array.init days (fun day ->
        mood <- Math.Clamp(1.0 - 1.5 * mood * mood + 0.08 * normal (), -1.2, 1.2)
        price <- price * exp (0.01 * (mood - 0.25) + 0.004 * sin (2.0 * Math.PI * float day / 5.0))
        price)

/// From prices to what each day brought, and back. A series with values of 0 or less has differences instead of logarithms.
type private Scale = { Change: float -> float -> float; Next: float -> float -> float }

let private scaleOf (series: float[]) =
    if Array.forall (fun price -> price > 0.0) series then
        {
            Change = (fun before after -> log (after / before))
            Next = (fun before change -> before * exp change)
        }
    else
        { Change = (fun before after -> after - before); Next = (+) }

// ---- the models: each learns from windows and what followed them, and gives a forecast of one window

/// Least squares, with a constant.
let private linearModel (windows: float[][]) (next: float[]) : float[][] -> float[] =
    let row (window: float[]) = Array.append window [| 1.0 |]
    let x = windows |> Array.map row |> Tensor.ofRows
    let square = transpose x *@ x + 1e-6 * Tensor.eye DType.Float64 (length + 1)
    let weights = LinearAlgebra.solve square (transpose x *@ Tensor.create [ next.Length; 1 ] next)
    fun windows -> (windows |> Array.map row |> Tensor.ofRows) *@ weights |> Tensor.toFloats

type Net = { First: Dense; Second: Dense; Last: Dense }

let private predict net = dense net.First >> tanh >> dense net.Second >> tanh >> dense net.Last

let private initial key =
    let keys = Key.split 3 key

    {
        First = Dense.init keys[0] length 32
        Second = Dense.init keys[1] 32 32
        Last = Dense.init keys[2] 32 1
    }

/// A network of two hidden layers. The last tenth of what it may know decides when it stops.
let private network (windows: float[][]) (next: float[]) : float[][] -> float[] =
    let inputs (windows: float[][]) = windows |> Tensor.ofRows |> cast DType.Float32

    let data =
        Dataset.create (inputs windows) (Tensor.create [ next.Length; 1 ] (next |> Array.map float32))

    let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.adam 0.003) []

    let options = {
        FitOptions.create 60 with
            Batching = Batching.ofSize 64
            Validation = Fraction 0.1
            Callbacks = [
                Callbacks.earlyStopping { Monitor = Monitor.create "val_loss"; Patience = 10; RestoreBest = true }
            ]
            Display = Silent
    }

    let fitted = Training.fit options trainer (initial (Key.create 1L)) data
    fun windows -> Training.predict 1_000 trainer fitted.Parameters (inputs windows) |> Tensor.toFloats

// ---- walking forward

/// One block of days: the real prices, and each model's forecasts of them.
type private Block = { First: int; Real: float[]; Today: float[]; Linear: float[]; Network: float[] }

/// Learns from the days before `first` and forecasts each day from `first` to before `stop`, knowing the day before it.
/// What the changes are standardised by is taken from the days before `first` too.
let private walk (series: float[]) (first: int) (stop: int) =
    let scale = scaleOf series[.. first - 1]
    let changes = Array.pairwise series |> Array.map (fun (before, after) -> scale.Change before after)
    // changes[i] leads from day i to day i + 1
    let known = changes[.. first - 2]
    let mean = Array.average known
    let deviation = max 1e-12 (sqrt (known |> Array.averageBy (fun c -> (c - mean) ** 2.0)))
    let standard = changes |> Array.map (fun c -> (c - mean) / deviation)
    let windowBefore i = standard[i - length .. i - 1]
    let learnFrom = [| length .. first - 2 |]
    let forecast = [| first - 1 .. stop - 2 |]
    let windows, next = Array.map windowBefore learnFrom, learnFrom |> Array.map (fun i -> standard[i])

    let prices (model: float[][] -> float[]) =
        Array.map2
            (fun i change -> scale.Next series[i] (change * deviation + mean))
            forecast
            (model (Array.map windowBefore forecast))

    {
        First = first
        Real = series[first .. stop - 1]
        Today = series[first - 1 .. stop - 2]
        Linear = prices (linearModel windows next)
        Network = prices (network windows next)
    }

let private rmse (forecast: float[]) (real: float[]) =
    Array.map2 (fun f r -> (f - r) ** 2.0) forecast real |> Array.average |> sqrt

// ---- pictures

let private models = [
    "tomorrow is today", Palette.Grey, (fun block -> block.Today)
    "linear model", Palette.Orange, (fun block -> block.Linear)
    "network", Palette.Blue, (fun block -> block.Network)
]

/// The last days, with what was said of each the day before.
let private forecastPanel name (block: Block) =
    let count = min 60 block.Real.Length
    let last (values: float[]) = values[values.Length - count ..]
    let days = Array.init count (fun i -> float (block.First + block.Real.Length - count + i))
    let panel = Chart($"The last {count} days, each forecast from the days before it", "day", name)
    panel.Line("what came", days, last block.Real, Palette.Ink, 2.0) |> ignore
    panel.Line("tomorrow is today", days, last block.Today, Palette.Grey, 1.5) |> ignore
    panel.Points("network", days, last block.Network, Palette.Blue, 8.0) |> ignore
    panel.Legend(Corner.UpperLeft) |> ignore
    panel.Plot.Axes.AutoScale()
    let limits = panel.Plot.Axes.GetLimits()
    // room for the legend
    panel.Plot.Axes.SetLimitsY(limits.Bottom, limits.Top + 0.25 * limits.VerticalSpan)
    panel

/// Each day's change against that of the day before: what came, and what the network says comes.
let private structurePanel (series: float[]) (blocks: Block list) =
    let scale = scaleOf series
    let percent before after = 100.0 * scale.Change before after

    let pairs (chosen: Block -> float[]) =
        blocks
        |> List.toArray
        |> Array.collect (fun block ->
            chosen block
            |> Array.mapi (fun i value ->
                percent series[block.First + i - 2] block.Today[i], percent block.Today[i] value))
        |> Array.unzip

    let panel =
        Chart(
            "What a day brings, against what the day before brought",
            "change of the day before (log, %)",
            "change (log, %)"
        )

    let x, y = pairs _.Real
    panel.Points("what came", x, y, Palette.Grey.WithAlpha 0.5, 6.0) |> ignore
    let x, y = pairs _.Linear
    panel.Points("linear model", x, y, Palette.Orange.WithAlpha 0.6, 3.5) |> ignore
    let x, y = pairs _.Network
    panel.Points("network", x, y, Palette.Blue.WithAlpha 0.6, 3.5) |> ignore
    panel.Legend(Corner.LowerLeft) |> ignore
    panel

let private errorPanel (blocks: Block list) =
    let panel =
        Chart(
            "Error on each block, relative to \"tomorrow is today\"",
            "days forecast",
            "root mean squared error, ratio"
        )

    let names = blocks |> List.map (fun b -> $"{b.First}–{b.First + b.Real.Length - 1}") |> Array.ofList
    let ratio forecast = blocks |> List.map (fun b -> rmse (forecast b) b.Real / rmse b.Today b.Real) |> Array.ofList

    let series = [| for name, colour, forecast in models -> struct (name, colour, ratio forecast) |]
    let highest = models |> List.map (fun (_, _, forecast) -> Array.max (ratio forecast)) |> List.max
    panel.Bars(names, series).LimitsY(0.0, 1.35 * highest).Legend()

[<EntryPoint>]
let main arguments =
    let command =
        Command(
            "Stock",
            [
                struct ("csv", "file with a series, oldest day first (default: a built-in made-up series)")
                struct ("column", "the column of the series (default Close)")
            ],
            arguments
        )

    let column = command.Text "column" |> Option.ofObj |> Option.defaultValue "Close"

    let name, series =
        match command.Text "csv" with
        | null -> "made-up price", synthetic 2_000
        | path ->
            let table = Csv.read Csv.defaults path |> Csv.dropMissing [ column ]
            column, Csv.numbers [ column ] table |> Tensor.toFloats

    if series.Length < 200 then
        eprintfn $"Stock: {series.Length} days are too few to learn from; 200 are needed"
        exit 2

    // the last 40 % in four blocks
    let edge i = series.Length * (6 + i) / 10
    let blocks = [ for i in 0..3 -> walk series (edge i) (edge (i + 1)) ]
    let all chosen = blocks |> List.map chosen |> Array.concat
    let real = all _.Real

    printfn
        $"{series.Length} days; the last {real.Length} are forecast one by one in 4 blocks, each by models that learnt from the days before the block."

    printfn "%-20s %10s %8s   %s" "" "rmse" "ratio" "direction right"
    let today = rmse (all _.Today) real

    let ratios = [
        for name, _, forecast in models do
            let said = all forecast
            let error = rmse said real
            let before = all _.Today

            let right =
                Array.map3 (fun s r b -> if (s - b) * (r - b) > 0.0 then 1.0 else 0.0) said real before
                |> Array.average

            let direction = if name = "tomorrow is today" then "-" else sprintf "%.1f %%" (100.0 * right)
            printfn "%-20s %10.4f %8.3f   %s" name error (error / today) direction
            error / today
    ]

    let path = command.File "stock.png"

    Figure.Save(
        path,
        3,
        640,
        480,
        [ forecastPanel name (List.last blocks); structurePanel series blocks; errorPanel blocks ]
    )

    command.Announce path
    let linear, network = ratios[1], ratios[2]

    if network < 0.98 && network < 0.98 * linear then
        printfn
            $"The network found structure: its error is {100.0 * network:F0} %% of that of \"tomorrow is today\", the linear model's {100.0 * linear:F0} %%."
    elif network < 0.98 then
        printfn "There is structure, but the linear model finds it as well: no network is needed here."
    else
        printfn
            "The network does no better than \"tomorrow is today\" by more than chance may give: do not trade on it."

    Command.Result("rmse-ratio", network)
    0
