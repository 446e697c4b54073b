/// Max-pooling kernels against a loop over every window: ties, NaN, −∞, padding, windows that overlap or leave places out,
/// channels that fill vectors and that do not. The numbers are small integers, so every sum is exact.
module Functional.Tests.Kernels.PoolingTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.Arrays
open Functional.Tests.Selection

/// Sizes of a pooling with one to three axes of space.
type private Case = {
    Size: int[]
    Strides: int[]
    Dilations: int[]
    Low: int[]
    X: int[]
    Y: int[]
}

let private case size strides dilations low high examples (space: int[]) channels = {
    Size = size
    Strides = strides
    Dilations = dilations
    Low = low
    X = Array.concat [ [| examples |]; space; [| channels |] ]
    Y =
        Array.concat [
            [| examples |]
            Array.init space.Length (fun i ->
                (space[i] + low[i] + Array.item i high - (Array.item i size - 1) * dilations[i] - 1) / strides[i]
                + 1)
            [| channels |]
        ]
}

let private coordinates (shape: int[]) i =
    let p = Array.zeroCreate shape.Length
    let mutable rest = i

    for axis in shape.Length - 1 .. -1 .. 0 do
        p[axis] <- rest % shape[axis]
        rest <- rest / shape[axis]

    p

/// For every element of y, in order, the elements of x that its window sees, in order.
let private windows (c: Case) =
    Array.init (sizeOf c.Y) (fun o ->
        let at = coordinates c.Y o

        [|
            for k in 0 .. sizeOf c.Size - 1 do
                let tap = coordinates c.Size k

                let seen =
                    Array.init tap.Length (fun i -> at[i + 1] * c.Strides[i] - c.Low[i] + tap[i] * c.Dilations[i])

                let place = Array.concat [ [| at[0] |]; seen; [| Array.last at |] ]

                if Array.forall2 (fun p n -> p >= 0 && p < n) place c.X then
                    Array.fold2 (fun n size i -> n * size + i) 0 c.X place
        |])

/// The first of the largest; NaN is larger than every number.
let private winner (xs: float[]) window =
    window
    |> Array.reduce (fun best i ->
        if not (Double.IsNaN xs[best]) && (Double.IsNaN xs[i] || xs[i] > xs[best]) then
            i
        else
            best)

let private results dtype (c: Case) (x: NDArray) (picked: NDArray) (placed: NDArray) =
    let room shape =
        let result = allocate dtype shape
        result.Storage.Span<byte>().Fill 0xCDuy
        result

    let plan = PoolingPlan(c.Size, c.Strides, c.Dilations, c.Low, c.X, c.Y)
    let most, pick, place = room c.Y, room c.Y, room c.X
    plan.Max(x, most)
    plan.Pick(picked, x, pick)
    plan.Place(placed, x, place)
    [| most; pick; place |]

let private check seed dtype (c: Case) =
    let random = Random(seed: int)
    let some shape draw = make dtype shape (Array.init (sizeOf shape) (fun _ -> draw ()))
    let integer () = float (random.Next(-4, 5))

    let x =
        some c.X (fun () ->
            match random.Next 40 with
            | 0 -> nan
            | 1 -> -infinity
            | _ -> integer ())

    let picked, placed = some c.X integer, some c.Y integer
    let xs, pickedNumbers, placedNumbers = numbers x, numbers picked, numbers placed
    let windows = windows c
    let most = windows |> Array.map (fun w -> if w.Length = 0 then -infinity else xs[winner xs w])
    let pick = windows |> Array.map (fun w -> if w.Length = 0 then 0.0 else pickedNumbers[winner xs w])
    let place = Array.zeroCreate<float>(sizeOf c.X)

    windows
    |> Array.iteri (fun o w ->
        if w.Length > 0 then
            let at = winner xs w
            place[at] <- place[at] + placedNumbers[o])

    for threads in [ 1; 2; 3 ] do
        let actual = withThreads threads (fun () -> results dtype c x picked placed)

        Array.iter2
            (fun (name, expected: float[]) actual ->
                Array.iteri2
                    (fun i e (a: float) ->
                        if not (agree 0.0 e a) then
                            failtest $"%A{c} {dtype}, {threads} threads: {name}, element {i} is {a}, expected {e}")
                    expected
                    (numbers actual))
            [| "max", most; "pick", pick; "place", place |]
            actual

