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
        let y = allocate (Facts.Named(Op.Binary op)) s.Shape s.DType
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

/// The value of an operation by its kernel.
let private fresh (op: Op) (a: NDArray) (b: NDArray) (c: NDArray) : NDArray =
    let s = Shapes.infer op (spec a) (specOrNone b) (specOrNone c)
    let y = allocate (Facts.Named op) s.Shape s.DType

    Perform.operation
        op
        a.Shape
        b.Shape
        y.Shape
        null
        (fun () -> a)
        (fun () -> b)
        (fun () -> c)
        (fun () -> y)
        (fun run -> run ())

    y.Settle()

/// The value of an operation; absent inputs are passed as default. Single numbers need no kernel, nor does what is its
/// operand as it was.
let evaluate (op: Op) (a: NDArray) (b: NDArray) (c: NDArray) : NDArray =
    match op with
    | Unary u -> unary u a
    | Binary o -> binary o a b
    | Compare o when isNull a.Storage && isNull b.Storage && a.DType = b.DType -> Scalars.Compare(o, a, b)
    | Select when isNull a.Storage && isNull b.Storage && isNull c.Storage ->
        Shapes.infer op (spec a) (spec b) (spec c) |> ignore
        if a.Bits <> 0L then b else c
    | Cast t -> cast a t
    | StopGradient -> a
    | Reduce(_, [||], _) -> a
    | Broadcast shape when Shape.same a.Shape shape -> a
    | Broadcast shape when isNull a.Storage -> full "broadcastTo" shape a
    | Reshape shape ->
        Shapes.infer op (spec a) Unchecked.defaultof<_> Unchecked.defaultof<_> |> ignore
        if Shape.same a.Shape shape then a else a.Reshape shape
    | _ -> fresh op a b c

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
