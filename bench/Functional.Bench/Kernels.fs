/// The kernels by themselves: matrix products and vector functions, each result allocated and released as eager mode does.
module Functional.Bench.Kernels

open System
open Functional
open Functional.Kernels
open Functional.Bench.Options

let groups = [ "gemm_f32"; "gemm_f64"; "elem"; "conv" ]

let private random = Random 1

let private filled (dtype: DType) (shape: int[]) (draw: unit -> float) =
    let size = Array.fold (*) 1 shape

    match dtype with
    | DType.Float32 -> NDArray.Of<float32>(shape, ReadOnlySpan(Array.init size (fun _ -> float32 (draw ()))))
    | _ -> NDArray.Of<float>(shape, ReadOnlySpan(Array.init size (fun _ -> draw ())))

let private normal () = sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// One call as eager mode makes it: a new result, the kernel, and the result given back.
let private into (shape: int[]) dtype (kernel: NDArray -> unit) () =
    let result = NDArray.Allocate(shape, dtype)
    kernel result
    result.Storage.Release()

/// m, k, n and which sides are stored transposed; the same list as the peer's.
let private products () = [
    "nn_128x784x500", 128, 784, 500, false, false
    "nn_128x500x500", 128, 500, 500, false, false
    "nt_128x500x500", 128, 500, 500, false, true
    "tn_500x128x784", 500, 128, 784, true, false
    "nn_1024x1024x1024", 1024, 1024, 1024, false, false
    "nn_256x256x256", 256, 256, 256, false, false
    "nn_64x64x64", 64, 64, 64, false, false
    "nn_32x64x64", 32, 64, 64, false, false
    "nn_128x1x64", 128, 1, 64, false, false
    "nn_128x64x1", 128, 64, 1, false, false
]

let private product dtype (m, k, n, transposeA, transposeB) =
    let a = filled dtype (if transposeA then [| k; m |] else [| m; k |]) random.NextDouble
    let b = filled dtype (if transposeB then [| n; k |] else [| k; n |]) random.NextDouble
    into [| m; n |] dtype (fun y -> MatMul.Run(transposeA, transposeB, a, b, y))

/// A 3×3 convolution of 64 images with padding, forward; and with all its gradients. The image's is left out where nobody
/// asks for it.
let private convolution size channels features ofImage withGradients =
    let one, padding = [| 1; 1 |], [| 1; 1 |]

    let x, w, y =
        [| 64; size; size; channels |], [| 3; 3; channels; features |], [| 64; size; size; features |]

    let draw shape = filled DType.Float32 shape random.NextDouble
    let image, kernel, bias, cotangent = draw x, draw w, draw [| features |], draw y
    let output = ConvolutionPlan.Output(one, one, padding, 1, x, w, y)
    let ofX = ConvolutionPlan.Input(one, one, padding, 1, x, w, y)
    let ofW = ConvolutionPlan.Kernel(one, one, padding, 1, x, w, y)

    fun () ->
        into y DType.Float32 (fun r -> output.RunAdd(image, kernel, bias, r)) ()

        if withGradients then
            if ofImage then
                into x DType.Float32 (fun r -> ofX.Run(cotangent, kernel, r)) ()

            into w DType.Float32 (fun r -> ofW.Run(image, cotangent, r)) ()

            into
                [| features |]
                DType.Float32
                (fun r -> Reductions.Reduce(Reduction.Sum, cotangent, [| 0; 1; 2 |], r))
                ()

/// Every case by name, made only when it is measured.
let private cases () : (string * (unit -> unit -> unit)) list = [
    for suffix, dtype in [ "f32", DType.Float32; "f64", DType.Float64 ] do
        for name, m, k, n, ta, tb in products () do
            $"gemm_{suffix}_{name}", (fun () -> product dtype (m, k, n, ta, tb))
    for name, size, channels, features, ofImage in [ "1x28x32", 28, 1, 32, false; "32x14x64", 14, 32, 64, true ] do
        $"conv_fwd_{name}", (fun () -> convolution size channels features ofImage false)
        $"conv_fwdbwd_{name}", (fun () -> convolution size channels features ofImage true)
    for n in [ 4096; 64000; 1 <<< 20 ] do
        let onNormal kernel () =
            let x = filled DType.Float32 [| n |] normal
            let y = filled DType.Float32 [| n |] normal
            into [| n |] DType.Float32 (kernel x y)

        $"elem_exp_{n}", onNormal (fun x _ r -> Elementwise.Unary(Unary.Exp, x, r))
        $"elem_tanh_{n}", onNormal (fun x _ r -> Elementwise.Unary(Unary.Tanh, x, r))
        $"elem_sigmoid_{n}", onNormal (fun x _ r -> Elementwise.Unary(Unary.Sigmoid, x, r))
        $"elem_add_{n}", onNormal (fun x y r -> Elementwise.Binary(Binary.Add, x, y, r))
]

/// Measures the cases asked for in this process.
let measure options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)

    for name, make in cases () do
        if selects options name then
            Measure.print name (Measure.microseconds options.Seconds (make ()))
