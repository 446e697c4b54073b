namespace Functional

// Curves through points: a model of one's own fitted by least squares, with what statistics says of the result.

open System
open System.Globalization
open MathNet.Numerics.Distributions
open Functional.Operations

/// How a curve is fitted; `CurveFitOptions.defaults` has least squares without weights or bounds.
type CurveFitOptions<'P> = {
    /// What each observation counts: 1/σ² of its error, or in proportion to it. A tensor of the observations' shape.
    Weights: Tensor option
    /// Whether the weights are 1/σ² themselves, not only in proportion: then the errors' size is known, not estimated.
    KnownDeviations: bool
    /// How residuals are added up. With a robust loss the standard errors are those of the weights that it ends with.
    Loss: RobustLoss
    /// Trees like the parameters, ±∞ where there is no bound.
    Lower: 'P option
    Upper: 'P option
    Stopping: Stopping
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module CurveFitOptions =

    /// Least squares, all observations alike, no bounds.
    let defaults<'P> : CurveFitOptions<'P> = {
        Weights = None
        KnownDeviations = false
        Loss = RobustLoss.Squares
        Lower = None
        Upper = None
        Stopping = Stopping.defaults
    }

/// A curve with a band around it, of the shape of the model's values.
type Band = { Value: Tensor; Lower: Tensor; Upper: Tensor }

/// A fitted model. Where the fit did not converge, there are no standard errors: they are NaN, and so are covariance and bands.
type CurveFit<'P> = internal {
    Fitted: 'P
    Matrix: Tensor
    Held: bool[]
    SumOfSquares: float
    Observations: int
    ScaleKnown: bool
    Left: Tensor
    Came: MinimizerReport
    IsMinimum: bool
} with

    /// The parameters that fit best.
    member f.Parameters = f.Fitted

    /// Whether this is a minimum of the sum of squares: the minimiser stopped by itself, and what is left of the residuals
    /// along the tangent of the model is nothing beside the residuals, or beside rounding.
    member f.Converged = f.IsMinimum

    /// Why the minimiser stopped, and how often it computed.
    member f.Report = f.Came

    /// Observed minus fitted, without weights, in the observations' shape.
    member f.Residuals = f.Left

    /// The sum of the squares of the residuals times their weights.
    member f.ResidualSumOfSquares = f.SumOfSquares

    /// Observations less parameters that no bound holds.
    member f.DegreesOfFreedom = f.Observations - (f.Held |> Array.filter not |> Array.length)

    /// The deviation of an observation of weight 1: √(residual sum of squares / degrees of freedom); NaN without any.
    member f.ResidualDeviation =
        if f.DegreesOfFreedom > 0 then
            sqrt (f.SumOfSquares / float f.DegreesOfFreedom)
        else
            nan

    /// The covariance of the parameters, in the order of their vector. Rows of parameters that a bound holds are 0.
    member f.Covariance = f.Matrix

    /// The standard error of each parameter, a tree like them; NaN where a bound holds the parameter.
    member f.StandardErrors: 'P =
        let errors =
            Tensor.toFloats (LinearAlgebra.diagonal f.Matrix)
            |> Array.mapi (fun i v -> if f.Held[i] then nan else sqrt v)

        ParameterVector.toTree "StandardErrors" f.Fitted (Tensor.ofSeq errors |> cast f.Matrix.DType)

    /// The correlation of the parameters, in the order of their vector.
    member f.Correlation =
        let deviation = sqrt (LinearAlgebra.diagonal f.Matrix)
        f.Matrix / (expandDims -1 deviation * deviation)

    /// How many standard errors on either side hold a value at a confidence level: Student's t, or the normal distribution
    /// where deviations are known.
    member internal f.Quantile(level: float) =
        if not (level > 0.0 && level < 1.0) then
            invalidArg "level" $"a confidence level lies between 0 and 1, such as 0.95; {level} was given"

        let p = 0.5 + 0.5 * level

        if f.ScaleKnown then
            Normal.InvCDF(0.0, 1.0, p)
        elif f.DegreesOfFreedom > 0 then
            StudentT.InvCDF(0.0, 1.0, float f.DegreesOfFreedom, p)
        else
            nan

    /// The interval of each parameter at a confidence level: two trees like the parameters. Example: `fit.Intervals 0.95`.
    member f.Intervals(level: float) : 'P * 'P =
        let reach = f.Quantile level
        let away sign = Tree.map2 (fun (p: Tensor) (e: Tensor) -> p + sign * reach * e) f.Fitted f.StandardErrors
        away -1.0, away 1.0

    override f.ToString() =
        let number (x: float) = x.ToString("G10", CultureInfo.InvariantCulture)
        let short (x: float) = x.ToString("G4", CultureInfo.InvariantCulture)
        let values = Tensor.toFloats (ParameterVector.ofTree "" f.Fitted)
        let errors = Tensor.toFloats (ParameterVector.ofTree "" f.StandardErrors)
        let names = Array.init values.Length (ParameterVector.nameOf f.Fitted)
        let width = names |> Array.map String.length |> Array.max

        [
            if not f.IsMinimum then
                "NOT CONVERGED: these parameters are not the best ones"
            for i in 0 .. values.Length - 1 do
                let error = if f.Held[i] then "held by its bound" else $"± {short errors[i]}"
                $"{names[i].PadRight width}  {number values[i]} {error}"
            $"residual sum of squares {number f.SumOfSquares}, deviation {short f.ResidualDeviation}, {f.DegreesOfFreedom} degrees of freedom"
            string f.Came
        ]
        |> String.concat Environment.NewLine

