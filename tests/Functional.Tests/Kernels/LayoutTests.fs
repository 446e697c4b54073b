/// Moving elements: every function of Layout against its definition by coordinates.
module Functional.Tests.Kernels.LayoutTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.NaiveArrays

let private expectElements (y: NDArray) (expected: int[] -> float) (name: unit -> string) =
    expectSame (toFloats y) (tabulate y.Shape expected) (fun () -> $"{name ()}, {y.DType}")

let private shuffled (random: Random) n = Array.init n id |> Array.sortBy (fun _ -> random.Next())

let private checkTranspose (random: Random) (x: NDArray) =
    let order, values = shuffled random x.Rank, toFloats x
    let y = room x.DType (Array.map (Array.get x.Shape) order)
    Layout.Transpose(x, order, y)
    let back = Array.init x.Rank (fun axis -> Array.IndexOf(order, axis))

    expectElements y (fun at -> values[number x.Shape (Array.map (Array.get at) back)]) (fun () ->
        $"{show x.Shape} by {show order}")

let private checkBroadcast (random: Random) (x: NDArray) =
    let target = x.Shape
    let dropped = random.Next(target.Length + 1)
    let shape = target[dropped..] |> Array.map (fun size -> if random.Next 3 = 0 then 1 else size)
    let small = draw random x.DType shape
    let values, y = toFloats small, room x.DType target
    Layout.Broadcast(small, y)

    expectElements
        y
        (fun at -> values[number shape (Array.map2 (fun size i -> if size = 1 then 0 else i) shape at[dropped..])])
        (fun () -> $"{show shape} to {show target}")

let private checkSliceAndPad (random: Random) (x: NDArray) =
    let starts = x.Shape |> Array.map (fun size -> random.Next(size + 1))
    let steps = x.Shape |> Array.map (fun _ -> if random.Next 2 = 0 then 1 else random.Next(1, 4))

    let lengths =
        Array.map3 (fun size start step -> random.Next((size - start + step - 1) / step + 1)) x.Shape starts steps

    let values, part = toFloats x, room x.DType lengths
    Layout.Slice(x, starts, steps, part)
    let source at = Array.map3 (fun start step i -> start + step * i) starts steps at

    expectElements part (fun at -> values[number x.Shape (source at)]) (fun () ->
        $"slice of {show x.Shape} from {show starts} by {show steps}")

    let whole = room x.DType x.Shape
    Layout.Pad(part.Settle(), starts, Array.map (fun step -> step - 1) steps, whole)
    let expected = Array.zeroCreate<float>(size x.Shape)

    for i in 0 .. size lengths - 1 do
        let at = number x.Shape (source (place lengths i))
        expected[at] <- values[at]

    expectSame (toFloats whole) expected (fun () -> $"pad to {show x.Shape}, {x.DType}")

let private checkReverse (random: Random) (x: NDArray) =
    let axes = Array.init x.Rank id |> Array.filter (fun _ -> random.Next 2 = 0)
    let values, y = toFloats x, room x.DType x.Shape
    Layout.Reverse(x, axes, y)

    expectElements
        y
        (Array.mapi (fun axis i -> if Array.contains axis axes then x.Shape[axis] - 1 - i else i)
         >> number x.Shape
         >> Array.get values)
        (fun () -> $"{show x.Shape} along {show axes}")

let private checkConcatAndSplit (random: Random) (x: NDArray) =
    if x.Rank > 0 then
        let axis = random.Next x.Rank
        let resized n = Array.updateAt axis n x.Shape
        let parts = Array.init (random.Next(1, 4)) (fun _ -> draw random x.DType (resized (random.Next 6)))
        let values = Array.map toFloats parts
        let y = room x.DType (resized (parts |> Array.sumBy (fun part -> part.Shape[axis])))
        Layout.Concat(parts, axis, y)

        let rec element part (at: int[]) =
            let length = parts[part].Shape[axis]

            if at[axis] >= length then
                element (part + 1) (Array.updateAt axis (at[axis] - length) at)
            else
                values[part][number parts[part].Shape at]

        expectElements y (element 0) (fun () -> $"axis {axis} of {show y.Shape}")
        let back = parts |> Array.map (fun part -> room x.DType part.Shape)
        Layout.Split(y, axis, back)
        Array.iter2 (fun part expected -> expectSame (toFloats part) expected (fun () -> "split")) back values

/// Arrays large enough to be shared between threads, of sizes that fit no block.
let private large = [
    [| 1021; 515 |], [| 1; 0 |]
    [| 7; 33; 51; 37 |], [| 0; 3; 1; 2 |]
    [| 7; 33; 51; 37 |], [| 2; 0; 1; 3 |]
    [| 40000; 9 |], [| 1; 0 |]
    [| 9; 40000 |], [| 1; 0 |]
]

[<Tests>]
let tests =
    testList "layout kernels" [
        testCase "transpose" <| fun () -> onArrays 1 300 checkTranspose
        testCase "broadcast" <| fun () -> onArrays 2 300 checkBroadcast
        testCase "slice, and pad as its transpose" <| fun () -> onArrays 3 300 checkSliceAndPad
        testCase "reverse" <| fun () -> onArrays 4 300 checkReverse
        testCase "concat and split" <| fun () -> onArrays 5 300 checkConcatAndSplit

        testCase "large arrays are moved by several threads to the same places"
        <| fun () ->
            for dtype in [ DType.Float32; DType.Float64; DType.Bool ] do
                for shape, order in large do
                    let x = draw (Random 6) dtype shape
                    let values, y = toFloats x, room dtype (Array.map (Array.get shape) order)
                    Layout.Transpose(x, order, y)
                    let moved = toFloats y

                    for i in 0..97 .. moved.Length - 1 do
                        let at, source = place y.Shape i, Array.zeroCreate shape.Length
                        order |> Array.iteri (fun axis from -> source[from] <- at[axis])

                        if moved[i] <> values[number shape source] then
                            failtest $"{show shape} by {show order} at {show at}"

        testCase "long runs and fills have every element"
        <| fun () ->
            let x = draw (Random 7) DType.Float32 [| 300_007 |]
            let copy, filled = room DType.Float32 x.Shape, room DType.Float32 x.Shape
            Layout.Slice(x, [| 0 |], [| 1 |], copy)
            expectSame (toFloats copy) (toFloats x) (fun () -> "copied")
            Layout.Broadcast(NDArray.OfFloat(3.0, DType.Float32), filled)
            Expect.isTrue (Array.forall ((=) 3.0) (toFloats filled)) "filled"
    ]
