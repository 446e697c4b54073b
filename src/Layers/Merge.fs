/// Several tensors to one, as Keras' merge layers do. The first axis of every tensor is the batch.
[<RequireQualifiedAccess>]
module Functional.Merge

let private atLeast (count: int) name (xs: Tensor list) =
    if xs.Length < count then
        invalidArg "xs" $"Merge.{name}: needs at least {count} tensors, {xs.Length} were given"

let private fold name f (xs: Tensor list) =
    atLeast 1 name xs
    List.reduce f xs

/// The sum of all.
let add (xs: Tensor list) : Tensor = fold "add" (+) xs
/// The product of all, elementwise.
let multiply (xs: Tensor list) : Tensor = fold "multiply" (*) xs
/// The mean of all.
let average (xs: Tensor list) : Tensor = fold "average" (+) xs * (1.0 / float xs.Length)
/// The largest, elementwise.
let maximum (xs: Tensor list) : Tensor = fold "maximum" maximum xs
/// The smallest, elementwise.
let minimum (xs: Tensor list) : Tensor = fold "minimum" minimum xs
/// a − b.
let subtract (a: Tensor) (b: Tensor) : Tensor = a - b

/// All, joined along an axis; Keras' is the last (−1).
let concatenate (axis: int) (xs: Tensor list) : Tensor =
    atLeast 1 "concatenate" xs
    concat axis xs

/// x scaled to length 1 along an axis; lengths under 10⁻⁶ count as that, as Keras has it.
let internal unit (axis: int) (x: Tensor) = x * rsqrt (maximum [ sumKeep [ axis ] (square x); host x 1e-12 ])

/// For every example, a's axis contracted with b's: a [batch, .., n, ..] and b [batch, .., n, ..] give the remaining axes
/// of a followed by those of b; two vectors give [batch, 1]. Axes count the batch as 0, which cannot be contracted. With
/// `normalize` the vectors contracted have length 1: the cosine of their angle.
let dot (axisOfA: int, axisOfB: int) (normalize: bool) (a: Tensor) (b: Tensor) : Tensor =
    let axisIn name (x: Tensor) axis =
        let axis = Shape.axis $"Merge.dot ({name})" x.Rank axis

        if axis = 0 || x.Rank < 2 || x.Rank > 3 then
            invalidShape
                "Merge.dot"
                $"axis {axis} of {name} ({x.Shape}) cannot be contracted; tensors have 2 or 3 axes, of which 0 is the batch"

        axis

    let i, j = axisIn "a" a axisOfA, axisIn "b" b axisOfB

    if a.Shape[i] <> b.Shape[j] || a.Shape[0] <> b.Shape[0] then
        invalidShape
            "Merge.dot"
            $"axis {i} of {a.Shape} against axis {j} of {b.Shape}; the batch and the contracted axes must be equally long"

    let a, b = if normalize then unit i a, unit j b else a, b
    // [batch, rows, n] · [batch, n, columns]
    let left =
        if a.Rank = 2 then expandDims 1 a
        elif i = 2 then a
        else transpose a

    let right =
        if b.Rank = 2 then expandDims 2 b
        elif j = 1 then b
        else transpose b

    let product = matmul right left

    match a.Rank, b.Rank with
    | 3, 3 -> product
    | 2, 2 -> squeeze [ 2 ] product
    | 2, _ -> squeeze [ 1 ] product
    | _ -> squeeze [ 2 ] product
