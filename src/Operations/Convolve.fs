/// The kernels of convolution and pooling for operations of given shapes; a plan is made once and run many times.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Convolve

open Functional.Kernels

let private output (c: Convolution) x w y = ConvolutionPlan.Output(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
let private pooling (w: Window) x y = PoolingPlan(w.Size, w.Strides, w.Dilations, w.Low, x, y)

/// x, w ↦ y
let conv (c: Convolution) (x: int[]) (w: int[]) (y: int[]) : NDArray -> NDArray -> NDArray -> unit =
    let plan = output c x w y
    fun x w y -> plan.Run(x, w, y)

/// x, w, b ↦ y
let convBias (c: Convolution) (x: int[]) (w: int[]) (y: int[]) : NDArray -> NDArray -> NDArray -> NDArray -> unit =
    let plan = output c x w y
    fun x w b y -> plan.RunAdd(x, w, b, y)

/// y, w ↦ x
let convInput (c: Convolution) (y: int[]) (w: int[]) (x: int[]) : NDArray -> NDArray -> NDArray -> unit =
    let plan = ConvolutionPlan.Input(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
    fun y w x -> plan.Run(y, w, x)

/// x, y ↦ w
let convKernel (c: Convolution) (x: int[]) (y: int[]) (w: int[]) : NDArray -> NDArray -> NDArray -> unit =
    let plan = ConvolutionPlan.Kernel(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
    fun x y w -> plan.Run(x, y, w)

/// x ↦ y
let maxPool (w: Window) (x: int[]) (y: int[]) : NDArray -> NDArray -> unit =
    let plan = pooling w x y
    fun x y -> plan.Max(x, y)

/// t, x ↦ y
let maxPoolPick (w: Window) (x: int[]) (y: int[]) : NDArray -> NDArray -> NDArray -> unit =
    let plan = pooling w x y
    fun t x y -> plan.Pick(t, x, y)

/// t, x ↦ z of x's shape
let maxPoolPlace (w: Window) (t: int[]) (x: int[]) : NDArray -> NDArray -> NDArray -> unit =
    let plan = pooling w x t
    fun t x z -> plan.Place(t, x, z)
