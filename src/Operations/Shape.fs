namespace Functional

open System
open Functional.Kernels

/// Arithmetic on shapes. A shape is the array of axis sizes, empty for a single number.
[<RequireQualifiedAccess>]
module Shape =

    /// The shape of a single number: no axes.
    let scalar: int[] = [||]

    /// The number of elements. An error where no array can have the shape: a size is negative, or there are more elements
    /// than one array holds.
    let size (shape: int[]) : int = ArraySize.Count shape

    /// The shape, if an array can have it: sizes of 0 or more whose product is at most what one array holds. Every operation
    /// that makes a shape of sizes it is given asks this, once; behind it sizes are believed.
    let internal possible (operation: 'Op) (shape: int[]) : int[] =
        if not (ArraySize.IsPossible shape) then
            raise (ArraySize.Impossible(string (box operation), shape))

        shape

    /// A shape of sizes that were worked out in 64 bits, if an array can have it.
    let internal ofSizes (operation: 'Op) (sizes: int64[]) : int[] =
        if sizes |> Array.exists (fun n -> n < 0L || n > int64 ArraySize.Limit) then
            raise (ArraySize.Impossible(string (box operation), sizes))

        sizes |> Array.map int |> possible operation

    /// One size that was worked out in 64 bits; `what` it is the size of.
    let internal ofSize (operation: 'Op) (what: string) (size: int64) : int =
        if size < 0L || size > int64 ArraySize.Limit then
            let why = if size < 0L then "a size is 0 or more" else "one array holds at most 2 GB"

            raise (ArgumentOutOfRangeException(null, $"{operation}: {size} {what}; {why}"))

        int size

    /// The product of two sizes, as features in groups or units in gates; `what` it counts.
    let internal times (operation: 'Op) (what: string) (a: int) (b: int) : int =
        ofSize operation what (int64 a * int64 b)

    /// Whether two shapes have the same axes, size by size.
    let same (a: int[]) (b: int[]) =
        obj.ReferenceEquals(a, b)
        || (a.Length = b.Length
            && (a.Length = 0 || MemoryExtensions.SequenceEqual(ReadOnlySpan a, ReadOnlySpan b)))

    /// `2×3`, `[3]` with one axis, `scalar` with none.
    let show (shape: int[]) : string = ArraySize.Show shape

    /// Axes or sizes one by one, for a message: `0, 2`.
    let internal list (numbers: int[]) : string = String.Join(", ", numbers)

    /// The shape two operands meet at, by NumPy's rule: aligned at the last axis, sizes equal or one of them 1.
    let broadcast (operation: 'Op) (a: int[]) (b: int[]) =
        if same a b || b.Length = 0 then
            a
        elif a.Length = 0 then
            b
        else
            let rank = max a.Length b.Length

            let at (s: int[]) i =
                let j = i - (rank - s.Length)
                if j < 0 then 1 else s[j]

            Array.init rank (fun i ->
                let x, y = at a i, at b i

                if x = y || y = 1 then
                    x
                elif x = 1 then
                    y
                else
                    invalidShape
                        operation
                        $"shapes {a} and {b} do not broadcast (axis {i - rank}: {x} against {y}; sizes must be equal or 1)")
            |> possible operation

    /// The shape with the given axes removed, or kept as 1.
    let reduce (axes: int[]) (keep: bool) (shape: int[]) =
        if axes.Length = 0 then
            shape
        elif not keep && axes.Length = shape.Length then
            scalar
        elif keep then
            Array.mapi (fun i d -> if Array.contains i axes then 1 else d) shape
        else
            [|
                for i in 0 .. shape.Length - 1 do
                    if not (Array.contains i axes) then
                        shape[i]
            |]

    /// An axis counted from the front; −1 is the last one.
    let axis (operation: string) (rank: int) (axis: int) =
        if axis >= 0 && axis < rank then
            axis
        elif axis < 0 && axis >= -rank then
            axis + rank
        else
            invalidArg
                "axis"
                $"{operation}: axis {axis} does not exist in a tensor of {rank} axes (use {-rank} to {rank - 1})"

    /// The place of an element that is counted row by row.
    let internal place (shape: int[]) (flat: int) : int[] =
        let at = Array.zeroCreate shape.Length
        let mutable rest = flat

        for axis in shape.Length - 1 .. -1 .. 0 do
            at[axis] <- rest % shape[axis]
            rest <- rest / shape[axis]

        at

    let internal outside (axis: int) (place: int) (shape: int[]) =
        invalidShape "index" $"{place} is outside axis {axis} of size {shape[axis]} ({shape})"

    /// A place of an axis, counted from the front; negative ones count from the end.
    let internal index (axis: int) (place: int) (shape: int[]) : int =
        let n = shape[axis]

        if place < -n || place >= n then
            outside axis place shape

        if place < 0 then place + n else place

    /// The shape with one axis of another size.
    let withAxis (axis: int) (size: int) (shape: int[]) =
        let s = Array.copy shape
        s[axis] <- size
        s
