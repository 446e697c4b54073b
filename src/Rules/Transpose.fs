/// Linear maps forwards and backwards: for the linear primitives only, and written once for both modes.
[<RequireQualifiedAccess>]
module Functional.Rules.Linear

open Functional
open Functional.Operations

/// t where its branch was taken, else 0.
let private select (mask: Tensor) (t: Tensor) hole =
    let zero = host t 0.0

    if hole = 1 then
        Tensor.Bind(Select, mask, t, zero)
    else
        Tensor.Bind(Select, mask, zero, t)

let private notExpanded () = invalidOp "internal: an operation to be replaced by its definition has no linear map"

/// The derivative at a tangent, of the given shape; null stands for zero.
let apply (d: Derivative) (t: Tensor) (shape: int[]) : Tensor =
    match d with
    | Derivative.Zero -> null
    | Derivative.Identity -> broadcastTo shape t
    | Derivative.Expand -> notExpanded ()
    | Derivative.Linear(op, null, _) -> broadcastTo shape (Tensor.Bind(op, t))
    | Derivative.Linear(Select, mask, hole) -> broadcastTo shape (select mask t hole)
    | Derivative.Linear(op, residual, 0) -> Tensor.Bind(op, t, residual)
    | Derivative.Linear(op, residual, _) -> Tensor.Bind(op, residual, t)

/// Undoes a broadcast: sums to the shape.
let sumTo (shape: int[]) (x: Tensor) : Tensor =
    let s = x.Shape

    if Shape.same s shape then
        x
    else
        let lead = s.Length - shape.Length

        let axes = [|
            for i in 0 .. s.Length - 1 do
                if i < lead || (shape[i - lead] = 1 && s[i] <> 1) then
                    i
        |]

        let y = if axes.Length = 0 then x else Tensor.Bind(Reduce(Reduction.Sum, axes, true), x)
        if Shape.same y.Shape shape then y else Tensor.Bind(Reshape shape, y)

/// The axes of space of an image, and the window of a kernel.
let private inner (image: int[]) = image[1 .. image.Length - 2]
let private window (kernel: int[]) = kernel[.. kernel.Length - 3]

let private notLinear (op: Op) (hole: int) = invalidOp $"internal: {Facts.name op} is not linear in input {hole}"

/// The transposed map at a cotangent; `shape` and `dtype` are those of the hole, null stands for zero.
let transpose (d: Derivative) (ct: Tensor) (shape: int[]) (dtype: DType) : Tensor =
    match d with
    | Derivative.Zero -> null
    | Derivative.Identity -> sumTo shape ct
    | Derivative.Expand -> notExpanded ()
    | Derivative.Linear(op, c, hole) ->
        match op with
        | Unary Unary.Neg -> sumTo shape (-ct)
        | Binary(Binary.Mul | Binary.Div | Binary.TanhScale | Binary.SigmoidScale | Binary.ReluScale) when hole = 0 ->
            sumTo shape (Tensor.Bind(op, ct, c))
        | Select -> sumTo shape (select c ct hole)
        | MatMul(ta, tb) ->
            let y =
                if hole = 0 then
                    if ta then
                        Tensor.Bind(Prim.matmul tb true, c, ct)
                    else
                        Tensor.Bind(Prim.matmul false (not tb), ct, c)
                elif tb then
                    Tensor.Bind(Prim.matmul true ta, ct, c)
                else
                    Tensor.Bind(Prim.matmul (not ta) false, c, ct)

            sumTo shape y
        // three arrays, and for any two of them the third: each map's transpose is another of the three
        | Conv k when hole = 0 -> Tensor.Bind(ConvInput(k, inner shape), ct, c)
        | Conv k -> Tensor.Bind(ConvKernel(k, window shape), c, ct)
        | ConvInput(k, _) when hole = 0 -> Tensor.Bind(Conv k, ct, c)
        | ConvInput(k, _) -> Tensor.Bind(ConvKernel(k, window shape), ct, c)
        | ConvKernel(k, _) when hole = 0 -> Tensor.Bind(ConvInput(k, inner shape), c, ct)
        | ConvKernel(k, _) -> Tensor.Bind(Conv k, c, ct)
        | MaxPoolPick w when hole = 0 -> Tensor.Bind(MaxPoolPlace w, ct, c)
        | MaxPoolPlace w when hole = 0 -> Tensor.Bind(MaxPoolPick w, ct, c)
        | SumProduct(axes, _) -> reshape (Shape.reduce axes true shape) ct * c
        | Reduce(Reduction.Sum, axes, _) -> broadcastTo shape (reshape (Shape.reduce axes true shape) ct)
        | Cumulate(Cumulation.Sum, axis, fromEnd) -> Tensor.Bind(Cumulate(Cumulation.Sum, axis, not fromEnd), ct)
        | SoftmaxScale _ when hole = 0 -> Tensor.Bind(op, ct, c)
        | Cast _ -> Tensor.Bind(Cast dtype, ct)
        | Broadcast _ -> sumTo shape ct
        | Reshape _ -> Tensor.Bind(Reshape shape, ct)
        | Transpose p -> Tensor.Bind(Transpose(Array.init p.Length (fun i -> System.Array.IndexOf(p, i))), ct)
        | Slice(starts, lengths, steps) ->
            let low = Array.map2 min starts shape
            let span = Array.map2 (fun n step -> if n = 0 then 0 else (n - 1) * step + 1) lengths steps
            let high = Array.init shape.Length (fun i -> shape[i] - low[i] - span[i])
            Tensor.Bind(Pad(low, high, steps |> Array.map (fun s -> s - 1)), ct)
        | Pad(low, _, interior) -> Tensor.Bind(Slice(low, shape, interior |> Array.map ((+) 1)), ct)
        | Reverse _ -> Tensor.Bind(op, ct)
        | Gather axis -> Tensor.Bind(ScatterAdd(axis, shape[axis]), ct, c)
        | ScatterAdd(axis, _) -> Tensor.Bind(Gather axis, ct, c)
        | GatherAlong axis -> Tensor.Bind(ScatterAlong(axis, shape[axis]), ct, c)
        | ScatterAlong(axis, _) -> Tensor.Bind(GatherAlong axis, ct, c)
        | Unary _
        | Binary _
        | Compare _
        | StopGradient
        | AddScaled _
        | Dense
        | ConvBias _
        | MaxPool _
        | MaxPoolPick _
        | MaxPoolPlace _
        | Reduce _
        | ArgReduce _
        | Cumulate _
        | Softmax _
        | SoftmaxScale _
        | ArgSort _
        | Random _ -> notLinear op hole
