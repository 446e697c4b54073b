namespace Functional

// A tool for users: is the gradient of this function right? It is compared with differences of the function's values,
// and the two modes with each other.

open System

/// What a check found in one tensor of the parameters.
type LeafCheck = {
    /// `Hidden1.Weights`; empty for a bare tensor.
    Path: string
    Shape: int[]
    /// The largest relative error among the elements that were looked at.
    Error: float
    /// The element with that error, one index per axis.
    Place: int[]
    /// Its derivative by reverse mode.
    Gradient: float
    /// Its derivative by extrapolated differences.
    Differences: float
}

/// What a check found.
type GradientCheck = {
    /// The function's value.
    Value: float
    /// One for each tensor that is differentiated.
    Leaves: LeafCheck[]
    /// The relative error of ⟨gradient, v⟩ = the derivative along v by forward mode, for a v drawn at random.
    ForwardError: float
    /// The relative error that is allowed.
    Tolerance: float
} with

    /// An error in a few letters: 4.4e-14.
    static member internal Short(error: float) = error.ToString("0.#e-0", Globalization.CultureInfo.InvariantCulture)

    /// The leaf that is furthest off, if there is any.
    member c.Worst =
        if c.Leaves.Length = 0 then
            None
        else
            Some(c.Leaves |> Array.maxBy (fun l -> l.Error))

    /// Whether every error is within the tolerance.
    member c.Passed =
        c.ForwardError <= c.Tolerance && c.Leaves |> Array.forall (fun l -> l.Error <= c.Tolerance)

    override c.ToString() =
        let mark error = if error <= c.Tolerance then "ok" else "WRONG"
        let path leaf = if leaf.Path = "" then "parameter" else leaf.Path
        let width = c.Leaves |> Array.fold (fun w l -> max w (path l).Length) 12

        let lines = [|
            yield $"gradient of a value of %.6g{c.Value}, tolerance {GradientCheck.Short c.Tolerance}"
            for l in c.Leaves do
                let place = String.Join(", ", l.Place)

                yield
                    $"  {(path l).PadRight width}  {mark l.Error, -5}  error {GradientCheck.Short l.Error} at [{place}]: gradient %.12g{l.Gradient}, differences %.12g{l.Differences}"
            yield
                $"""  {"forward mode".PadRight width}  {mark c.ForwardError, -5}  error {GradientCheck.Short c.ForwardError}"""
        |]

        String.Join("\n", lines)