/// Fitting models of one's own to observations.
[<RequireQualifiedAccess>]
module Fit =

    let private name = "Fit.curve"

    let private requireRecord (x: 'X) (y: Tensor) (options: CurveFitOptions<'P>) =
        if not (y.DType.IsFloat()) then
            invalidArg "y" $"{name}: the observations are {y.DType}; cast them to Float64"

        if y.Rank = 0 then
            invalidArg
                "y"
                $"{name}: the observations are a single number; they are a tensor with a first axis of observations"

        for path, t in Array.zip (Tree.paths x) (Tree.leaves x) do
            if t.Rank = 0 || t.Shape[0] <> y.Shape[0] then
                let what = if path = "" then "x" else path

                invalidShape
                    name
                    $"{what} is of shape {t.Shape} and the observations of {y.Shape}; there must be as many of both along the first axis"

        match Tensor.toFloats y |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i ->
            invalidArg "y" $"{name}: observation {i} is {(Tensor.toFloats y)[i]}; leave out what was not observed"
        | None -> ()

        match options.Weights with
        | None ->
            if options.KnownDeviations then
                invalidArg
                    "options"
                    $"{name}: deviations are said to be known, and there are no weights; weights are 1/σ²"
        | Some w ->
            if not (Shape.same w.Shape y.Shape) then
                invalidShape
                    name
                    $"the weights are of shape {w.Shape}, the observations of {y.Shape}; there is a weight for each"

            match Tensor.toFloats w |> Array.tryFindIndex (fun w -> not (w > 0.0 && w < infinity)) with
            | Some i ->
                invalidArg
                    "options"
                    $"{name}: weight {i} is {(Tensor.toFloats w)[i]}; weights are positive numbers, leave out what does not count"
            | None -> ()

    let private residual (model: 'P -> 'X -> Tensor) p (x: 'X, y: Tensor, root: Tensor) =
        let value = model p x

        if not (Shape.same value.Shape y.Shape) then
            invalidShape name $"for one observation of shape {y.Shape} the model returns {value.Shape}; they must agree"

        root * (y - value)

    /// The covariance without the errors' size, (JᵀJ)⁻¹ in the free parameters and 0 elsewhere, and the length of the
    /// residuals' part along J's columns; NaN where the columns do not tell the parameters apart.
    let private statistics (r: Tensor) (j: Tensor) (held: bool[]) =
        let n = held.Length

        let free = [|
            for i in 0 .. n - 1 do
                if not held[i] then
                    i
        |]

        let matrix = Array2D.zeroCreate n n

        if free.Length = 0 then
            Tensor.ofArray2D matrix, 0.0
        else
            let columns = take 1 (Tensor.ofSeq free) j
            let lengths = normOver [ 0 ] columns
            let q, factor = LinearAlgebra.qrOrNaN (columns / lengths)
            let diagonal = Tensor.toFloats (LinearAlgebra.diagonal factor)
            let isTold = Array.min diagonal > 1e3 * ParameterVector.epsilon DType.Float64
            let inverse = LinearAlgebra.triangularSolve false factor (Tensor.eye DType.Float64 free.Length)
            let covariance = inverse *@ transpose inverse / (expandDims -1 lengths * lengths) |> Tensor.toArray2D

            for a in 0 .. free.Length - 1 do
                for b in 0 .. free.Length - 1 do
                    matrix[free[a], free[b]] <- if isTold then covariance[a, b] else nan

            Tensor.ofArray2D matrix, Tensor.toFloat (norm (ParameterVector.timesTransposed q r))

    /// Whether what is left of the residuals along the tangent is nothing beside them, by the criterion of D. M. Bates and
    /// D. G. Watts ("A relative offset orthogonality convergence criterion for nonlinear least squares", 1981), or beside what
    /// rounding makes of them.
    let private isMinimum (r: Tensor) (j: Tensor) (p: Tensor) (along: float) (freedom: int) (parameters: int) =
        let size = Tensor.toFloat (norm r)

        let reach =
            4.0 * ParameterVector.epsilon DType.Float64 * Tensor.toFloat (inner (normOver [ 0 ] j) (abs p))

        let offset = along / sqrt (float (max 1 parameters)) / (size / sqrt (float (max 1 freedom)))
        along <= reach || offset < 1e-5

    /// `curve` with options: weights, bounds, robust losses, when to stop.
    let curveWith
        (options: CurveFitOptions<'P>)
        (model: 'P -> 'X -> Tensor)
        (x: 'X)
        (y: Tensor)
        (start: 'P)
        : CurveFit<'P> =
        requireRecord x y options
        let n = (ParameterVector.ofTree name start).Shape[0]

        if Tensor.size y < n then
            invalidArg
                "start"
                $"{name}: there are {n} parameters for {Tensor.size y} observations; there must be as many observations at least"

        let root =
            match options.Weights with
            | Some w -> sqrt (cast y.DType w)
            | None -> Tensor.onesLike y

        let bounded objective =
            let side sign =
                Tree.map (fun t -> if t.DType.IsFloat() then Tensor.full t.DType t.Shape (sign * infinity) else t) start

            match options.Lower, options.Upper with
            | None, None -> objective
            | lower, upper -> Objective.within (defaultArg lower (side -1.0)) (defaultArg upper (side 1.0)) objective

        let objective data = Objective.robustSquares options.Loss (residual model) data |> bounded

        let minimizer =
            LevenbergMarquardt.create { LevenbergMarquardt.defaults with Solver = LeastSquaresSolver.Orthogonal }

        let minimum = Minimizer.run options.Stopping minimizer objective (x, y, root) start
        let fitted = minimum.Parameters
        let point = cast DType.Float64 (ParameterVector.ofTree name fitted)
        let problem = Problem.ofObjective name start (objective (x, y, root))
        let r, j = problem.Rows.Value(ParameterVector.ofTree name fitted)
        let r, j = cast DType.Float64 r, cast DType.Float64 j

        let held =
            Problem.free problem point (ParameterVector.timesTransposed j r) (Tensor.onesLike point)
            |> Tensor.toFloats
            |> Array.map ((=) 0.0)

        let covariance, along = statistics r j held
        let squares = Tensor.toFloat (inner r r)
        let parameters = held |> Array.filter not |> Array.length
        let freedom = Tensor.size y - parameters
        let isMinimum = minimum.Report.Converged && isMinimum r j point along freedom parameters

        let scale =
            if not isMinimum then nan
            elif options.KnownDeviations then 1.0
            elif freedom > 0 then squares / float freedom
            else nan

        {
            Fitted = fitted
            Matrix = covariance * scale
            Held = held
            SumOfSquares = squares
            Observations = Tensor.size y
            ScaleKnown = options.KnownDeviations
            Left = y - vmap (model fitted) x
            Came = minimum.Report
            IsMinimum = isMinimum
        }

    /// Fits a model of one's own by least squares: `model p x` is its value for one observation's x, a number or a tensor;
    /// `x` has the observations along the first axis of all its tensors, and so has `y`; `start` are parameters to begin
    /// from, any tree. Errors: as many observations as parameters are needed; all numbers must be finite.
    /// Example: `Fit.curve (fun (a: Tensor, b: Tensor) (x: Tensor) -> a * (1.0 - exp (-b * x))) xs ys (scalar 1.0, scalar 0.1)`.
    let curve (model: 'P -> 'X -> Tensor) (x: 'X) (y: Tensor) (start: 'P) : CurveFit<'P> =
        curveWith CurveFitOptions.defaults model x y start

    let private band
        (extra: CurveFit<'P> -> float)
        level
        (model: 'P -> 'X -> Tensor)
        (fit: CurveFit<'P>)
        (x: 'X)
        : Band =
        let problem = Problem.ofObjective "Fit.band" fit.Fitted (Objective.squares model x)
        let v = ParameterVector.ofTree "Fit.band" fit.Fitted
        let shape = (vmap (model fit.Fitted) x).Shape
        let value, j = problem.Rows.Value v
        let spread = sqrt (sumOver [ 1 ] ((j *@ cast j.DType fit.Matrix) * j) + extra fit) * fit.Quantile level

        {
            Value = reshape shape value
            Lower = reshape shape (value - spread)
            Upper = reshape shape (value + spread)
        }

    /// The model's values at x, and where they lie at a confidence level, each by itself: what is uncertain is the curve.
    /// Example: `Fit.confidenceBand 0.95 model fit xs`.
    let confidenceBand (level: float) (model: 'P -> 'X -> Tensor) (fit: CurveFit<'P>) (x: 'X) : Band =
        band (fun _ -> 0.0) level model fit x

    /// The model's values at x, and where new observations of weight 1 lie at a confidence level, each by itself.
    /// Example: `Fit.predictionBand 0.95 model fit xs`.
    let predictionBand (level: float) (model: 'P -> 'X -> Tensor) (fit: CurveFit<'P>) (x: 'X) : Band =
        band (fun fit -> if fit.ScaleKnown then 1.0 else fit.ResidualDeviation ** 2.0) level model fit x
