/// Linear maps forwards and backwards: for the linear primitives only, and written once for both modes.
[<RequireQualifiedAccess>]
module Functional.Rules.Linear

open Functional
open Functional.Operations

/// t ↦ m(t), of the given shape.
let apply (m: LinearMap) (t: Tensor) (shape: int[]) : Tensor =
    if isNull (box m.Op) then
        broadcastTo shape t
    elif isNull m.Const then
        broadcastTo shape (Tensor.Bind(m.Op, t))
    else
        match m.Op with
        | Select ->
            let zero = host t 0.0

            let y =
                if m.Hole = 1 then
                    Tensor.Bind(m.Op, m.Const, t, zero)
                else
                    Tensor.Bind(m.Op, m.Const, zero, t)

            broadcastTo shape y
        | _ ->
            if m.Hole = 0 then
                Tensor.Bind(m.Op, t, m.Const)
            else
                Tensor.Bind(m.Op, m.Const, t)

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

let private notLinear (m: LinearMap) = invalidOp $"internal: {Shapes.name m.Op} is not linear in input {m.Hole}"

/// The transposed map at a cotangent; `shape` and `dtype` are those of the hole.
let transpose (m: LinearMap) (ct: Tensor) (shape: int[]) (dtype: DType) : Tensor =
    if isNull (box m.Op) then
        sumTo shape ct
    else
        match m.Op with
        | Unary Unary.Neg -> sumTo shape (-ct)
        | Binary(Binary.Mul | Binary.Div | Binary.TanhScale | Binary.SigmoidScale | Binary.ReluScale) when m.Hole = 0 ->
            sumTo shape (Tensor.Bind(m.Op, ct, m.Const))
        | Select ->
            let zero = host ct 0.0

            let y =
                if m.Hole = 1 then
                    Tensor.Bind(m.Op, m.Const, ct, zero)
                else
                    Tensor.Bind(m.Op, m.Const, zero, ct)

            sumTo shape y
        | MatMul(ta, tb) ->
            let c = m.Const

            let y =
                if m.Hole = 0 then
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
        | Conv k when m.Hole = 0 -> Tensor.Bind(ConvInput(k, inner shape), ct, m.Const)
        | Conv k -> Tensor.Bind(ConvKernel(k, window shape), m.Const, ct)
        | ConvInput(k, _) when m.Hole = 0 -> Tensor.Bind(Conv k, ct, m.Const)
        | ConvInput(k, _) -> Tensor.Bind(ConvKernel(k, window shape), ct, m.Const)
        | ConvKernel(k, _) when m.Hole = 0 -> Tensor.Bind(ConvInput(k, inner shape), m.Const, ct)
        | ConvKernel(k, _) -> Tensor.Bind(Conv k, m.Const, ct)
        | MaxPoolPick w when m.Hole = 0 -> Tensor.Bind(MaxPoolPlace w, ct, m.Const)
        | MaxPoolPlace w when m.Hole = 0 -> Tensor.Bind(MaxPoolPick w, ct, m.Const)
        | SumProduct(axes, _) -> reshape (Shape.reduce axes true shape) ct * m.Const
        | Reduce(Reduction.Sum, axes, _) -> broadcastTo shape (reshape (Shape.reduce axes true shape) ct)
        | Cumulate(Cumulation.Sum, axis, fromEnd) -> Tensor.Bind(Cumulate(Cumulation.Sum, axis, not fromEnd), ct)
        | SoftmaxScale _ when m.Hole = 0 -> Tensor.Bind(m.Op, ct, m.Const)
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
        | Reverse _ -> Tensor.Bind(m.Op, ct)
        | Gather axis -> Tensor.Bind(ScatterAdd(axis, shape[axis]), ct, m.Const)
        | ScatterAdd(axis, _) -> Tensor.Bind(Gather axis, ct, m.Const)
        | GatherAlong axis -> Tensor.Bind(ScatterAlong(axis, shape[axis]), ct, m.Const)
        | ScatterAlong(axis, _) -> Tensor.Bind(GatherAlong axis, ct, m.Const)
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
        | Random _ -> notLinear m