let private everyFloat name (cases: Case list) =
    testCase name
    <| fun () ->
        for dtype in floats do
            cases |> List.iteri (fun i c -> check (100 * i) dtype c)

let private ones n = Array.create n 1
let private zeros n = Array.create n 0

[<Tests>]
let tests =
    testList "pooling kernels" [
        everyFloat "windows of two by two that cover the image" [
            for channels in [ 1; 3; 8; 16; 21; 32; 64 ] do
                case [| 2; 2 |] [| 2; 2 |] (ones 2) (zeros 2) (zeros 2) 3 [| 6; 8 |] channels
        ]

        everyFloat "windows of four places that leave places out, overlap or reach into the padding" [
            for channels in [ 5; 32 ] do
                case [| 2; 2 |] [| 2; 2 |] (ones 2) (zeros 2) (zeros 2) 2 [| 7; 9 |] channels
                case [| 2; 2 |] [| 1; 1 |] (ones 2) [| 1; 0 |] [| 0; 1 |] 2 [| 5; 6 |] channels
                case [| 3; 3 |] [| 2; 2 |] (ones 2) [| 1; 1 |] [| 1; 1 |] 2 [| 7; 8 |] channels
                case [| 4 |] [| 3 |] [| 2 |] [| 1 |] [| 2 |] 2 [| 23 |] channels
                case [| 2; 2 |] [| 3; 3 |] (ones 2) (zeros 2) (zeros 2) 2 [| 8; 8 |] channels
        ]

        everyFloat "other windows" [
            for channels in [ 3; 16; 24 ] do
                case [| 3; 3 |] [| 2; 2 |] (ones 2) (zeros 2) (zeros 2) 2 [| 13; 13 |] channels
                case [| 3; 1 |] [| 3; 1 |] (ones 2) (zeros 2) (zeros 2) 2 [| 6; 5 |] channels
                case [| 2 |] [| 2 |] [| 1 |] [| 0 |] [| 0 |] 2 [| 20 |] channels
                case [| 2; 2; 2 |] [| 2; 2; 2 |] (ones 3) (zeros 3) (zeros 3) 2 [| 4; 6; 4 |] channels
                case [| 1; 2; 2 |] [| 1; 2; 2 |] (ones 3) (zeros 3) (zeros 3) 2 [| 2; 4; 4 |] channels
        ]

        everyFloat "windows in the padding altogether" [
            case [| 2; 2 |] [| 2; 2 |] (ones 2) [| 4; 2 |] [| 5; 3 |] 2 [| 5; 4 |] 18
            case [| 2 |] [| 1 |] [| 3 |] [| 5 |] [| 5 |] 2 [| 2 |] 4
        ]

        testCase "random sizes"
        <| fun () ->
            let random = Random 7

            for i in 1..200 do
                let r = random.Next(1, 4)
                let some low high = Array.init r (fun _ -> random.Next(low, high + 1))
                let size, strides, dilations = some 1 3, some 1 3, some 1 2
                let low, high, extra = some 0 2, some 0 2, some 0 (if r = 3 then 3 else 7)

                let space =
                    Array.init r (fun a -> max 1 ((size[a] - 1) * dilations[a] + 1 - low[a] - high[a] + extra[a]))

                let c = case size strides dilations low high (random.Next(1, 4)) space (random.Next(1, 40))

                check i (if i % 2 = 0 then DType.Float32 else DType.Float64) c

        testCase "large enough to be shared among threads"
        <| fun () -> check 1 DType.Float32 (case [| 2; 2 |] [| 2; 2 |] (ones 2) (zeros 2) (zeros 2) 24 [| 28; 28 |] 32)

        testCase "integers are refused"
        <| fun () ->
            let plan = PoolingPlan([| 2 |], [| 2 |], [| 1 |], [| 0 |], [| 1; 4; 1 |], [| 1; 2; 1 |])

            let run () = plan.Max(allocate DType.Int32 [| 1; 4; 1 |], allocate DType.Int32 [| 1; 2; 1 |])

            Expect.throwsT<NotSupportedException> run "Int32"
    ]
