namespace Functional

// Convolutions with parameters: records, and functions of them. Images lie channels last, [n, space.., channels].

/// Opened with the namespace; a module of its own, because the C# facade may have classes of these names.
[<AutoOpen>]
module ConvolutionParameters =

    /// Parameters of a convolution: a kernel [window.., channels / groups, features] and, if there is one, a bias [features].
    /// Of a transposed convolution the kernel is [window.., features, channels]; of a depthwise one [window.., channels,
    /// multiplier].
    type Conv = { Kernel: Tensor; Bias: Tensor option }

    /// Parameters of a depthwise separable convolution: every channel by itself with a kernel [window.., channels,
    /// multiplier], then all of them at each place with one [1.., channels · multiplier, features].
    type SeparableConv = { Depthwise: Tensor; Pointwise: Tensor; Bias: Tensor option }

/// How a convolution moves, and how its parameters begin.
type ConvSettings = {
    Options: ConvOptions
    KernelInitializer: Initializer
    /// For the second kernel of a separable convolution; None: as the first.
    PointwiseInitializer: Initializer option
    /// None leaves the bias out.
    BiasInitializer: Initializer option
    DType: DType
}

[<RequireQualifiedAccess>]
module Conv =

    /// Keras' defaults: stride 1, no padding, Glorot-uniform kernel, a bias of zeros, Float32.
    let defaults: ConvSettings = {
        Options = ConvOptions.defaults
        KernelInitializer = Initializer.glorotUniform
        PointwiseInitializer = None
        BiasInitializer = Some Initializer.zeros
        DType = DType.Float32
    }

    let private check name (window: int list) channels features groups =
        if window.IsEmpty || window.Length > 3 || List.exists (fun n -> n < 1) window then
            invalidArg "window" $"{name}: a window of %A{window}; one to three sizes of at least 1 are needed"

        if channels < 1 || features < 1 then
            invalidArg
                "features"
                $"{name}: {channels} channels and {features} features; there must be at least one of each"

        if groups < 1 || channels % groups <> 0 || features % groups <> 0 then
            invalidArg
                "groups"
                $"{name}: {channels} channels and {features} features cannot be divided into {groups} groups"

    let private parameters (settings: ConvSettings) key (kernel: int[]) features : Conv =
        let keys = Key.split 2 key

        {
            Kernel = settings.KernelInitializer settings.DType kernel keys[0]
            Bias = settings.BiasInitializer |> Option.map (fun bias -> bias settings.DType [| features |] keys[1])
        }

    /// Parameters for a window and a number of channels and features.
    let initWith (settings: ConvSettings) (key: Tensor) (window: int list) (channels: int) (features: int) : Conv =
        let groups = settings.Options.Groups
        check "conv" window channels features groups
        parameters settings key [| yield! window; channels / groups; features |] features

    /// Parameters with Keras' defaults. Example: `Conv.init (Key.create 1L) [ 3; 3 ] 1 32`.
    let init (key: Tensor) (window: int list) (channels: int) (features: int) : Conv =
        initWith defaults key window channels features

    /// Parameters of a transposed convolution from a number of channels to a number of features.
    let initTranspose (settings: ConvSettings) (key: Tensor) (window: int list) (channels: int) (features: int) : Conv =
        let groups = settings.Options.Groups
        check "convTranspose" window channels features groups
        parameters settings key [| yield! window; features / groups; channels |] features

    /// Parameters of a depthwise convolution with so many features for each channel.
    let initDepthwise
        (settings: ConvSettings)
        (key: Tensor)
        (window: int list)
        (channels: int)
        (multiplier: int)
        : Conv =
        check "depthwiseConv" window channels multiplier 1
        let features = Shape.times "depthwiseConv" "features" channels multiplier
        parameters settings key [| yield! window; channels; multiplier |] features

    /// Parameters of a separable convolution.
    let initSeparable
        (settings: ConvSettings)
        (key: Tensor)
        (window: int list)
        (channels: int)
        (multiplier: int)
        (features: int)
        =
        check "separableConv" window channels features 1
        let keys = Key.split 3 key
        let pointwise = defaultArg settings.PointwiseInitializer settings.KernelInitializer

        {
            Depthwise = settings.KernelInitializer settings.DType [| yield! window; channels; multiplier |] keys[0]
            Pointwise =
                pointwise
                    settings.DType
                    [|
                        yield! List.replicate window.Length 1
                        Shape.times "separableConv" "features" channels multiplier
                        features
                    |]
                    keys[1]
            Bias = settings.BiasInitializer |> Option.map (fun bias -> bias settings.DType [| features |] keys[2])
        }

[<AutoOpen>]
module ConvolutionLayerFunctions =

    let private withBias (bias: Tensor option) (y: Tensor) =
        match bias with
        | Some bias -> y + bias
        | None -> y

    /// The convolution of images x [n, space.., channels].
    /// Example: `convolution ConvOptions.same net.First >> relu >> maxPool (Pool.window [ 2 ])`.
    let convolution (options: ConvOptions) (p: Conv) (x: Tensor) : Tensor =
        match p.Bias with
        | Some bias -> convBias options p.Kernel bias x
        | None -> conv options p.Kernel x

    /// The transposed convolution of images x [n, space.., channels], which makes them larger by the stride.
    let transposedConvolution (options: ConvOptions) (p: Conv) (x: Tensor) : Tensor =
        x |> convTranspose options p.Kernel |> withBias p.Bias

    /// Every channel of x [n, space.., channels] by itself.
    let depthwiseConvolution (options: ConvOptions) (p: Conv) (x: Tensor) : Tensor =
        x |> depthwiseConv options p.Kernel |> withBias p.Bias

    /// Every channel by itself, then all channels at every place. Chollet, "Xception" (2017).
    let separableConvolution (options: ConvOptions) (p: SeparableConv) (x: Tensor) : Tensor =
        let each = depthwiseConv options p.Depthwise x
        convolution ConvOptions.defaults { Kernel = p.Pointwise; Bias = p.Bias } each
