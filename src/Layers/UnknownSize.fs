/// Sizes that are not known before there is data, −1 in the shape of an example: Keras' None, for the length of sequences most
/// of all.
[<RequireQualifiedAccess>]
module Functional.UnknownSize

/// What stands for such a size.
[<Literal>]
let Value = -1

/// Whether a shape has such a size.
let isIn (shape: int[]) : bool = Array.contains Value shape

/// A size for people.
let name (size: int) : string = if size = Value then "None" else string size

/// A shape for people, with None for sizes that are not known.
let show (shape: int[]) : string = (Shape.show shape).Replace("-1", "None")

// Many numbers divide both, and no window or stride makes them one. Images of several such axes get smaller ones, so that they
// stay as large as an array can be.
let private some (unknown: int) =
    match unknown with
    | 0
    | 1 -> 5040, 10080
    | 2 -> 840, 1680
    | _ -> 120, 240

/// The shapes that a function of shapes gives where some sizes are not known: it is asked twice, with numbers for them, and what
/// differs is not known either.
let infer (f: int[][] -> int[][]) (shapes: int[][]) : int[][] =
    if not (Array.exists isIn shapes) then
        f shapes
    else
        let ask size =
            try
                shapes |> Array.map (Array.map (fun n -> if n = Value then size else n)) |> f
            with :? System.ArgumentException as e ->
                raise (
                    System.ArgumentException(
                        $"a size is not known here (None), and with {size} for it: {e.Message}; give the input a number for it, if it is to have one",
                        e
                    )
                )

        let unknown = shapes |> Array.map (Array.filter ((=) Value) >> Array.length) |> Array.max
        let less, more = some unknown
        Array.map2 (Array.map2 (fun a b -> if a = b then a else Value)) (ask less) (ask more)
