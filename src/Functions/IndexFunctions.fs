/// Functions that go by the places of elements: the largest's place, running sums, taking, adding at places, one-hot rows,
/// sorting. `open Functional` brings them in.
[<AutoOpen>]
module Functional.IndexFunctions

open Functional.Operations

let private argReduce r name axis (x: Tensor) = Tensor.Bind(ArgReduce(r, Shape.axis name x.Rank axis), x)
/// The place of the largest element along an axis, the first of equals, Int32.
let argmax (axis: int) (x: Tensor) = argReduce ArgReduction.ArgMax "argmax" axis x
/// The place of the smallest element along an axis, the first of equals, Int32.
let argmin (axis: int) (x: Tensor) = argReduce ArgReduction.ArgMin "argmin" axis x

/// Running sums along an axis.
let cumsum (axis: int) (x: Tensor) = Tensor.Bind(Cumulate(Cumulation.Sum, Shape.axis "cumsum" x.Rank axis, false), x)
/// Running products along an axis.
let cumprod (axis: int) (x: Tensor) = Tensor.Bind(Cumulate(Cumulation.Prod, Shape.axis "cumprod" x.Rank axis, false), x)

let private wholeIndex name (index: Tensor) (size: int) =
    if index.DType <> DType.Int32 && index.DType <> DType.Int64 then
        invalidShape
            name
            $"an index holds places, Int32 or Int64; it is {index.DType} {index.Shape}. A Bool mask goes to `where`"

    // negative places count from the end
    where (less index (host index 0.0)) (index + float size) index

/// The slices of x along an axis that an integer tensor names (negative ones from the end); the axis is replaced by
/// the index' axes. Outside the axis is an error.
let take (axis: int) (index: Tensor) (x: Tensor) =
    let axis = Shape.axis "take" x.Rank axis
    Tensor.Bind(Gather axis, x, wholeIndex "take" index x.Shape[axis])

/// Along an axis, the element that the index names at each place (NumPy's take_along_axis): the index has x's axes.
let gatherAlong (axis: int) (index: Tensor) (x: Tensor) =
    let axis = Shape.axis "gatherAlong" x.Rank axis
    Tensor.Bind(GatherAlong axis, x, wholeIndex "gatherAlong" index x.Shape[axis])

/// Zeros of `size` places along the axis, with the updates added where the index says.
let scatterAdd (axis: int) (size: int) (index: Tensor) (updates: Tensor) =
    let rank = updates.Rank - index.Rank + 1

    if rank < 1 then
        invalidShape "scatterAdd" $"updates {updates.Shape} have fewer axes than the index {index.Shape}"

    Tensor.Bind(ScatterAdd(Shape.axis "scatterAdd" rank axis, size), updates, index)

/// Zeros of `size` places along the axis, with each update added where its index says.
let scatterAlong (axis: int) (size: int) (index: Tensor) (updates: Tensor) =
    Tensor.Bind(ScatterAlong(Shape.axis "scatterAlong" updates.Rank axis, size), updates, index)

/// Integer classes as rows of zeros with a one, in a new last axis. Classes outside 0..count − 1 are an error.
/// Example: `oneHot DType.Float32 3 (Tensor.ofSeq [ 2; 0 ])` is [[0 0 1] [1 0 0]].
let oneHot (dtype: DType) (count: int) (classes: Tensor) =
    Array.append classes.Shape [| count |] |> Shape.possible "oneHot" |> ignore

    if classes.DType <> DType.Int32 && classes.DType <> DType.Int64 then
        invalidArg "classes" $"oneHot: the classes are {classes.DType}; they are Int32 or Int64"

    // what is not known yet is checked when it is
    if classes :? Concrete then
        match Tensor.toFloats classes |> Array.tryFind (fun c -> c < 0.0 || c >= float count) with
        | Some wrong -> invalidArg "classes" $"oneHot: {wrong} is none of the {count} classes, 0 to {count - 1}"
        | None -> ()

    let index = expandDims -1 classes
    scatterAlong -1 count index (Tensor.full dtype index.Shape 1.0)

/// The places of the elements in ascending order along an axis, Int32; stable, NaN last.
let argsort (axis: int) (x: Tensor) =
    let axis = Shape.axis "argsort" x.Rank axis
    Tensor.Bind(ArgSort(axis, false, x.Shape[axis]), x)

/// The elements in ascending order along an axis; NaN last.
let sort (axis: int) (x: Tensor) = x |> gatherAlong axis (argsort axis x)

/// The k largest elements along an axis in descending order, and their places.
let topK (axis: int) (k: int) (x: Tensor) : Tensor * Tensor =
    let axis = Shape.axis "topK" x.Rank axis

    if k < 0 || k > x.Shape[axis] then
        invalidShape "topK" $"the {k} largest were asked for, axis {axis} of {x.Shape} has {x.Shape[axis]} elements"

    let places = Tensor.Bind(ArgSort(axis, true, k), x)
    Tensor.Bind(GatherAlong axis, x, places), places
