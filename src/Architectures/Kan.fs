namespace Functional

// Kolmogorov–Arnold layers: every edge from an input to an output is a function of one variable, and an output is their sum.
// Z. Liu and others, "KAN: Kolmogorov–Arnold networks" (2024).

/// Splines on the edges, and a smooth function beside them that goes on beyond the grid:
/// Coefficients [inputs, intervals + degree, outputs], Base [inputs, outputs].
type Kan = { Coefficients: Tensor; Base: Tensor; Degree: int; Low: float; High: float }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Kan =

    /// Nearly the smooth functions alone: splines of some degree with normal coefficients of size 0.1/√inputs.
    /// Example: `Kan.init DType.Float64 3 -1.0 1.0 5 key 2 1`.
    let init
        (dtype: DType)
        (degree: int)
        (low: float)
        (high: float)
        (intervals: int)
        (key: Tensor)
        inputs
        outputs
        : Kan =
        if degree < 0 || intervals < 1 || inputs < 1 || outputs < 1 || not (high > low) then
            invalidArg
                "intervals"
                $"Kan.init: sizes from 1 on, a degree from 0 on, and low < high; got {inputs} inputs, {outputs} outputs, degree {degree}, {intervals} intervals of [{low}, {high}]"

        let keys = Key.split 2 key
        let spread = 1.0 / sqrt (float inputs)

        {
            Coefficients = Random.normal dtype [ inputs; intervals + degree; outputs ] keys[0] * (0.1 * spread)
            Base = (Random.uniform dtype [ inputs; outputs ] keys[1] * 2.0 - 1.0) * spread
            Degree = degree
            Low = low
            High = high
        }

    let private intervals (p: Kan) = p.Coefficients.Shape[1] - p.Degree

    /// Functions of one variable [.., inputs, m], times coefficients [inputs, m, outputs], summed over both.
    let internal combine (coefficients: Tensor) (functions: Tensor) : Tensor =
        let c = coefficients.Shape
        let lead = functions.Shape[.. functions.Rank - 3]

        reshape (Array.append lead [| c[0] * c[1] |]) functions
        *@ reshape [ c[0] * c[1]; c[2] ] coefficients

    /// Σ over the inputs of their splines and of w·x·sigmoid x: x [.., inputs] gives [.., outputs].
    let apply (p: Kan) (x: Tensor) : Tensor =
        combine p.Coefficients (BSpline.basis p.Degree p.Low p.High (intervals p) x)
        + (x * sigmoid x) *@ p.Base

    /// The layer on another grid, with the splines that are nearest in the sense of least squares on [low, high]; the same
    /// functions where the old knots are among the new ones.
    let regrid (low: float) (high: float) (count: int) (p: Kan) : Kan =
        let c = p.Coefficients.Shape
        let x = Grid.even low high (8 * (count + p.Degree)) |> cast p.Coefficients.DType
        let basis = BSpline.basis p.Degree low high count x
        // the splines of all edges side by side
        let edges = permute [ 1; 0; 2 ] p.Coefficients |> reshape [ c[1]; c[0] * c[2] ]
        let values = BSpline.basis p.Degree p.Low p.High (intervals p) x *@ edges
        let cutoff = if p.Coefficients.DType = DType.Float32 then 1e-6 else 1e-13
        let found = MatrixFunction.lstsq cutoff basis values

        {
            p with
                Coefficients = found |> reshape [ count + p.Degree; c[0]; c[2] ] |> permute [ 1; 0; 2 ]
                Low = low
                High = high
        }

    /// The layer with more intervals on the same grid: training goes on where a coarser one ends.
    /// Example: `Kan.init DType.Float64 3 -1.0 1.0 5 key 2 1 |> Kan.extend 10`.
    let extend (count: int) (p: Kan) : Kan = regrid p.Low p.High count p

    /// The splines as a layer.
    let layer (dtype: DType) (degree: int) (low: float) (high: float) (intervals: int) (outputs: int) : Layer<Kan> =
        Layer.create
            "kan"
            (fun key shape -> init dtype degree low high intervals key (Array.last shape) outputs)
            (fun _ p x -> apply p x, p)

/// Chebyshev's polynomials of tanh x on the edges: Coefficients [inputs, degree + 1, outputs].
type ChebyshevKan = { Coefficients: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ChebyshevKan =

    /// Normal coefficients of size 1/(inputs·(degree + 1)).
    let init (dtype: DType) (degree: int) (key: Tensor) (inputs: int) (outputs: int) : ChebyshevKan =
        if degree < 1 || inputs < 1 || outputs < 1 then
            invalidArg
                "degree"
                $"ChebyshevKan.init: at least one input, one output and degree 1, got {inputs}, {outputs} and {degree}"

        let size = 1.0 / float (inputs * (degree + 1))

        {
            Coefficients = Random.normal dtype [ inputs; degree + 1; outputs ] key * size
        }

    /// x [.., inputs] gives [.., outputs].
    let apply (p: ChebyshevKan) (x: Tensor) : Tensor =
        let t = tanh x

        let polynomials =
            Seq.unfold (fun (a: Tensor, b: Tensor) -> Some(a, (b, 2.0 * t * b - a))) (Tensor.onesLike t, t)
            |> Seq.take p.Coefficients.Shape[1]

        Kan.combine p.Coefficients (stack -1 polynomials)

    /// The polynomials as a layer.
    let layer (dtype: DType) (degree: int) (outputs: int) : Layer<ChebyshevKan> =
        Layer.create "chebyshevKan" (fun key shape -> init dtype degree key (Array.last shape) outputs) (fun _ p x ->
            apply p x, p)
