/// Which kernel performs each operation: written once, for the evaluator, which has the arrays, and for plans, which have
/// places for them.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Perform

open Functional.Kernels

// the arrangements that a convolution and a window over images of given shapes need, made once

let output (c: Convolution) x w y = ConvolutionPlan.Output(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
let input (c: Convolution) x w y = ConvolutionPlan.Input(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
let window (c: Convolution) x w y = ConvolutionPlan.Kernel(c.Strides, c.Dilations, c.Low, c.Groups, x, w, y)
let pooling (w: Window) x y = PoolingPlan(w.Size, w.Strides, w.Dilations, w.Low, x, y)

/// An operation of given shapes by its kernel. `a`, `b`, `c` and `y` find the operands and the result among what a run is
/// given; `run` gets what a run does, and what had to be made for it once is made before. `packed` is a copy of a product's
/// right factor, or null.
let inline operation
    (op: Op)
    (shapeA: int[])
    (shapeB: int[])
    (shapeY: int[])
    (packed: PackedMatrix)
    ([<InlineIfLambda>] a: 'Given -> NDArray)
    ([<InlineIfLambda>] b: 'Given -> NDArray)
    ([<InlineIfLambda>] c: 'Given -> NDArray)
    ([<InlineIfLambda>] y: 'Given -> NDArray)
    ([<InlineIfLambda>] run: ('Given -> unit) -> 'Result)
    : 'Result =
    match op with
    | Unary u -> run (fun v -> Elementwise.Unary(u, a v, y v))
    | Binary o -> run (fun v -> Elementwise.Binary(o, a v, b v, y v))
    | Compare o -> run (fun v -> Elementwise.Compare(o, a v, b v, y v))
    | Select -> run (fun v -> Elementwise.Select(a v, b v, c v, y v))
    | Cast _ -> run (fun v -> Elementwise.Cast(a v, y v))
    | StopGradient
    | Reshape _ -> invalidOp $"internal: {Facts.name op} is a view, not a kernel"
    | AddScaled s -> run (fun v -> Elementwise.AddScaled(s, a v, b v, y v))
    | MatMul(ta, tb) -> run (fun v -> MatMul.Run(ta, tb, a v, b v, y v, packed))
    | Dense -> run (fun v -> MatMul.RunAdd(a v, b v, c v, y v, packed))
    | Conv k ->
        let plan = output k shapeA shapeB shapeY
        run (fun v -> plan.Run(a v, b v, y v))
    | ConvBias k ->
        let plan = output k shapeA shapeB shapeY
        run (fun v -> plan.RunAdd(a v, b v, c v, y v))
    | ConvInput(k, _) ->
        let plan = input k shapeY shapeB shapeA
        run (fun v -> plan.Run(a v, b v, y v))
    | ConvKernel(k, _) ->
        let plan = window k shapeA shapeY shapeB
        run (fun v -> plan.Run(a v, b v, y v))
    | MaxPool w ->
        let plan = pooling w shapeA shapeY
        run (fun v -> plan.Max(a v, y v))
    | MaxPoolPick w ->
        let plan = pooling w shapeB shapeY
        run (fun v -> plan.Pick(a v, b v, y v))
    | MaxPoolPlace w ->
        let plan = pooling w shapeY shapeA
        run (fun v -> plan.Place(a v, b v, y v))
    | SumProduct(axes, _) -> run (fun v -> Reductions.SumProduct(a v, b v, axes, y v))
    | Reduce(r, axes, _) -> run (fun v -> Reductions.Reduce(r, a v, axes, y v))
    | ArgReduce(r, axis) -> run (fun v -> Reductions.ArgReduce(r, a v, axis, y v))
    | Cumulate(r, axis, fromEnd) -> run (fun v -> Reductions.Cumulate(r, a v, axis, fromEnd, y v))
    | Softmax axis -> run (fun v -> Reductions.Softmax(a v, axis, y v))
    | SoftmaxScale axis -> run (fun v -> Reductions.SoftmaxScale(a v, b v, axis, y v))
    | Broadcast _ -> run (fun v -> Layout.Broadcast(a v, y v))
    | Transpose p -> run (fun v -> Layout.Transpose(a v, p, y v))
    | Slice(starts, _, steps) -> run (fun v -> Layout.Slice(a v, starts, steps, y v))
    | Pad(low, _, interior) -> run (fun v -> Layout.Pad(a v, low, interior, y v))
    | Reverse axes -> run (fun v -> Layout.Reverse(a v, axes, y v))
    | Gather axis -> run (fun v -> Indexing.Gather(a v, b v, axis, y v))
    | ScatterAdd(axis, _) -> run (fun v -> Indexing.ScatterAdd(a v, b v, axis, y v))
    | GatherAlong axis -> run (fun v -> Indexing.GatherAlong(a v, b v, axis, y v))
    | ScatterAlong(axis, _) -> run (fun v -> Indexing.ScatterAlong(a v, b v, axis, y v))
    | ArgSort(axis, descending, _) -> run (fun v -> Sorting.ArgSort(a v, axis, descending, y v))
    | Random(d, _, _) -> run (fun v -> RandomNumbers.Draw(d, a v, y v))
