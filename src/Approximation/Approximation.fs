namespace Functional

// What is asked for when a network is to approximate a function, and what is given back.

open System
open System.Globalization

/// What the units of hidden layers compute.
[<RequireQualifiedAccess>]
type HiddenActivation =
    | Sigmoid
    | Tanh
    | Relu
    /// exp(−z²).
    | Gaussian
    | Sin

/// Hidden layers and a linear output: f(x) ≈ Σ αᵢ φ(wᵢ·x + bᵢ) + c with one hidden layer.
type ApproximationNetwork = { Hidden: Dense list; Output: Dense }

/// A width that was tried: the least sup error that any of its starts came to, and the minimiser's steps.
type ApproximationTrial = { Width: int; Sup: float; Steps: int }

/// How a network is looked for.
type ApproximationOptions = {
    /// The sup error that is to be undercut. Default 1e-3.
    Epsilon: float
    Activation: HiddenActivation
    /// Hidden layers, all of one width. Default 1.
    Depth: int
    /// Default Levenberg and Marquardt's method; the objective is a sum of squares.
    Minimizer: Minimizer
    /// What the starts are drawn from.
    Seed: int64
    /// Starts for each width. Default 3.
    Restarts: int
    /// The largest width that is tried. Default 256.
    MaxWidth: int
    /// After so many seconds no new width is begun. Default 60.
    Seconds: float
    /// Called after each width.
    Progress: ApproximationTrial -> unit
    /// Asked every few steps; where it answers true, the search ends with the best that it has.
    Stop: unit -> bool
}

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module ApproximationResult =

    let private activation (kind: HiddenActivation) : Tensor -> Tensor =
        match kind with
        | HiddenActivation.Sigmoid -> sigmoid
        | HiddenActivation.Tanh -> tanh
        | HiddenActivation.Relu -> relu
        | HiddenActivation.Gaussian -> fun z -> exp (-(square z))
        | HiddenActivation.Sin -> sin

    /// The network at points [n, inputs]: values [n, outputs].
    let internal forward (kind: HiddenActivation) (net: ApproximationNetwork) (x: Tensor) : Tensor =
        net.Hidden |> List.fold (fun x layer -> activation kind (dense layer x)) x |> dense net.Output

    /// A network that approximates a function, and what was measured of it.
    type Approximation = {
        Network: ApproximationNetwork
        Activation: HiddenActivation
        /// The intervals of the variables.
        Box: (float * float) list
        Epsilon: float
        /// Units of a hidden layer: the fewest that were found to do.
        Width: int
        /// The largest error that was found, on the grid and by searching on from its worst points.
        Sup: float
        /// The same on the grid alone.
        SupOnGrid: float
        /// √∫|error|² over the box, by the grid.
        L2: float
        /// Where the largest error is.
        Worst: float[]
        /// How many points the error was measured on, and how many were trained on at a time.
        Points: int
        TrainingPoints: int
        /// The minimiser's steps, of all widths and starts.
        Steps: int
        Seconds: float
        /// All widths that were tried, in that order.
        Trials: ApproximationTrial list
    } with

        /// Whether the error is below ε.
        member a.Reached = a.Sup < a.Epsilon

        /// The numbers that the network consists of.
        member a.Parameters = a.Network |> Tree.leaves |> Array.sumBy Tensor.size

        /// The network at points [n, variables]: values [n, outputs].
        member a.Apply(x: Tensor) : Tensor = forward a.Activation a.Network x

        override a.ToString() =
            let number (x: float) = x.ToString("G3", CultureInfo.InvariantCulture)
            let count (n: int) = n.ToString("N0", CultureInfo.InvariantCulture)

            let at =
                a.Worst |> Array.map (fun x -> x.ToString("G6", CultureInfo.InvariantCulture)) |> String.concat ", "

            let verdict =
                if a.Reached then
                    $"below {number a.Epsilon}, with {number (100.0 * (1.0 - a.Sup / a.Epsilon))} %% to spare"
                else
                    $"NOT below {number a.Epsilon}; the best that was found"

            $"N = {a.Width}, {count a.Parameters} parameters: sup error {number a.Sup} ({verdict}), L2 error {number a.L2}\n"
            + $"measured on {count a.Points} points ({count a.TrainingPoints} trained on) and by searching on from the worst, "
            + $"which raised it by {number (a.Sup - a.SupOnGrid)}; worst at {at}\n"
            + $"{count a.Steps} steps, {number a.Seconds} s"
