/// The evaluator: an operation's value, by the kernels. Knows arrays, knows no Tensor.
[<RequireQualifiedAccess>]
module Functional.Operations.Evaluate

open Functional
open Functional.Kernels

let inline private spec (x: NDArray) : Spec = { Shape = x.Shape; DType = x.DType }

let private specOrNone (x: NDArray) = if isNull x.Shape then Unchecked.defaultof<Spec> else spec x

/// The shape, if an array of this type can have it: sizes of 0 or more, and not too many bytes.
let stored (operation: string) (shape: int[]) (dtype: DType) : int[] =
    let shape = Shape.possible operation shape

    if ArraySize.Bytes(shape, dtype) > int64 ArraySize.Limit then
        raise (ArraySize.TooLarge(operation, shape, dtype))

    shape

/// Room for the result of an operation, which an error names.
let private allocate (operation: 'Op) (shape: int[]) (dtype: DType) : NDArray =
    let y = NDArray.TryAllocate(shape, dtype)

    if isNull y.Shape then
        raise (ArraySize.TooLarge(string (box operation), shape, dtype))

    y

/// An array of equal elements, for an operation.
let full (operation: string) (shape: int[]) (value: NDArray) : NDArray =
    if shape.Length = 0 then
        value
    else
        let y = NDArray.Allocate(stored operation shape value.DType, value.DType)
        Elementwise.Fill(y, value)
        y

let unary (op: Unary) (x: NDArray) : NDArray =
    if isNull x.Storage then
        Scalars.Unary(op, x)
    else
        let y = NDArray.Allocate(x.Shape, x.DType)
        Elementwise.Unary(op, x, y)
        y

let binary (op: Binary) (a: NDArray) (b: NDArray) : NDArray =
    if isNull a.Storage && isNull b.Storage && a.DType = b.DType then
        Scalars.Binary(op, a, b)
    else
        let s = Shapes.infer (Op.Binary op) (spec a) (spec b) Unchecked.defaultof<_>
        let y = allocate (Shapes.Named(Op.Binary op)) s.Shape s.DType
        Elementwise.Binary(op, a, b, y)
        y.Settle()

let private cast (x: NDArray) dtype =
    if x.DType = dtype then
        x
    elif isNull x.Storage then
        Scalars.Cast(x, dtype)
    else
        let y = allocate "cast" x.Shape dtype
        Elementwise.Cast(x, y)
        y

/// The value of an operation; absent inputs are passed as default.
let evaluate (op: Op) (a: NDArray) (b: NDArray) (c: NDArray) : NDArray =
    let inline infer () = Shapes.infer op (spec a) (specOrNone b) (specOrNone c)

    let inline fresh (fill: NDArray -> unit) =
        let s = infer ()
        let y = allocate (Shapes.Named op) s.Shape s.DType
        fill y
        y.Settle()

    match op with
    | Unary u -> unary u a
    | Binary o -> binary o a b
    | Compare o ->
        if isNull a.Storage && isNull b.Storage && a.DType = b.DType then
            Scalars.Compare(o, a, b)
        else
            fresh (fun y -> Elementwise.Compare(o, a, b, y))
    | Select ->
        if isNull a.Storage && isNull b.Storage && isNull c.Storage then
            infer () |> ignore
            if a.Bits <> 0L then b else c
        else
            fresh (fun y -> Elementwise.Select(a, b, c, y))
    | Cast t -> cast a t
    | StopGradient -> a
    | AddScaled s -> fresh (fun y -> Elementwise.AddScaled(s, a, b, y))
    | MatMul(ta, tb) -> fresh (fun y -> MatMul.Run(ta, tb, a, b, y))
    | Dense -> fresh (fun y -> MatMul.RunAdd(a, b, c, y))
    | Conv k -> fresh (fun y -> Convolve.conv k a.Shape b.Shape y.Shape a b y)
    | ConvBias k -> fresh (fun y -> Convolve.convBias k a.Shape b.Shape y.Shape a b c y)
    | ConvInput(k, _) -> fresh (fun y -> Convolve.convInput k a.Shape b.Shape y.Shape a b y)
    | ConvKernel(k, _) -> fresh (fun y -> Convolve.convKernel k a.Shape b.Shape y.Shape a b y)
    | MaxPool w -> fresh (fun y -> Convolve.maxPool w a.Shape y.Shape a y)
    | MaxPoolPick w -> fresh (fun y -> Convolve.maxPoolPick w b.Shape y.Shape a b y)
    | MaxPoolPlace w -> fresh (fun y -> Convolve.maxPoolPlace w a.Shape y.Shape a b y)
    | SumProduct(axes, _) -> fresh (fun y -> Reductions.SumProduct(a, b, axes, y))
    | Reduce(r, axes, _) -> if axes.Length = 0 then a else fresh (fun y -> Reductions.Reduce(r, a, axes, y))
    | ArgReduce(r, axis) -> fresh (fun y -> Reductions.ArgReduce(r, a, axis, y))
    | Cumulate(c, axis, reverse) -> fresh (fun y -> Reductions.Cumulate(c, a, axis, reverse, y))
    | Softmax axis -> fresh (fun y -> Reductions.Softmax(a, axis, y))
    | SoftmaxScale axis -> fresh (fun y -> Reductions.SoftmaxScale(a, b, axis, y))
    | Broadcast shape ->
        if Shape.same a.Shape shape then a
        elif isNull a.Storage then full "broadcastTo" shape a
        else fresh (fun y -> Layout.Broadcast(a, y))
    | Reshape shape ->
        infer () |> ignore
        if Shape.same a.Shape shape then a else a.Reshape shape
    | Transpose p -> fresh (fun y -> Layout.Transpose(a, p, y))
    | Slice(starts, _, steps) -> fresh (fun y -> Layout.Slice(a, starts, steps, y))
    | Pad(low, _, interior) -> fresh (fun y -> Layout.Pad(a, low, interior, y))
    | Reverse axes -> fresh (fun y -> Layout.Reverse(a, axes, y))
    | Gather axis -> fresh (fun y -> Indexing.Gather(a, b, axis, y))
    | ScatterAdd(axis, _) -> fresh (fun y -> Indexing.ScatterAdd(a, b, axis, y))
    | GatherAlong axis -> fresh (fun y -> Indexing.GatherAlong(a, b, axis, y))
    | ScatterAlong(axis, _) -> fresh (fun y -> Indexing.ScatterAlong(a, b, axis, y))
    | ArgSort(axis, descending, _) -> fresh (fun y -> Sorting.ArgSort(a, axis, descending, y))
    | Random(d, _, _) -> fresh (fun y -> RandomNumbers.Draw(d, a, y))

/// The values of the operations with many inputs or results that hold no graph.
let concat (axis: int) (xs: NDArray[]) : NDArray[] =
    let specs = Shapes.inferMany (Concat axis) (Array.map spec xs)
    let y = allocate "concat" specs[0].Shape specs[0].DType
    Layout.Concat(xs, axis, y)
    [| y |]

let split (axis: int) (sizes: int[]) (x: NDArray) : NDArray[] =
    let ys =
        Shapes.inferMany (Split(axis, sizes)) [| spec x |]
        |> Array.map (fun s -> NDArray.Allocate(s.Shape, s.DType))

    Layout.Split(x, axis, ys)
    ys |> Array.map (fun y -> y.Settle())

let linear (op: LinearAlgebra) (onFailure: OnFailure) (xs: NDArray[]) : NDArray[] =
    Factorizations.evaluate op onFailure xs (Shapes.inferMany (Linear(op, onFailure)) (Array.map spec xs))
