namespace Functional

// How parameters begin: Keras' initialisers, with its defaults and its way of counting fans.

/// Element type → shape → key → parameters. A shape is [inputs, outputs] for weights and [.., inputs, outputs] for
/// convolution kernels.
type Initializer = DType -> int[] -> Tensor -> Tensor

/// Initialisers. Each takes its settings first: `Initializer.heNormal DType.Float32 [| 784; 500 |] key`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Initializer =

    /// How many inputs one output sees, and how many outputs one input reaches, as Keras counts them.
    let fans (shape: int[]) : struct (float * float) =
        match shape.Length with
        | 0 -> struct (1.0, 1.0)
        | 1 -> struct (float shape[0], float shape[0])
        | n ->
            let window = float (Shape.size shape[.. n - 3])
            struct (window * float shape[n - 2], window * float shape[n - 1])

    /// The same number everywhere.
    let constant (value: float) : Initializer =
        fun dtype shape key ->
            match key with
            // where there are no numbers yet there is nothing to fill
            | :? Functional.Tracing.Staged -> broadcastTo shape (cast dtype (key * 0.0) + value)
            | _ -> Tensor.full dtype shape value

    /// All 0.
    let zeros: Initializer = constant 0.0
    /// All 1.
    let ones: Initializer = constant 1.0

    /// Uniform between two bounds; Keras' are −0.05 and 0.05.
    let uniform (low: float) (high: float) : Initializer =
        fun dtype shape key -> low + (high - low) * Random.uniform dtype shape key

    /// Normal around 0; Keras' standard deviation is 0.05.
    let normal (deviation: float) : Initializer = fun dtype shape key -> deviation * Random.normal dtype shape key

    /// Normal around 0, drawn again where it is two deviations away or more; Keras' standard deviation is 0.05.
    let truncatedNormal (deviation: float) : Initializer =
        fun dtype shape key -> deviation * Random.truncatedNormal dtype shape key

    /// Which fan a variance is divided by.
    type Fan =
        | Inputs
        | Outputs
        | Average

    let private variance scale fan shape =
        let struct (inputs, outputs) = fans shape

        match fan with
        | Inputs -> scale / max 1.0 inputs
        | Outputs -> scale / max 1.0 outputs
        | Average -> scale / max 1.0 ((inputs + outputs) / 2.0)

    let private scaledUniform scale fan : Initializer =
        fun dtype shape key ->
            let limit = sqrt (3.0 * variance scale fan shape)
            uniform -limit limit dtype shape key

    // The standard deviation of a standard normal cut off at ±2, which Keras divides by so that the variance is right.
    let private truncatedDeviation = 0.87962566103423978

    let private scaledNormal scale fan : Initializer =
        fun dtype shape key -> truncatedNormal (sqrt (variance scale fan shape) / truncatedDeviation) dtype shape key

    /// Numbers of variance scale/fan: uniform, or normal and drawn again two deviations away. Keras' VarianceScaling, whose scale
    /// is 1, whose fan is the inputs, and which is normal.
    /// Example: `Initializer.varianceScaling 2.0 Initializer.Outputs false`.
    let varianceScaling (scale: float) (fan: Fan) (isUniform: bool) : Initializer =
        if not (scale > 0.0) then
            invalidArg "scale" $"Initializer.varianceScaling: the scale is above 0; {scale} was given"

        if isUniform then scaledUniform scale fan else scaledNormal scale fan

    /// The identity matrix times a gain, for weights of two axes. Errors: another number of axes.
    let identity (gain: float) : Initializer =
        fun dtype shape _ ->
            if shape.Length <> 2 then
                invalidShape "Initializer.identity" $"needs two axes, got {shape}"

            let places = Tensor.iota (Shape.size shape)
            let columns = float shape[1]
            let row = floor (cast DType.Float64 places / columns)
            let onDiagonal = equal row (cast DType.Float64 places - row * columns)
            reshape shape (cast dtype onDiagonal) * gain

    /// Uniform within ±√(6/(inputs + outputs)): Glorot and Bengio, "Understanding the difficulty of training deep
    /// feedforward neural networks" (2010). Keras' default for weights.
    let glorotUniform: Initializer = scaledUniform 1.0 Average
    /// Truncated normal of variance 2/(inputs + outputs).
    let glorotNormal: Initializer = scaledNormal 1.0 Average
    /// Uniform within ±√(6/inputs): He et al., "Delving deep into rectifiers" (2015).
    let heUniform: Initializer = scaledUniform 2.0 Inputs
    /// Truncated normal of variance 2/inputs.
    let heNormal: Initializer = scaledNormal 2.0 Inputs
    /// Uniform within ±√(3/inputs): LeCun et al., "Efficient backprop" (1998).
    let lecunUniform: Initializer = scaledUniform 1.0 Inputs
    /// Truncated normal of variance 1/inputs.
    let lecunNormal: Initializer = scaledNormal 1.0 Inputs

    /// Orthonormal rows or columns, whichever are fewer, times a gain: Saxe et al., "Exact solutions to the nonlinear
    /// dynamics of learning in deep linear neural networks" (2014). All axes but the last count as rows.
    let orthogonal (gain: float) : Initializer =
        fun dtype shape key ->
            if shape.Length < 2 then
                invalidShape "Initializer.orthogonal" $"needs at least two axes, got {shape}"

            let columns = shape[shape.Length - 1]
            let rows = Shape.size (Shape.possible "Initializer.orthogonal" shape) / max 1 columns
            let tall = Random.normal DType.Float64 [ max rows columns; min rows columns ] key
            // qr's R has a positive diagonal, which makes Q uniformly distributed
            let q, _ = LinearAlgebra.qr tall
            (if rows < columns then transpose q else q) * gain |> reshape shape |> cast dtype
