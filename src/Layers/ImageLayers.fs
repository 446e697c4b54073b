/// Layers of images, [space.., channels] without the batch axis, as values; `Layers` has the common ones by short names.
[<RequireQualifiedAccess>]
module Functional.ImageLayers

let private channels name (window: int list) (shape: int[]) =
    if shape.Length <> window.Length + 1 then
        invalidShape
            name
            $"an example of shape {shape} for a window of {window.Length} axes; [space.., channels] are needed"

    shape[shape.Length - 1]

let private show (window: int list) = String.concat "×" (List.map string window)

/// A convolution with other settings. Example: `{ Conv.defaults with Options = ConvOptions.same }`.
let conv (settings: ConvSettings) (filters: int) (window: int list) : Layer<Conv> =
    Layer.create
        $"conv {filters}, {show window}"
        (fun key shape -> Conv.initWith settings key window (channels "conv" window shape) filters)
        (fun _ p x -> convolution settings.Options p x, p)

/// A transposed convolution.
let convTranspose (settings: ConvSettings) (filters: int) (window: int list) : Layer<Conv> =
    Layer.create
        $"transposed conv {filters}, {show window}"
        (fun key shape -> Conv.initTranspose settings key window (channels "convTranspose" window shape) filters)
        (fun _ p x -> transposedConvolution settings.Options p x, p)

/// A depthwise convolution with so many features for each channel.
let depthwiseConv (settings: ConvSettings) (multiplier: int) (window: int list) : Layer<Conv> =
    Layer.create
        $"depthwise conv {multiplier}, {show window}"
        (fun key shape -> Conv.initDepthwise settings key window (channels "depthwiseConv" window shape) multiplier)
        (fun _ p x -> depthwiseConvolution settings.Options p x, p)

/// A depthwise separable convolution.
let separableConv (settings: ConvSettings) (multiplier: int) (filters: int) (window: int list) : Layer<SeparableConv> =
    Layer.create
        $"separable conv {filters}, {show window}"
        (fun key shape ->
            Conv.initSeparable settings key window (channels "separableConv" window shape) multiplier filters)
        (fun _ p x -> separableConvolution settings.Options p x, p)

/// The layer for images whose channels lie first, [channels, space..], as Keras' data_format "channels_first" has it: the
/// channels are moved to the end before it and, where space is left, to the front again behind it.
/// Example: `ImageLayers.conv Conv.defaults 32 [ 3; 3 ] |> ImageLayers.channelsFirst`.
let channelsFirst (layer: Layer<'P>) : Layer<'P> =
    let place (shape: int[]) =
        if shape.Length < 2 then
            invalidShape layer.Name $"an example of shape {shape}; with channels first, [channels, space..] are needed"

        let draw, output = layer.Place(Array.append shape[1..] shape[..0])
        let channels = output.Length - 1

        draw,
        (if output.Length = shape.Length then
             Array.append output[channels..] output[.. channels - 1]
         else
             output)

    {
        Name = $"{layer.Name}, channels first"
        Place = place
        Apply =
            fun phase p x ->
                let y, p = layer.Apply phase p (Functional.ConvolutionFunctions.channelsLast x)
                (if y.Rank = x.Rank then Functional.ConvolutionFunctions.channelsFirst y else y), p
    }

/// The maximum of every window.
let maxPool (options: PoolOptions) : Layer<unit> =
    Layer.stateless $"max pool {show options.Size}" (Functional.PoolingFunctions.maxPool options)

/// The average of every window.
let averagePool (options: PoolOptions) : Layer<unit> =
    Layer.stateless $"average pool {show options.Size}" (Functional.PoolingFunctions.averagePool options)

let private globally name f : Layer<unit> =
    Layer.stateless name (fun x ->
        if x.Rank < 3 then
            invalidShape name $"an example of shape {x.Shape[1..]}; [space.., channels] are needed"

        if x.Rank > 2 && x.Shape[0] > 0 && Shape.size x.Shape[1 .. x.Rank - 2] = 0 then
            invalidShape name $"there are no places in {x.Shape}; there must be at least one"

        f x)

/// The maximum of every channel.
let globalMaxPool: Layer<unit> = globally "global max pool" Functional.PoolingFunctions.globalMaxPool

/// The average of every channel.
let globalAveragePool: Layer<unit> =
    globally "global average pool" Functional.PoolingFunctions.globalAveragePool

/// Zeros before and behind along every axis of space.
let zeroPadding (widths: (int * int) list) : Layer<unit> =
    Layer.stateless "zero padding" (Functional.SpaceFunctions.zeroPadding widths)

/// Places taken away at the begin and the end of every axis of space.
let cropping (widths: (int * int) list) : Layer<unit> =
    Layer.stateless "cropping" (Functional.SpaceFunctions.cropping widths)

/// Every place repeated along every axis of space.
let upSampling (factors: int list) : Layer<unit> =
    Layer.stateless "up-sampling" (Functional.SpaceFunctions.upSampling factors)

/// The same with what lies between places interpolated.
let bilinearUpSampling (factors: int list) : Layer<unit> =
    Functional.SpaceFunctions.checkFactors "bilinearUpSampling" factors

    Layer.stateless "up-sampling, bilinear" (Functional.SpaceFunctions.bilinearUpSampling factors)

/// The number of features of an example; an error where there is no such axis.
let private features (settings: NormalizationSettings) name (shape: int[]) =
    // the axis counts the batch
    let axis = Shape.axis name (shape.Length + 1) settings.Axis

    if axis = 0 then
        invalidArg "axis" $"{name}: axis 0 is the batch; features are on another"

    shape[axis - 1]

/// Normalises every feature over the batch.
let batchNormalization (settings: NormalizationSettings) : Layer<BatchNormalization> =
    let features = features settings "batchNormalization"

    Layer.create
        "batch normalization"
        (fun key shape -> Normalization.initBatch settings key (features shape))
        (Functional.NormalizationFunctions.batchNormalization settings)

/// Normalises every example's features.
let layerNormalization (settings: NormalizationSettings) : Layer<Normalization> =
    let features = features settings "layerNormalization"

    Layer.create "layer normalization" (fun key shape -> Normalization.init settings key (features shape)) (fun _ p x ->
        Functional.NormalizationFunctions.layerNormalization settings p x, p)

/// Normalises groups of each example's channels; Keras' number of groups is 32.
let groupNormalization (settings: NormalizationSettings) (groups: int) : Layer<Normalization> =
    let features shape =
        let channels = features settings "groupNormalization" shape
        Normalization.groupsOf groups channels |> ignore
        channels

    Layer.create
        $"group normalization {groups}"
        (fun key shape -> Normalization.init settings key (features shape))
        (fun _ p x -> Functional.NormalizationFunctions.groupNormalization settings groups p x, p)

/// Divides every number by what its neighbouring channels hold; AlexNet's settings are `LocalResponse.alexNet`.
let localResponseNormalization (settings: LocalResponse) : Layer<unit> =
    Layer.stateless
        "local response normalization"
        (Functional.NormalizationFunctions.localResponseNormalization settings)
