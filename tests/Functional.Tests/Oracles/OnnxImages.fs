/// ONNX' operators on images, which lie channels first there: convolution, pooling, batch normalisation, dropout.
module Functional.Tests.OnnxImages

open Functional
open Functional.Tests.OnnxNodes

/// The numbers of a window along the axes of space.
type private Place = {
    Size: int list
    Strides: int list
    Dilations: int list
    Low: int list
    High: int list
}

let private place (a: Attributes) (x: Tensor) (size: int list) : Place =
    let axes = size.Length
    let ones = List.replicate axes 1
    let strides = defaultArg (a.Wholes "strides") ones
    let dilations = defaultArg (a.Wholes "dilations") ones
    let pads = defaultArg (a.Wholes "pads") (List.replicate (2 * axes) 0)

    let total i =
        let reach = (size[i] - 1) * dilations[i] + 1
        let n = x.Shape[i + 2]
        max 0 (((n + strides[i] - 1) / strides[i] - 1) * strides[i] + reach - n)

    let low, high =
        match a.Text("auto_pad", "NOTSET") with
        | "SAME_UPPER" -> List.init axes (fun i -> total i / 2), List.init axes (fun i -> total i - total i / 2)
        | "SAME_LOWER" -> List.init axes (fun i -> total i - total i / 2), List.init axes (fun i -> total i / 2)
        | "VALID" -> List.replicate axes 0, List.replicate axes 0
        | _ -> List.splitAt axes pads

    {
        Size = size
        Strides = strides
        Dilations = dilations
        Low = low
        High = high
    }

let private options (a: Attributes) (p: Place) : ConvOptions = {
    Strides = p.Strides
    Padding = Padding.Explicit(List.zip p.Low p.High)
    Dilations = p.Dilations
    Groups = a.Whole("group", 1)
}

/// [a, b, window..] as [window.., b, a].
let private kernel (w: Tensor) = permute [ yield! [ 2 .. w.Rank - 1 ]; 1; 0 ] w

let private window (a: Attributes) (w: Tensor) = defaultArg (a.Wholes "kernel_shape") (List.ofArray w.Shape[2..])

let private convOf: Operator =
    fun a xs ->
        let options = options a (place a xs[0] (window a xs[1]))
        let y = channelsLast xs[0] |> conv options (kernel xs[1])
        [ channelsFirst (if given xs 2 then y + xs[2] else y) ]

let private convTransposeOf: Operator =
    fun a xs ->
        let x = xs[0]
        let p = place a x (window a xs[1])
        let axes = p.Size.Length
        let extra = defaultArg (a.Wholes "output_padding") (List.replicate axes 0)
        let reach i = (p.Size[i] - 1) * p.Dilations[i] + 1
        let full i = (x.Shape[i + 2] - 1) * p.Strides[i] + extra[i] + reach i

        let target =
            match a.Wholes "output_shape", a.Text("auto_pad", "NOTSET") with
            | Some shape, _ -> List.skip (shape.Length - axes) shape
            | None, ("SAME_UPPER" | "SAME_LOWER") -> List.init axes (fun i -> x.Shape[i + 2] * p.Strides[i])
            | None, _ -> List.init axes (fun i -> full i - p.Low[i] - p.High[i])

        // what is taken off the full result is shared between both ends
        let low, high =
            if a.Has "pads" then
                p.Low, p.High
            else
                let total i = max 0 (full i - target[i])
                let less, more = List.init axes (fun i -> total i / 2), List.init axes (fun i -> total i - total i / 2)
                if a.Text("auto_pad", "NOTSET") = "SAME_LOWER" then more, less else less, more

        let options = options a { p with Low = low; High = high }
        let y = channelsLast x |> convTransposeTo target options (kernel xs[1])
        [ channelsFirst (if given xs 2 then y + xs[2] else y) ]

/// How many windows there are along an axis, and how far the last one reaches beyond the image with its padding.
let private windows (a: Attributes) (x: Tensor) (p: Place) i =
    let reach = (p.Size[i] - 1) * p.Dilations[i] + 1
    let before = x.Shape[i + 2] + p.Low[i]
    let room = before + p.High[i] - reach

    if a.Whole("ceil_mode", 0) = 0 then
        room / p.Strides[i] + 1, 0
    else
        let count = (room + p.Strides[i] - 1) / p.Strides[i] + 1
        // a window that begins behind the image does not count
        let count = if (count - 1) * p.Strides[i] >= before then count - 1 else count
        count, max 0 ((count - 1) * p.Strides[i] + reach - before - p.High[i])

let private pooling (a: Attributes) (x: Tensor) (p: Place) (padded: bool) (pool: PoolOptions -> Tensor -> Tensor) =
    let counts, more = List.init p.Size.Length (windows a x p) |> List.unzip
    let image = channelsLast x
    let none = List.map (fun _ -> 0) p.Low

    // padding that counts is a part of the image
    let image, low, high =
        if padded then
            zeroPadding (List.zip p.Low p.High) image, none, more
        else
            image, p.Low, List.map2 (+) p.High more

    let options = {
        Pool.window p.Size with
            Strides = p.Strides
            Dilations = p.Dilations
            Padding = Padding.Explicit(List.zip low high)
    }

    List.indexed counts
    |> List.fold (fun y (i, count) -> narrow (i + 1) 0 count y) (pool options image)
    |> channelsFirst

let private size (a: Attributes) = defaultArg (a.Wholes "kernel_shape") []

let private maxPoolOf: Operator =
    fun a xs ->
        if not (xs[0].DType.IsFloat()) then
            unsupported $"MaxPool of {xs[0].DType}"

        [ pooling a xs[0] (place a xs[0] (size a)) false maxPool ]

let private averagePoolOf: Operator =
    fun a xs -> [ pooling a xs[0] (place a xs[0] (size a)) (a.Whole("count_include_pad", 0) = 1) averagePool ]

let private batchNormalizationOf: Operator =
    fun a xs ->
        let settings = {
            Normalization.defaults with
                Axis = 1
                Epsilon = a.Number("epsilon", 1e-5)
                Momentum = a.Number("momentum", 0.9)
        }

        let p: BatchNormalization = {
            Gamma = Some xs[1]
            Beta = Some xs[2]
            MovingMean = { Value = xs[3] }
            MovingVariance = { Value = xs[4] }
        }

        let phase = if a.Whole("training_mode", 0) = 1 then Training(Key.create 0L) else Inference
        let y, p = batchNormalization settings phase p xs[0]
        [ y; p.MovingMean.Value; p.MovingVariance.Value ]

let private dropoutOf: Operator =
    fun a xs ->
        let ratio = if given xs 1 then Tensor.toFloat xs[1] else a.Number("ratio", 0.5)

        if given xs 2 && Tensor.toBool xs[2] && ratio > 0.0 then
            unsupported "Dropout with NumPy's random numbers"

        [ xs[0]; equal xs[0] xs[0] ]

let operators: (string * Operator) list = [
    "Conv", convOf
    "ConvTranspose", convTransposeOf
    "MaxPool", maxPoolOf
    "AveragePool", averagePoolOf
    "BatchNormalization", batchNormalizationOf
    "Dropout", dropoutOf
]
