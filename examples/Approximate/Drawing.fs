/// The network as pictures: it over what it approximates, its error, and the error against the width.
module Generator.Drawing

open Functional
open Functional.Plots

let private rows (t: Tensor) = Tensor.toFloats t |> Array.chunkBySize t.Shape[1]

/// The least error of each width, and the rate at which it falls.
let private convergence (a: Approximation) =
    let trials: ApproximationTrial[] = a.Trials |> List.sortBy _.Width |> Array.ofList
    let widths = trials |> Array.map (fun t -> float t.Width)

    let chart =
        Draw.Convergence(
            "Error against the number of units",
            "N",
            widths,
            struct ("sup error", trials |> Array.map _.Sup)
        )

    let edges = [| widths[0]; max (widths[0] + 1.0) (Array.last widths) |]
    chart.Line("ε", edges, [| a.Epsilon; a.Epsilon |], Palette.Orange, 1.5)

let private onLine (path: string) (title: string) (variable: string) (a: Approximation) (f: Tensor -> Tensor) =
    let low, high = a.Box.Head
    let x = Tensor.linspace low high 2_001 |> expandDims -1
    let xs, wanted, found = Tensor.toFloats x, rows (f x), rows (a.Apply x)
    let fit = Chart(title, variable, "")
    let errors = Chart($"Error: {a.Sup:G3} at most", variable, "error", logY = true)

    for k in 0 .. wanted[0].Length - 1 do
        let name = if wanted[0].Length = 1 then "" else $" {k + 1}"
        let column (values: float[][]) = values |> Array.map (fun row -> row[k])
        fit.Line($"function{name}", xs, column wanted, Palette.Grey, 5.0) |> ignore
        fit.Line($"network{name}, N = {a.Width}", xs, column found, Palette.Of k, 2.0) |> ignore
        let off = Array.map2 (fun p q -> abs (p - q)) (column wanted) (column found)
        errors.Line((if name = "" then "" else $"output{name}"), xs, off, Palette.Of k, 1.5) |> ignore

    errors.Line("ε", [ low; high ], [ a.Epsilon; a.Epsilon ], Palette.Orange, 1.5) |> ignore
    Figure.Save(path, 3, 620, 460, [ fit.Legend(); errors.Legend(); convergence a ])

let private onRectangle
    (path: string)
    (title: string)
    (variables: string list)
    (a: Approximation)
    (f: Tensor -> Tensor)
    =
    let n = 121
    let x, y = variables[0], variables[1]
    let place (low, high) i = low + (high - low) * float i / float (n - 1)

    let points =
        Tensor.ofRows [
            for row in 0 .. n - 1 do
                for column in 0 .. n - 1 -> [ place a.Box[0] column; place a.Box[1] row ]
        ]
    // rows go up along y; of several outputs, the first is shown
    let plane (t: Tensor) = (let values = rows t in Array2D.init n n (fun row column -> values[row * n + column][0]))
    let wanted, found = plane (f points), plane (a.Apply points)
    let range k = (let low, high = a.Box[k] in struct (low, high))
    let map title values = Draw.HeatMap(title, x, y, values, range 0, range 1)
    let off = Array2D.init n n (fun i j -> abs (wanted[i, j] - found[i, j]))

    Figure.Save(
        path,
        3,
        600,
        460,
        [
            map title wanted
            map $"The network, N = {a.Width}" found
            map $"Error: {a.Sup:G3} at most" off
            Draw.Surface(title, x, y, wanted, range 0, range 1)
            Draw.Surface("The network", x, y, found, range 0, range 1)
            convergence a
        ]
    )

/// A table: what is in it against what the network says.
let ofTable (path: string) (source: string) (a: Approximation) (x: float[][]) (y: float[][]) : unit =
    let said = rows (a.Apply(Tensor.ofRows (Seq.map Seq.ofArray x)))
    let truth, answers = Array.concat y, Array.concat said
    let ends = [ Array.min truth; Array.max truth ]

    let chart =
        Chart(source, "in the table", "the network")
            .Line("perfect", ends, ends, Palette.Grey, 1.5)
            .Points("rows", truth, answers, Palette.Blue)

    Figure.Save(path, 2, 620, 460, [ chart.Legend Corner.UpperLeft; convergence a ])

/// A function of one variable or two; of more, the widths alone.
let ofFunction (path: string) (title: string) (variables: string list) (a: Approximation) (f: Tensor -> Tensor) : unit =
    match variables with
    | [ variable ] -> onLine path title variable a f
    | [ _; _ ] -> onRectangle path title variables a f
    | _ -> (convergence a).Save path
