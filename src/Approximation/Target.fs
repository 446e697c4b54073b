/// What the search takes from a function, and what it refuses.
module internal Functional.Target

open System
open System.Globalization

let number (x: float) = x.ToString("G6", CultureInfo.InvariantCulture)

/// A function over [−1, 1]ᵈ with values about as large, and all that the search takes from it.
type Target = {
    D: int
    Grid: float[][]
    /// Neighbours' distance; 0 for a table, which has nothing between its points.
    H: float
    GridX: Tensor
    GridY: Tensor
    TrainX: Tensor
    TrainY: Tensor
    /// Densities of units on a line, for the starts in turn.
    Densities: float[][]
    /// ε in these units.
    Goal: float
}

let matrix (rows: float[][]) : Tensor = Tensor.ofRows (Seq.map Seq.ofArray rows)

let rows (t: Tensor) = Tensor.toFloats t |> Array.chunkBySize (if t.Rank = 1 then 1 else t.Shape[1])

let sizeAt (error: float[]) = error |> Array.fold (fun m e -> max m (abs e)) 0.0

let check (options: ApproximationOptions) (box: (float * float) list) =
    if not (options.Epsilon > 0.0 && options.Epsilon < infinity) then
        invalidArg "options" $"Approximate.find: epsilon is {number options.Epsilon}; it is a positive number"

    for name, count in [ "Depth", options.Depth; "Restarts", options.Restarts; "MaxWidth", options.MaxWidth ] do
        if count < 1 then
            invalidArg "options" $"Approximate.find: {name} is {count}; it is at least 1"

    if box.IsEmpty || box.Length > Sampling.mostVariables then
        invalidArg
            "box"
            $"Approximate.find: a box of {box.Length} intervals; there are 1 to {Sampling.mostVariables}, one a variable"

    for low, high in box do
        if not (low < high && Double.IsFinite low && Double.IsFinite high) then
            invalidArg
                "box"
                $"Approximate.find: an interval from {number low} to {number high}; it goes from a number to a larger one"

let finite (x: float[][]) (y: float[][]) =
    match y |> Array.tryFindIndex (Array.forall Double.IsFinite >> not) with
    | Some i ->
        let at = x[i] |> Array.map number |> String.concat ", "
        let value = y[i] |> Array.map number |> String.concat ", "
        invalidArg "f" $"Approximate.find: the function is not finite on its box: at ({at}) it is {value}"
    | None -> ()

/// The middle of the values and the largest distance from it; refuses an ε that rounding hides.
let scaleOf (epsilon: float) (y: float[][]) =
    let m = y[0].Length
    let low = Array.init m (fun k -> y |> Array.fold (fun least row -> min least row[k]) infinity)
    let high = Array.init m (fun k -> y |> Array.fold (fun most row -> max most row[k]) -infinity)
    let middle = Array.map2 (fun a b -> 0.5 * a + 0.5 * b) low high
    let half = Array.map2 (fun a b -> 0.5 * b - 0.5 * a) low high |> Array.max
    let largest = y |> Array.fold (fun most row -> max most (sizeAt row)) 0.0
    let least = 32.0 * 2.220446049250313e-16 * largest

    if epsilon < least then
        invalidArg
            "options"
            $"Approximate.find: epsilon is {number epsilon}, and values up to {number largest} are not computed that precisely in Float64; ask for {number least} or more"

    middle, (if half > 0.0 then half else 1.0)
