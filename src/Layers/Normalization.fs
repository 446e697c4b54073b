namespace Functional

// Normalisation: means of 0 and variances of 1, over the batch, over an example's features, or over groups of them; then a
// trained scale and offset.

/// Opened with the namespace; a module of its own, because the C# facade may have classes of these names.
[<AutoOpen>]
module NormalizationParameters =

    /// Parameters of a batch normalisation, one number for every feature: a trained scale and offset, and running statistics,
    /// which are carried along and not trained.
    type BatchNormalization = {
        Gamma: Tensor option
        Beta: Tensor option
        MovingMean: Frozen
        MovingVariance: Frozen
    }

    /// Parameters of a layer or group normalisation: a trained scale and offset.
    type Normalization = { Gamma: Tensor option; Beta: Tensor option }

/// What a normalisation does, with Keras' names. The axis counts the batch as 0, or from the end.
type NormalizationSettings = {
    /// The axis of features.
    Axis: int
    /// How much of the running statistics a step keeps; batch normalisation alone.
    Momentum: float
    /// Added to the variance.
    Epsilon: float
    /// Whether there is an offset.
    Center: bool
    /// Whether there is a scale.
    Scale: bool
    DType: DType
}

/// What a local response normalisation divides by, (Bias + Alpha · Σ x²)^Beta: the sum is over the Size channels around.
type LocalResponse = { Size: int; Bias: float; Alpha: float; Beta: float }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LocalResponse =

    /// Five channels, (2 + 10⁻⁴ Σ x²)^¾: AlexNet's.
    let alexNet: LocalResponse = { Size = 5; Bias = 2.0; Alpha = 1e-4; Beta = 0.75 }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Normalization =

    /// Keras' defaults: the last axis, momentum 0.99, epsilon 0.001, offset and scale, Float32.
    let defaults: NormalizationSettings = {
        Axis = -1
        Momentum = 0.99
        Epsilon = 1e-3
        Center = true
        Scale = true
        DType = DType.Float32
    }

    let private full (settings: NormalizationSettings) (features: int) value =
        Tensor.full settings.DType [ features ] value

    /// A scale of 1 and an offset of 0 for every feature.
    let init (settings: NormalizationSettings) (features: int) : Normalization = {
        Gamma = if settings.Scale then Some(full settings features 1.0) else None
        Beta = if settings.Center then Some(full settings features 0.0) else None
    }

    let internal checkGroups (groups: int) (channels: int) =
        if groups < 1 || channels % groups <> 0 then
            invalidArg "groups" $"groupNormalization: {channels} channels cannot be divided into {groups} groups"

    /// The same, with running means of 0 and variances of 1.
    let initBatch (settings: NormalizationSettings) (features: int) : BatchNormalization =
        let trained = init settings features

        {
            Gamma = trained.Gamma
            Beta = trained.Beta
            MovingMean = { Value = full settings features 0.0 }
            MovingVariance = { Value = full settings features 1.0 }
        }

    /// One number for every feature, under a shape that meets x along an axis.
    let internal along axis (x: Tensor) (perFeature: Tensor) =
        if axis = x.Rank - 1 then
            perFeature
        else
            reshape (Array.init x.Rank (fun i -> if i = axis then x.Shape[axis] else 1)) perFeature

    let internal scaled axis (gamma: Tensor option) (beta: Tensor option) (x: Tensor) =
        let y =
            match gamma with
            | Some g -> x * along axis x g
            | None -> x

        match beta with
        | Some b -> y + along axis x b
        | None -> y

    let internal standardized (axes: int[]) epsilon (x: Tensor) =
        let centred = x - meanKeep axes x
        centred * rsqrt (meanKeep axes (square centred) + epsilon)

