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

/// What a normalisation does and how its parameters begin, with Keras' names. The axis counts the batch as 0, or from the end.
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
    GammaInitializer: Initializer
    BetaInitializer: Initializer
    /// How the running statistics begin; batch normalisation alone.
    MeanInitializer: Initializer
    VarianceInitializer: Initializer
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

    /// Keras' defaults: the last axis, momentum 0.99, epsilon 0.001, an offset of 0 and a scale of 1, running means of 0 and
    /// variances of 1, Float32.
    let defaults: NormalizationSettings = {
        Axis = -1
        Momentum = 0.99
        Epsilon = 1e-3
        Center = true
        Scale = true
        GammaInitializer = Initializer.ones
        BetaInitializer = Initializer.zeros
        MeanInitializer = Initializer.zeros
        VarianceInitializer = Initializer.ones
        DType = DType.Float32
    }

    let private draw (settings: NormalizationSettings) (features: int) (initializer: Initializer) key =
        initializer settings.DType [| features |] key

    /// A scale and an offset for every feature.
    let init (settings: NormalizationSettings) (key: Tensor) (features: int) : Normalization =
        let keys = Key.split 2 key
        let draw = draw settings features

        {
            Gamma = if settings.Scale then Some(draw settings.GammaInitializer keys[0]) else None
            Beta = if settings.Center then Some(draw settings.BetaInitializer keys[1]) else None
        }

    /// The number of groups; −1 is as many as channels.
    let internal groupsOf (groups: int) (channels: int) =
        let groups = if groups = -1 then channels else groups

        if groups < 1 || channels % groups <> 0 then
            invalidArg "groups" $"groupNormalization: {channels} channels cannot be divided into {groups} groups"

        groups

    /// The same, with running means and variances.
    let initBatch (settings: NormalizationSettings) (key: Tensor) (features: int) : BatchNormalization =
        let keys = Key.split 3 key
        let trained = init settings keys[0] features
        let draw = draw settings features

        {
            Gamma = trained.Gamma
            Beta = trained.Beta
            MovingMean = { Value = draw settings.MeanInitializer keys[1] }
            MovingVariance = { Value = draw settings.VarianceInitializer keys[2] }
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
            invalidShape
                "batchNormalization"
                $"axis {axis} of {x.Shape} has {x.Shape[axis]} features, the parameters have {mean.Shape}"

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

    /// Normalises groups of each example's channels over all of space, x [n, space.., channels], or with the channels on the
    /// settings' axis. With one group it is over the whole example, with −1 or as many as channels instance normalisation.
    /// Wu and He, "Group normalization" (2018).
    let groupNormalization (settings: NormalizationSettings) (groups: int) (p: Normalization) (x: Tensor) : Tensor =
        let axis = Shape.axis "groupNormalization" x.Rank settings.Axis
        let channels = x.Shape[axis]
        let groups = Normalization.groupsOf groups channels
        let before, behind = Shape.size x.Shape[1 .. axis - 1], Shape.size x.Shape[axis + 1 ..]

        reshape [| x.Shape[0]; before; groups; channels / groups; behind |] x
        |> Normalization.standardized [| 1; 3; 4 |] settings.Epsilon
        |> reshape x.Shape
        |> Normalization.scaled axis p.Gamma p.Beta

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
            invalidShape "localResponseNormalization" $"needs [n, space.., channels], the input is {x.Shape}"

        let channels = x.Shape[x.Rank - 1]
        let reach = min (settings.Size / 2) (max 0 (channels - 1))

        // the squares beside themselves, moved by a channel each time, with zeros around
        let around = pad [ for axis in 1 .. x.Rank -> if axis = x.Rank then reach, reach else 0, 0 ] (square x)
        let sums = Seq.init (2 * reach + 1) (fun i -> narrow -1 i channels around) |> Seq.reduce (+)
        x * (settings.Bias + settings.Alpha * sums) ** -settings.Beta
