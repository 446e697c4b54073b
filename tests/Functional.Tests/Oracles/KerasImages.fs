/// Keras' layers of images: convolutions, pooling, padding, normalisation.
module Functional.Tests.KerasImages

open Functional
open Functional.Tests.KerasCases
open Functional.Tests.KerasArguments

/// Channels first are moved to the end for the layer; the result goes back unless it has no space left.
let private inFormat (a: Arguments) (f: Tensor -> Tensor) (x: Tensor) =
    if a.TryGet(100, "data_format") = Some(Text "channels_first") then
        let y = f (channelsLast x)
        if y.Rank = x.Rank then channelsFirst y else y
    else
        f x

let private padding (a: Arguments) =
    match a.TryGet(100, "padding") with
    | Some(Text "same") -> Padding.Same
    | Some(Text "causal") -> Padding.Causal
    | _ -> Padding.Valid

let private options (a: Arguments) : ConvOptions = {
    ConvOptions.defaults with
        Strides = a.Wholes(2, "strides")
        Padding = padding a
        Dilations = a.Wholes(100, "dilation_rate")
}

let private hasBias (a: Arguments) = a.TryGet(100, "use_bias") <> Some(Name "False")

/// A layer of a kernel and, perhaps, a bias.
let private kernelLayer (f: ConvOptions -> Conv -> Tensor -> Tensor) : Reader =
    fun a weights ->
        let p: Conv = { Kernel = weights[0]; Bias = if hasBias a then Some weights[1] else None }
        let run = inFormat a (f (options a) p) >> a.Activation 100
        (fun inputs -> run (List.head inputs)), List.skip (if hasBias a then 2 else 1) weights

let private separable: Reader =
    fun a weights ->
        let p: SeparableConv = {
            Depthwise = weights[0]
            Pointwise = weights[1]
            Bias = if hasBias a then Some weights[2] else None
        }

        let run = inFormat a (separableConvolution (options a) p) >> a.Activation 100
        (fun inputs -> run (List.head inputs)), List.skip (if hasBias a then 3 else 2) weights

let private stateless (f: Arguments -> Tensor -> Tensor) : Reader =
    fun a weights -> (fun inputs -> inFormat a (f a) (List.head inputs)), weights

let private pool axes (f: PoolOptions -> Tensor -> Tensor) =
    stateless (fun a ->
        let size = a.Wholes(0, "pool_size")

        f {
            Pool.window (if size.IsEmpty then List.replicate axes 2 else size) with
                Strides = a.Wholes(1, "strides")
                Padding = padding a
        })

/// Widths at both ends of every axis, from one number, one for each axis, or pairs; for one axis, two numbers are a pair.
let private widths axes name (a: Arguments) =
    let number item =
        match item with
        | Number n -> int n
        | _ -> failwith $"{name} is not whole"

    let both item =
        match item with
        | Items [ first; last ] -> number first, number last
        | item -> number item, number item

    match a.TryGet(0, name) with
    | Some(Items [ first; last ]) when axes = 1 -> [ number first, number last ]
    | Some(Items items) -> List.map both items
    | Some item -> List.replicate axes (both item)
    | None -> List.replicate axes (1, 1)

let private upSamplingOf axes =
    stateless (fun a ->
        match a.Wholes(0, "size") with
        | [] -> upSampling (List.replicate axes 2)
        | [ n ] -> upSampling (List.replicate axes n)
        | sizes -> upSampling sizes)

let private batchNormalizationOf: Reader =
    fun a weights ->
        let isOff name = a.TryGet(100, name) = Some(Name "False")

        let settings = {
            Normalization.defaults with
                Axis = a.Whole(100, "axis", -1)
                Epsilon = a.Number(100, "epsilon", 1e-3)
                Center = not (isOff "center")
                Scale = not (isOff "scale")
        }

        let gamma, rest =
            if settings.Scale then
                Some(List.head weights), List.tail weights
            else
                None, weights

        let beta, rest = if settings.Center then Some(List.head rest), List.tail rest else None, rest

        let p: BatchNormalization = {
            Gamma = gamma
            Beta = beta
            MovingMean = { Value = rest[0] }
            MovingVariance = { Value = rest[1] }
        }

        (fun inputs -> fst (batchNormalization settings Inference p (List.head inputs))), List.skip 2 rest

let layers: (string * Reader) list = [
    for axes in 1..3 do
        $"Conv{axes}D", kernelLayer convolution
        $"Conv{axes}DTranspose", kernelLayer transposedConvolution
        $"DepthwiseConv{axes}D", kernelLayer depthwiseConvolution
        $"SeparableConv{axes}D", separable
        $"MaxPooling{axes}D", pool axes maxPool
        $"AveragePooling{axes}D", pool axes averagePool
        $"GlobalMaxPooling{axes}D", stateless (fun _ -> globalMaxPool)
        $"GlobalAveragePooling{axes}D", stateless (fun _ -> globalAveragePool)
        $"ZeroPadding{axes}D", stateless (widths axes "padding" >> zeroPadding)
        $"Cropping{axes}D", stateless (widths axes "cropping" >> cropping)
        $"UpSampling{axes}D", upSamplingOf axes
    "BatchNormalization", batchNormalizationOf
]
