/// Slices as F# writes them: `t[0]`, `t[1.., *]`, `t[-1, 2..5]`. Both ends are included, as in F#; a negative place counts
/// from the end; axes that are not named stay whole. A place outside its axis is an error, never clamped.
[<AutoOpen>]
module Functional.Slicing

/// What is taken of one axis.
[<Struct>]
type private Part =
    /// One place; the axis disappears.
    | At of place: int
    /// From one place to another, both included.
    | From of first: int option * last: int option

let private part (parts: Part[]) (t: Tensor) : Tensor =
    if parts.Length > t.Rank then
        invalidShape "index" $"{parts.Length} places for the {t.Rank} axes of {t.Shape}"

    let fromFront n place = if place < 0 then place + n else place

    let starts, lengths = Array.zeroCreate t.Rank, Array.copy t.Shape

    for axis in 0 .. parts.Length - 1 do
        let n = t.Shape[axis]

        match parts[axis] with
        | At place ->
            starts[axis] <- Shape.index axis place t.Shape
            lengths[axis] <- 1
        | From(first, last) ->
            let from = first |> Option.fold (fun _ place -> fromFront n place) 0
            let upTo = last |> Option.fold (fun _ place -> fromFront n place) (n - 1)

            if from < 0 || from > n then
                Shape.outside axis first.Value t.Shape

            if upTo < -1 || upTo >= n then
                Shape.outside axis last.Value t.Shape

            starts[axis] <- from
            lengths[axis] <- max 0 (upTo - from + 1)

    let kept = [|
        for axis in 0 .. t.Rank - 1 do
            match (if axis < parts.Length then parts[axis] else From(None, None)) with
            | At _ -> ()
            | From _ -> lengths[axis]
    |]

    t |> slice starts lengths (Array.create t.Rank 1) |> reshape kept

type Tensor with

    member t.Item
        with get (a: int) = part [| At a |] t

    member t.GetSlice(a0: int option, a1: int option) = part [| From(a0, a1) |] t

    member t.Item
        with get (a: int, b: int) = part [| At a; At b |] t

    member t.GetSlice(a: int, b0: int option, b1: int option) = part [| At a; From(b0, b1) |] t
    member t.GetSlice(a0: int option, a1: int option, b: int) = part [| From(a0, a1); At b |] t

    member t.GetSlice(a0: int option, a1: int option, b0: int option, b1: int option) =
        part [| From(a0, a1); From(b0, b1) |] t

    member t.Item
        with get (a: int, b: int, c: int) = part [| At a; At b; At c |] t

    member t.GetSlice(a: int, b: int, c0: int option, c1: int option) = part [| At a; At b; From(c0, c1) |] t
    member t.GetSlice(a: int, b0: int option, b1: int option, c: int) = part [| At a; From(b0, b1); At c |] t

    member t.GetSlice(a: int, b0: int option, b1: int option, c0: int option, c1: int option) =
        part [| At a; From(b0, b1); From(c0, c1) |] t

    member t.GetSlice(a0: int option, a1: int option, b: int, c: int) = part [| From(a0, a1); At b; At c |] t

    member t.GetSlice(a0: int option, a1: int option, b: int, c0: int option, c1: int option) =
        part [| From(a0, a1); At b; From(c0, c1) |] t

    member t.GetSlice(a0: int option, a1: int option, b0: int option, b1: int option, c: int) =
        part [| From(a0, a1); From(b0, b1); At c |] t

    member t.GetSlice(a0: int option, a1: int option, b0: int option, b1: int option, c0: int option, c1: int option) =
        part [| From(a0, a1); From(b0, b1); From(c0, c1) |] t

    member t.Item
        with get (a: int, b: int, c: int, d: int) = part [| At a; At b; At c; At d |] t

    member t.GetSlice(a: int, b: int, c: int, d0: int option, d1: int option) =
        part [| At a; At b; At c; From(d0, d1) |] t

    member t.GetSlice(a: int, b: int, c0: int option, c1: int option, d: int) =
        part [| At a; At b; From(c0, c1); At d |] t

    member t.GetSlice(a: int, b: int, c0: int option, c1: int option, d0: int option, d1: int option) =
        part [| At a; At b; From(c0, c1); From(d0, d1) |] t

    member t.GetSlice(a: int, b0: int option, b1: int option, c: int, d: int) =
        part [| At a; From(b0, b1); At c; At d |] t

    member t.GetSlice(a: int, b0: int option, b1: int option, c: int, d0: int option, d1: int option) =
        part [| At a; From(b0, b1); At c; From(d0, d1) |] t

    member t.GetSlice(a: int, b0: int option, b1: int option, c0: int option, c1: int option, d: int) =
        part [| At a; From(b0, b1); From(c0, c1); At d |] t

    member t.GetSlice
        (a: int, b0: int option, b1: int option, c0: int option, c1: int option, d0: int option, d1: int option)
        =
        part [| At a; From(b0, b1); From(c0, c1); From(d0, d1) |] t

    member t.GetSlice(a0: int option, a1: int option, b: int, c: int, d: int) =
        part [| From(a0, a1); At b; At c; At d |] t

    member t.GetSlice(a0: int option, a1: int option, b: int, c: int, d0: int option, d1: int option) =
        part [| From(a0, a1); At b; At c; From(d0, d1) |] t

    member t.GetSlice(a0: int option, a1: int option, b: int, c0: int option, c1: int option, d: int) =
        part [| From(a0, a1); At b; From(c0, c1); At d |] t

    member t.GetSlice
        (a0: int option, a1: int option, b: int, c0: int option, c1: int option, d0: int option, d1: int option)
        =
        part [| From(a0, a1); At b; From(c0, c1); From(d0, d1) |] t

    member t.GetSlice(a0: int option, a1: int option, b0: int option, b1: int option, c: int, d: int) =
        part [| From(a0, a1); From(b0, b1); At c; At d |] t

    member t.GetSlice
        (a0: int option, a1: int option, b0: int option, b1: int option, c: int, d0: int option, d1: int option)
        =
        part [| From(a0, a1); From(b0, b1); At c; From(d0, d1) |] t

    member t.GetSlice
        (a0: int option, a1: int option, b0: int option, b1: int option, c0: int option, c1: int option, d: int)
        =
        part [| From(a0, a1); From(b0, b1); From(c0, c1); At d |] t

    member t.GetSlice
        (
            a0: int option,
            a1: int option,
            b0: int option,
            b1: int option,
            c0: int option,
            c1: int option,
            d0: int option,
            d1: int option
        ) =
        part [| From(a0, a1); From(b0, b1); From(c0, c1); From(d0, d1) |] t
