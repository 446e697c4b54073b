/// Pictures of one style: panels with few lines, direct colours and words in plain sight, side by side in one PNG.
module Examples.Picture

open System
open ScottPlot

/// Colours that stay apart for the colour-blind too (Okabe and Ito, 2008).
let blue, orange, green, yellow, grey =
    Color.FromHex "#0072B2",
    Color.FromHex "#D55E00",
    Color.FromHex "#009E73",
    Color.FromHex "#E69F00",
    Color.FromHex "#8A8F98"

let private ink = Color.FromHex "#22262B"

/// An empty panel with its title and the names of its axes.
let panel (title: string) (x: string) (y: string) : Plot =
    let plot = new Plot()
    plot.Title(title, size = Nullable 17f)
    plot.XLabel(x, size = Nullable 14f)
    plot.YLabel(y, size = Nullable 14f)
    plot.FigureBackground.Color <- Colors.White
    plot.Axes.Color ink
    plot.Axes.Title.Label.ForeColor <- ink
    plot.Grid.MajorLineColor <- Color.FromHex "#E6E8EB"
    plot.Axes.Right.FrameLineStyle.Width <- 0f
    plot.Axes.Top.FrameLineStyle.Width <- 0f
    plot.Axes.Bottom.TickLabelStyle.FontSize <- 12.5f
    plot.Axes.Left.TickLabelStyle.FontSize <- 12.5f
    plot.Axes.Left.MinimumSize <- 72f
    plot.Axes.Right.MinimumSize <- 24f
    plot.Legend.FontSize <- 13f
    plot.Legend.OutlineWidth <- 0f
    plot.Legend.ShadowColor <- Colors.Transparent
    plot.Legend.BackgroundColor <- Colors.White.WithAlpha 0.8
    plot.Font.Set Sans.family |> ignore
    plot

/// A line. Without a name it does not appear in the legend.
let line (colour: Color) (width: float) (name: string) (xs: float[]) (ys: float[]) (plot: Plot) : unit =
    let scatter = plot.Add.ScatterLine(xs, ys, Nullable colour)
    scatter.LineWidth <- float32 width

    if name <> "" then
        scatter.LegendText <- name

/// A cloud of points.
let points (colour: Color) (size: float) (name: string) (xs: float[]) (ys: float[]) (plot: Plot) : unit =
    let scatter = plot.Add.ScatterPoints(xs, ys, Nullable colour)
    scatter.MarkerSize <- float32 size

    if name <> "" then
        scatter.LegendText <- name

/// The area between two lines over the same places.
let between (colour: Color) (xs: float[]) (low: float[]) (high: float[]) (plot: Plot) : unit =
    let fill = plot.Add.FillY(xs, low, high)
    fill.FillColor <- colour
    fill.LineWidth <- 0f
    fill.MarkerSize <- 0f

/// A legend in a corner.
let legend (corner: Alignment) (plot: Plot) : unit = plot.ShowLegend corner |> ignore

let private ticks (names: string[]) : ITickGenerator =
    TickGenerators.NumericManual(Array.init names.Length float, names)

/// A matrix as coloured squares, row 0 at the top; `words` stand in the squares, "" for none.
let matrix (rows: string[]) (columns: string[]) (values: float[,]) (words: string[,]) (plot: Plot) : unit =
    let height = values.GetLength 0
    let map = plot.Add.Heatmap values
    map.Colormap <- Colormaps.Blues().Reversed()
    let low, high = values |> Seq.cast<float> |> Seq.min, values |> Seq.cast<float> |> Seq.max

    for row in 0 .. height - 1 do
        for column in 0 .. values.GetLength 1 - 1 do
            if words[row, column] <> "" then
                let label = plot.Add.Text(words[row, column], float column, float (height - 1 - row))
                label.LabelAlignment <- Alignment.MiddleCenter
                label.LabelFontSize <- 12f
                label.LabelFontName <- Sans.family
                let dark = values[row, column] > low + 0.55 * (high - low)
                label.LabelFontColor <- if dark then Colors.White else ink

    plot.Axes.Bottom.TickGenerator <- ticks columns
    plot.Axes.Left.TickGenerator <- TickGenerators.NumericManual(Array.init height float, Array.rev rows)
    plot.Axes.Bottom.MajorTickStyle.Length <- 0f
    plot.Axes.Left.MajorTickStyle.Length <- 0f
    plot.HideGrid()
    plot.Axes.Margins(0.0, 0.0)

/// Column names written upright, where they would touch each other lying down.
let upright (plot: Plot) : unit =
    plot.Axes.Bottom.TickLabelStyle.Rotation <- -90f
    plot.Axes.Bottom.TickLabelStyle.Alignment <- Alignment.MiddleRight
    plot.Axes.Bottom.MinimumSize <- 100f

/// Marks the vertical axis as powers of ten, for values that are logarithms (base 10) and limits that have been set: a mark
/// every so many powers.
let logarithmic (step: int) (plot: Plot) : unit =
    let limits = plot.Axes.GetLimits()
    let digits = "⁰¹²³⁴⁵⁶⁷⁸⁹"

    let name (power: int) =
        "10" + (string power |> String.map (fun c -> if c = '-' then '⁻' else digits[int c - int '0']))

    let powers = [|
        for power in int (ceil limits.Bottom) .. int (floor limits.Top) do
            if power % step = 0 then
                power
    |]

    plot.Axes.Left.TickGenerator <- TickGenerators.NumericManual(Array.map float powers, Array.map name powers)

/// Bars side by side in groups: for each series its name, colour and one value a group.
let bars (groups: string[]) (series: struct (string * Color * float[]) seq) (plot: Plot) : unit =
    let series = Array.ofSeq series
    let width = 0.8 / float series.Length

    series
    |> Array.iteri (fun place (struct (name, colour, values)) ->
        let bars =
            values
            |> Array.mapi (fun group value ->
                let middle = float group + (float place - 0.5 * float (series.Length - 1)) * width
                Bar(Position = middle, Value = value, FillColor = colour, Size = 0.92 * width, LineWidth = 0f))

        let added = plot.Add.Bars bars

        if name <> "" then
            added.LegendText <- name)

    plot.Axes.Bottom.TickGenerator <- ticks groups
    plot.Axes.Bottom.MajorTickStyle.Length <- 0f
    plot.Axes.Margins(bottom = 0.0)

/// Panels (at least one) in a grid of so many columns as one PNG; each panel has the given size in pixels.
let save (path: string) (columns: int) (width: int, height: int) (panels: Plot seq) : unit =
    let panels = List.ofSeq panels
    let rows = (panels.Length + columns - 1) / columns
    let whole = Multiplot panels.Head

    for plot in panels.Tail do
        whole.AddPlot plot

    whole.Layout <- MultiplotLayouts.Grid(rows, columns)
    whole.SavePng(path, columns * width, rows * height) |> ignore
