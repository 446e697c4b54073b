/// Layers ready to be composed, with Keras' meanings and defaults. Shapes are without the batch axis.
/// Example: `Layers.flatten --> Layers.dense 500 --> Layers.activation "sigmoid" sigmoid --> Layers.dense 10`.
[<RequireQualifiedAccess>]
module Functional.Layers

let private features name (shape: int[]) =
    if shape.Length = 0 then
        invalidArg "shape" $"{name}: an example is a single number; it needs an axis of features"

    shape[shape.Length - 1]

/// A fully connected layer with other initialisers, without a bias, or of another element type.
/// Example: `Layers.denseWith { Dense.defaults with WeightInitializer = Initializer.heNormal } 500`.
let denseWith (settings: DenseSettings) (units: int) : Layer<Dense> =
    if units < 1 then
        invalidArg "units" $"dense: {units} units; there must be at least one"

    Layer.create
        $"dense {units}"
        (fun key shape -> Dense.initWith settings key (features "dense" shape) units)
        (fun _ p x -> dense p x, p)

/// A fully connected layer: [.., inputs] gives [.., units].
let dense (units: int) : Layer<Dense> = denseWith Dense.defaults units

/// A function that keeps the shape. Example: `Layers.activation "tanh" tanh`.
let activation (name: string) (f: Tensor -> Tensor) : Layer<unit> = Layer.stateless name f

/// All axes but the batch as one.
let flatten: Layer<unit> =
    Layer.stateless "flatten" (fun x ->
        if x.Rank = 0 then
            invalidArg "x" "flatten: the input is a single number; it needs a batch axis"

        reshape [ x.Shape[0]; Shape.size x.Shape[1..] ] x)

/// Every example under another shape; one size may be −1 and is worked out.
let reshape (target: int list) : Layer<unit> =
    let resolve (shape: int[]) =
        let size = Shape.size shape
        let free = target |> List.filter ((=) -1) |> List.length
        let known = target |> List.filter ((<>) -1) |> Array.ofList |> Shape.possible "reshape" |> Shape.size

        if free > 1 || (free = 1 && (known = 0 || size % known <> 0)) || (free = 0 && known <> size) then
            invalidShape
                "reshape"
                $"an example of shape {shape} has {size} elements, which {Array.ofList target} cannot hold"

        target |> List.map (fun n -> if n = -1 then size / known else n) |> Array.ofList

    Layer.stateless "reshape" (fun x -> Functions.reshape (Array.append [| x.Shape[0] |] (resolve x.Shape[1..])) x)

/// The axes of every example in another order, counted from 1 as Keras does: `Layers.permute [ 2; 1 ]` exchanges two.
let permute (order: int list) : Layer<unit> =
    if List.sort order <> [ 1 .. order.Length ] then
        invalidArg "order" $"permute: %A{order} does not name each axis from 1 to {order.Length} once"

    Layer.stateless "permute" (fun x ->
        if x.Rank <> order.Length + 1 then
            invalidArg
                "x"
                $"permute: %A{order} for examples of shape {Shape.show x.Shape[1..]}, which have {x.Rank - 1} axes"

        Functions.permute (0 :: order) x)

/// Every example, a vector, repeated: [features] gives [count, features].
let repeatVector (count: int) : Layer<unit> =
    if count < 1 then
        invalidArg "count" $"repeatVector: {count} times; it must be at least once"

    Layer.stateless "repeat vector" (fun x ->
        if x.Rank <> 2 then
            invalidShape "repeatVector" $"needs vectors, an example has shape {x.Shape[1..]}"

        x |> expandDims 1 |> broadcastTo [ x.Shape[0]; count; x.Shape[1] ])

/// leakyRelu with a trained alpha for every feature, 0 at first.
let parametricRelu: Layer<ParametricRelu> =
    Layer.create
        "parametric relu"
        (fun key shape -> { Alpha = Initializer.zeros DType.Float32 shape key })
        (fun _ p x -> parametricRelu p.Alpha x, p)

let private disturbed name (f: Tensor -> Tensor -> Tensor) : Layer<unit> =
    Layer.create name (fun _ _ -> ()) (fun phase () x ->
        match phase with
        | Training key -> f key x, ()
        | Inference -> x, ())

/// While learning, sets a fraction of the inputs to 0 and scales up the rest, so that the expected sum stays the same;
/// otherwise passes its input on. Srivastava et al., "Dropout" (2014).
let dropout (rate: float) : Layer<unit> =
    checkRate "dropout" rate
    disturbed $"dropout {rate}" (Functional.NoiseFunctions.dropout rate)

/// The same with elements that share a place dropped together: the shape broadcasts to that of the input, batch included,
/// and is the input's where it says None. `Layers.dropoutOver 0.5 [ None; Some 1; None ]` drops whole features of sequences.
let dropoutOver (rate: float) (shape: int option list) : Layer<unit> =
    checkRate "dropout" rate

    disturbed $"dropout {rate}" (fun key x ->
        if shape.Length <> x.Rank then
            invalidShape
                "dropout"
                $"the noise has {shape.Length} axes, the input {x.Shape} has {x.Rank}; there is one for each"

        let noise = shape |> List.mapi (fun i size -> defaultArg size x.Shape[i]) |> Array.ofList
        Functional.NoiseFunctions.dropoutOver noise rate key x)

/// While learning, drops whole channels of [space.., channels]; otherwise passes its input on.
let spatialDropout (rate: float) : Layer<unit> =
    checkRate "spatialDropout" rate
    disturbed $"spatial dropout {rate}" (Functional.NoiseFunctions.spatialDropout rate)

/// While learning, adds normal noise of a standard deviation; otherwise passes its input on.
let gaussianNoise (deviation: float) : Layer<unit> =
    disturbed $"gaussian noise {deviation}" (Functional.NoiseFunctions.gaussianNoise deviation)