[<AutoOpen>]
module NormalizationFunctions =

    /// Normalises every feature over the batch, and over space where there is one; the result comes with the parameters
    /// whose running statistics have moved. For answers, `Inference` uses the running statistics as they are.
    /// Ioffe and Szegedy, "Batch normalization" (2015). The variance is that of the batch itself (n in the denominator).
    let batchNormalization (settings: NormalizationSettings) (phase: Phase) (p: BatchNormalization) (x: Tensor) =
        let axis = Shape.axis "batchNormalization" x.Rank settings.Axis
        let mean, variance = p.MovingMean.Value, p.MovingVariance.Value

        if mean.Shape <> [| x.Shape[axis] |] then
            invalidArg
                "x"
                $"batchNormalization: axis {axis} of {Shape.show x.Shape} has {x.Shape[axis]} features, the parameters have {Shape.show mean.Shape}"

        match phase with
        | Inference ->
            let scale = rsqrt (variance + settings.Epsilon)

            let scale =
                match p.Gamma with
                | Some g -> scale * g
                | None -> scale

            let shift =
                match p.Beta with
                | Some b -> b - mean * scale
                | None -> -(mean * scale)

            x * Normalization.along axis x scale + Normalization.along axis x shift, p
        | Training _ ->
            let axes = [| 0 .. x.Rank - 1 |] |> Array.except [ axis ]
            let now = meanKeep axes x
            let centred = x - now
            let spread = meanKeep axes (square centred)
            let y = centred * rsqrt (spread + settings.Epsilon) |> Normalization.scaled axis p.Gamma p.Beta

            let moved (old: Tensor) (latest: Tensor) : Frozen =
                let latest = stopGradient (reshape old.Shape latest)
                { Value = old * settings.Momentum + latest * (1.0 - settings.Momentum) }

            y, { p with MovingMean = moved mean now; MovingVariance = moved variance spread }

    /// Normalises every example's features at each place by themselves, over one axis.
    /// Ba, Kiros and Hinton, "Layer normalization" (2016).
    let layerNormalization (settings: NormalizationSettings) (p: Normalization) (x: Tensor) : Tensor =
        let axis = Shape.axis "layerNormalization" x.Rank settings.Axis

        x
        |> Normalization.standardized [| axis |] settings.Epsilon
        |> Normalization.scaled axis p.Gamma p.Beta

    /// Normalises groups of each example's channels over all of space, x [n, space.., channels]. With one group it is over the
    /// whole example, with as many as channels it is instance normalisation. Wu and He, "Group normalization" (2018).
    let groupNormalization (settings: NormalizationSettings) (groups: int) (p: Normalization) (x: Tensor) : Tensor =
        let channels = x.Shape[x.Rank - 1]
        Normalization.checkGroups groups channels
        let parts = reshape [| x.Shape[0]; Shape.size x.Shape[1 .. x.Rank - 2]; groups; channels / groups |] x

        Normalization.standardized [| 1; 3 |] settings.Epsilon parts
        |> reshape x.Shape
        |> Normalization.scaled (x.Rank - 1) p.Gamma p.Beta

    /// Every number of x [n, space.., channels] divided by (bias + alpha · Σ x²)^beta, the sum over the channels at most size/2
    /// away at the same place. Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    /// networks" (2012). Alpha is not divided by the size, as it is in ONNX and Caffe.
    /// Example: `x |> relu |> localResponseNormalization LocalResponse.alexNet`.
    let localResponseNormalization (settings: LocalResponse) (x: Tensor) : Tensor =
        if settings.Size < 1 || not (settings.Bias > 0.0) || not (settings.Alpha >= 0.0) then
            invalidArg
                "settings"
                $"localResponseNormalization: %A{settings}; the size is at least 1, the bias above 0, alpha not below 0"

        if x.Rank < 2 then
            invalidArg
                "x"
                $"localResponseNormalization: needs [n, space.., channels], the input is {Shape.show x.Shape}"

        let channels, reach = x.Shape[x.Rank - 1], settings.Size / 2

        // ones where two channels are neighbours: a matrix product is the sum, and far from what a network's time goes into
        let neighbours =
            Array.init (channels * channels) (fun i -> if abs (i / channels - i % channels) <= reach then 1.0 else 0.0)
            |> Tensor.create [| channels; channels |]
            |> cast x.DType

        let sums = square x *@ neighbours
        x * (settings.Bias + settings.Alpha * sums) ** -settings.Beta
