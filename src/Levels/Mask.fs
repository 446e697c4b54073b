/// Which of several tensors take part: truths beside them. What takes no part is left out, or is null in its place.
[<RequireQualifiedAccess>]
module internal Functional.Levels.Mask

open Functional

/// What takes part, without gaps.
let take (mask: bool[]) (items: 'T[]) : 'T[] = Array.zip mask items |> Array.filter fst |> Array.map snd

/// What was taken, in its places again: null in the others.
let spread (mask: bool[]) (taken: Tensor[]) : Tensor[] =
    let mutable next = -1

    mask
    |> Array.map (fun takesPart ->
        if takesPart then
            next <- next + 1
            taken[next]
        else
            null)
