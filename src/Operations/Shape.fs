namespace Functional

open System

/// Arithmetic on shapes. A shape is the array of axis sizes, empty for a single number.
[<RequireQualifiedAccess>]
module Shape =

    let scalar: int[] = [||]

    /// The number of elements.
    let size (shape: int[]) =
        let mutable n = 1

        for d in shape do
            n <- n * d

        n

    let same (a: int[]) (b: int[]) =
        obj.ReferenceEquals(a, b)
        || (a.Length = b.Length
            && (a.Length = 0 || MemoryExtensions.SequenceEqual(ReadOnlySpan a, ReadOnlySpan b)))

    /// `2×3`, or `scalar`.
    let show (shape: int[]) = if shape.Length = 0 then "scalar" else String.Join("×", shape)

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
                    invalidArg
                        "shape"
                        $"{operation}: shapes {show a} and {show b} do not broadcast (axis {i - rank}: {x} against {y}; sizes must be equal or 1)")

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

    /// The shape with one axis of another size.
    let withAxis (axis: int) (size: int) (shape: int[]) =
        let s = Array.copy shape
        s[axis] <- size
        s