/// While learning, multiplies by normal noise of mean 1, with dropout's variance; otherwise passes its input on.
let gaussianDropout (rate: float) : Layer<unit> =
    checkRate "gaussianDropout" rate
    disturbed $"gaussian dropout {rate}" (Functional.NoiseFunctions.gaussianDropout rate)

/// A convolution without padding, Keras' defaults: [space.., channels] gives [smaller space.., filters]. The window's sizes
/// say how many axes of space there are. `ImageLayers.conv` has the settings: strides, padding, dilation, groups, initialisers.
/// Example: `Layers.conv 32 [ 3; 3 ] |> Layer.activated "relu" relu`.
let conv (filters: int) (window: int list) : Layer<Conv> = ImageLayers.conv Conv.defaults filters window

/// The same with padding that keeps the space as it is.
let convSame (filters: int) (window: int list) : Layer<Conv> =
    ImageLayers.conv { Conv.defaults with Options = ConvOptions.same } filters window

/// The maximum of windows side by side. Example: `Layers.maxPool [ 2; 2 ]`.
let maxPool (size: int list) : Layer<unit> = ImageLayers.maxPool (Pool.window size)

/// The average of windows side by side.
let averagePool (size: int list) : Layer<unit> = ImageLayers.averagePool (Pool.window size)

/// The average of every channel: [space.., channels] gives [channels].
let globalAveragePool: Layer<unit> = ImageLayers.globalAveragePool

/// The maximum of every channel: [space.., channels] gives [channels].
let globalMaxPool: Layer<unit> = ImageLayers.globalMaxPool

/// Normalises every feature of the last axis over the batch, Keras' defaults; learning moves the running statistics.
let batchNormalization: Layer<BatchNormalization> =
    ImageLayers.batchNormalization Normalization.defaults

/// Normalises every example's features along the last axis, Keras' defaults.
let layerNormalization: Layer<Normalization> = ImageLayers.layerNormalization Normalization.defaults

/// A plain recurrent layer that gives its last output: [time, features] gives [units].
/// `RecurrentLayer.ofCell` has the options: all outputs, masks, dropout, other activations.
let simpleRnn (units: int) : Layer<SimpleRnn> = RecurrentLayer.ofCell SimpleRnn.cell RecurrentLayer.defaults units

/// An LSTM layer that gives its last output: [time, features] gives [units].
let lstm (units: int) : Layer<Lstm> = RecurrentLayer.ofCell Lstm.cell RecurrentLayer.defaults units

/// A GRU layer that gives its last output: [time, features] gives [units].
let gru (units: int) : Layer<Gru> = RecurrentLayer.ofCell Gru.cell RecurrentLayer.defaults units

/// A vector for every token of a vocabulary, drawn by an initialiser: [..] gives [.., units].
let embeddingWith (initializer: Initializer) (vocabulary: int) (units: int) : Layer<Embedding> =
    Layer.create
        $"embedding {vocabulary}→{units}"
        (fun key _ -> Embedding.initWith initializer DType.Float32 key vocabulary units)
        (fun _ p x -> embedding p (if x.DType.IsFloat() then cast DType.Int32 x else x), p)

/// A vector for every token of a vocabulary, with Keras' initialiser.
let embedding (vocabulary: int) (units: int) : Layer<Embedding> =
    embeddingWith Embedding.defaultInitializer vocabulary units

/// Steps whose features all have a value, which stands for padding, are set to 0: [time, features] gives the same. Recurrent
/// layers behind it leave these steps out where their options have `Padding = Some 0.0`.
let masking (padding: float) : Layer<unit> =
    Layer.stateless "masking" (fun x ->
        if x.Rank <> 3 then
            invalidShape "masking" $"an example is a sequence [time, features], this one is {x.Shape[1..]}"

        where (expandDims 2 (RecurrentLayer.mask padding x)) x (Tensor.scalarOf x.DType 0.0))

/// Multi-head attention of a sequence to itself, Keras' defaults: [time, features] gives the same. In each of the heads
/// queries and keys have so many units. `AttentionLayer.self` has the options: masks, causal attention, dropout.
let selfAttention (heads: int) (keyUnits: int) : Layer<MultiHeadAttention> =
    AttentionLayer.self Attention.defaults None (MultiHeadAttention.settings heads keyUnits)

/// A layer applied to every step of a sequence, with the same parameters: [time, ..] gives [time, ..].
let timeDistributed (layer: Layer<'P>) : Layer<'P> =
    let place (shape: int[]) =
        if shape.Length < 1 then
            invalidArg "shape" "time distributed: an example is a single number; it needs an axis of time"

        let draw, output = layer.Place shape[1..]
        draw, Array.append shape[..0] output

    {
        Name = $"time distributed {layer.Name}"
        Place = place
        Apply =
            fun phase p x ->
                if x.Rank < 2 then
                    invalidShape "time distributed" $"needs axes [batch, time, ..], the input is {x.Shape}"

                let steps = Array.append [| x.Shape[0] * x.Shape[1] |] x.Shape[2..]
                let y, p = layer.Apply phase p (Functions.reshape steps x)
                Functions.reshape (Array.append x.Shape[..1] y.Shape[1..]) y, p
    }

/// Layers one after another, known only at run time; the parameters are an array of theirs, so leaves are called
/// `[0].Weights`. Example: `Layers.sequential "digits" [ Layer.erase (Layers.dense 64); Layer.erase (Layers.dense 10) ]`.
let sequential (name: string) (layers: Layer<obj> list) : Layer<obj[]> =
    layers |> List.map (Block.ofLayer Drops) |> Network.chain name |> Network.toLayer