/// Checks of gradients.
[<RequireQualifiedAccess>]
module Check =

    /// Elements looked at in one leaf; of larger leaves an evenly spaced choice.
    [<Literal>]
    let private Elements = 1000

    /// The derivative at 0 of a function of one number: central differences at halved steps, extrapolated to step 0; of
    /// all the extrapolations the one that agrees best with those it was made from (Ridders 1982).
    let private differentiate (step: float) (f: float -> float) : float =
        let mutable best, error = nan, infinity
        let mutable previous = [||]

        for k in 0..7 do
            let h = step / float (1 <<< k)
            let row = Array.zeroCreate (k + 1)
            row[0] <- (f h - f -h) / (2.0 * h)

            for j in 1..k do
                let factor = float (1L <<< (2 * j))
                row[j] <- row[j - 1] + (row[j - 1] - previous[j - 1]) / (factor - 1.0)
                let e = max (abs (row[j] - row[j - 1])) (abs (row[j] - previous[j - 1]))

                if e < error || Double.IsNaN best then
                    best <- row[j]
                    error <- if Double.IsNaN e then infinity else e

            previous <- row

        best

    /// The numbers of a leaf, read at every level.
    let private floats (t: Tensor) = Tensor.toFloats (Tensor.detach t)

    let private relative (floor: float) (a: float) (b: float) =
        if a = b then
            0.0
        else
            let e = abs (a - b) / max floor (max (abs a) (abs b))
            if Double.IsNaN e then infinity else e

    /// How well a leaf's gradient agrees with differences at some elements: the place where it does worst. Differences cannot
    /// resolve less than the rounding of the function's value, and a derivative next to a far larger one of the same leaf is
    /// judged on that one's scale.
    let private compareLeaf
        path
        (shape: int[])
        (value: float)
        (gradient: float[])
        (elements: int[])
        (differences: float[])
        : LeafCheck =
        let scale = elements |> Array.fold (fun m k -> max m (abs gradient[k])) 0.0
        let floor = max 1e-12 (max (1e-3 * scale) (1e-4 * abs value))
        let error k = relative floor gradient[elements[k]] differences[k]

        let at error place gradient differences = {
            Path = path
            Shape = shape
            Error = error
            Place = place
            Gradient = gradient
            Differences = differences
        }

        if elements.Length = 0 then
            at 0.0 [||] 0.0 0.0
        else
            let worst = Seq.maxBy error (seq { 0 .. elements.Length - 1 })
            at (error worst) (Shape.place shape elements[worst]) gradient[elements[worst]] differences[worst]

    /// `gradient` with a tolerance of one's own.
    let gradientWithin (tolerance: float) (f: 'P -> Tensor) (p: 'P) : GradientCheck =
        requireFloats "Check.gradient" p (Tree.leaves p)
        // Differences of Float32 are too coarse to judge by.
        let leaves =
            Tree.leaves p |> Array.map (fun x -> if x.DType = DType.Float32 then cast DType.Float64 x else x)

        let p = Tree.rebuild p leaves
        let paths = Tree.paths p

        let isVaried =
            Array.map2 (fun trained (x: Tensor) -> trained && x.DType.IsFloat()) (Tree.trainable p) leaves

        let value, gradient = valueAndGrad f p
        let gradients = Tree.leaves gradient |> Array.map floats
        let numbers = Array.map floats leaves
        let value = Tensor.toFloat (Tensor.detach value)

        /// The function's value with one element moved.
        let moved leaf element (by: float) =
            let elements = Array.copy numbers[leaf]
            elements[element] <- elements[element] + by
            let changed = Array.copy leaves
            changed[leaf] <- Tensor.create leaves[leaf].Shape elements
            f (Tree.rebuild p changed) |> Tensor.detach |> Tensor.toFloat

        let looked = [|
            for i in 0 .. leaves.Length - 1 do
                if isVaried[i] then
                    let n = numbers[i].Length
                    let elements = [| 0 .. max 1 (n / Elements) .. n - 1 |]

                    i,
                    elements,
                    elements
                    |> Array.map (fun k -> differentiate (0.01 * max 1.0 (abs (Array.item k numbers[i]))) (moved i k))
        |]

        let random = Random 1
        let direction = numbers |> Array.map (Array.map (fun _ -> 2.0 * random.NextDouble() - 1.0))

        let tangent =
            Array.map2 (fun (x: Tensor) (d: float[]) -> Tensor.create x.Shape d |> cast x.DType) leaves direction
            |> Tree.rebuild p

        let forward = Tensor.toFloat (Tensor.detach (snd (jvp f p tangent)))
        let terms = Array.map2 (Array.map2 (*)) gradients direction |> Array.concat

        {
            Value = value
            Leaves = [|
                for i, elements, differences in looked ->
                    compareLeaf paths[i] leaves[i].Shape value gradients[i] elements differences
            |]
            ForwardError = relative (max 1e-12 (1e-3 * Array.sumBy abs terms)) (Array.sum terms) forward
            Tolerance = tolerance
        }

    /// Compares the gradient of a function that returns one number with differences of its values, extrapolated to step
    /// 0, for every element of a tree of parameters (of leaves with more than a thousand elements an evenly spaced
    /// choice), and reverse mode with forward mode by the adjoint identity. Errors are relative; 10⁻⁸ is allowed. At a
    /// kink differences and derivative rightly disagree: check beside it. The check is made in Float64, whatever the
    /// parameters are; data that the function closes over must be Float64, too.
    /// Example: `printfn "%O" (Check.gradient (fun x -> sum (sin x)) (Tensor.ofSeq [1.0; 2.0]))`.
    let gradient (f: 'P -> Tensor) (p: 'P) : GradientCheck = gradientWithin 1e-8 f p

    /// Raises an error that shows the whole check, the worst leaf first, where the gradient is wrong.
    /// Example, in a test: `Check.assertGradient (fun net -> sum (sin net.W)) { W = scalar 2.0 }`.
    let assertGradient (f: 'P -> Tensor) (p: 'P) : unit =
        let c = gradient f p

        if not c.Passed then
            let where =
                match c.Worst with
                | Some l when l.Error > c.Tolerance ->
                    let place = String.Join(", ", l.Place)
                    let path = if l.Path = "" then "the parameter" else l.Path
                    $"is wrong by {GradientCheck.Short l.Error} in {path} at [{place}]: gradient %.12g{l.Gradient}, differences %.12g{l.Differences}"
                | _ ->
                    $"by reverse mode and the derivative by forward mode differ by {GradientCheck.Short c.ForwardError}"

            invalidOp $"the gradient {where}\n{c}"
