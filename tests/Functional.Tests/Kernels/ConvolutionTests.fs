/// Convolution kernels against a loop over every product, at sizes that fill vectors, tiles, panels and blocks and that
/// stick out of them; and the same bits on any number of threads.
module Functional.Tests.Kernels.ConvolutionTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.Arrays
open Functional.Tests.Selection

/// Sizes of a convolution with one to three axes of space.
type private Case = {
    Strides: int[]
    Dilations: int[]
    Low: int[]
    Groups: int
    X: int[]
    W: int[]
    Y: int[]
}

let private axes case = case.Strides.Length

let private case strides dilations low high groups examples space channels window features = {
    Strides = strides
    Dilations = dilations
    Low = low
    Groups = groups
    X = Array.concat [ [| examples |]; space; [| channels |] ]
    W = Array.append window [| channels / groups; features |]
    Y =
        Array.concat [
            [| examples |]
            Array.init (Array.length space) (fun i ->
                (space[i] + low[i] + Array.item i high - (Array.item i window - 1) * dilations[i] - 1) / strides[i]
                + 1)
            [| features |]
        ]
}

/// Every product of the convolution: the numbers of the elements of x, w and y.
let private products (c: Case) (visit: int -> int -> int -> unit) =
    let r = axes c
    let number (shape: int[]) (place: int[]) = Array.fold2 (fun n size i -> n * size + i) 0 shape place
    let channels, features = c.W[r], c.Y[r + 1]
    let own = features / c.Groups
    let space, window = c.X[1..r], c.W[.. r - 1]

    let coordinates (shape: int[]) i =
        let p = Array.zeroCreate shape.Length
        let mutable rest = i

        for axis in shape.Length - 1 .. -1 .. 0 do
            p[axis] <- rest % shape[axis]
            rest <- rest / shape[axis]

        p

    let outputs = c.Y[1..r]

    for o in 0 .. sizeOf outputs - 1 do
        let at = coordinates outputs o

        for k in 0 .. sizeOf window - 1 do
            let tap = coordinates window k
            let seen = Array.init r (fun i -> at[i] * c.Strides[i] - c.Low[i] + tap[i] * c.Dilations[i])

            if Array.forall2 (fun p n -> p >= 0 && p < n) seen space then
                let place = number space seen

                for n in 0 .. c.X[0] - 1 do
                    for f in 0 .. features - 1 do
                        for j in 0 .. channels - 1 do
                            visit
                                ((n * sizeOf space + place) * c.X[r + 1] + f / own * channels + j)
                                ((k * channels + j) * features + f)
                                ((n * sizeOf outputs + o) * features + f)

let private plan (c: Case) make =
    (make: int[] -> int[] -> int[] -> int -> int[] -> int[] -> int[] -> ConvolutionPlan)
        c.Strides
        c.Dilations
        c.Low
        c.Groups
        c.X
        c.W
        c.Y

let private output s d l g x w y = ConvolutionPlan.Output(s, d, l, g, x, w, y)
let private input s d l g x w y = ConvolutionPlan.Input(s, d, l, g, x, w, y)
let private kernel s d l g x w y = ConvolutionPlan.Kernel(s, d, l, g, x, w, y)

/// The three kernels of one case, filled with rubbish first.
let private results dtype (c: Case) (x: NDArray) (w: NDArray) (y: NDArray) (bias: NDArray) =
    let room shape =
        let result = allocate dtype shape
        result.Storage.Span<byte>().Fill 0xCDuy
        result

    let y', withBias, x', w' = room c.Y, room c.Y, room c.X, room c.W
    (plan c output).Run(x, w, y')
    (plan c output).RunAdd(x, w, bias, withBias)
    (plan c input).Run(y, w, x')
    (plan c kernel).Run(x, y, w')
    [| y'; withBias; x'; w' |]

let private check seed dtype (c: Case) =
    let random (shape: int[]) offset = make dtype shape (random (seed + offset) (sizeOf shape) -1.0 1.0)
    let x, w, y, bias = random c.X 1, random c.W 2, random c.Y 3, random [| Array.last c.W |] 4
    let xs, ws, ys, biases = numbers x, numbers w, numbers y, numbers bias

    let expected =
        [| c.Y; c.Y; c.X; c.W |] |> Array.map (fun shape -> Array.zeroCreate<float>(sizeOf shape))

    products c (fun i k o ->
        expected[0][o] <- expected[0][o] + xs[i] * ws[k]
        expected[2][i] <- expected[2][i] + ys[o] * ws[k]
        expected[3][k] <- expected[3][k] + xs[i] * ys[o])

    expected[1] <- expected[0] |> Array.mapi (fun o v -> v + biases[o % biases.Length])
    let actual = withThreads 1 (fun () -> results dtype c x w y bias)
    let tolerance = if dtype = DType.Float32 then 1e-4 else 1e-12

    for i in 0..3 do
        let scale = expected[i] |> Array.fold (fun m v -> max m (abs v)) 1.0

        Array.iteri2
            (fun j (a: float) e ->
                if not (abs (a - e) <= tolerance * scale) then
                    failtest $"%A{c} {dtype}: result {i}, element {j} is {a}, expected {e}")
            (numbers actual[i])
            expected[i]

    for threads in [ 2; 3; 7 ] do
        let again = withThreads threads (fun () -> results dtype c x w y bias)

        Array.iteri2
            (fun i a b -> Expect.equal (bits b) (bits a) $"%A{c}: result {i} on {threads} threads")
            actual
            again

let private everyFloat name (cases: Case list) =
    testCase name
    <| fun () ->
        for dtype in floats do
            cases |> List.iteri (fun i c -> check (100 * i) dtype c)

let private ones n = Array.create n 1

[<Tests>]
let tests =
    testList "convolution kernels" [
        everyFloat "the layers of a network on digits" [
            case (ones 2) (ones 2) [| 1; 1 |] [| 1; 1 |] 1 3 [| 28; 28 |] 1 [| 3; 3 |] 32
            case (ones 2) (ones 2) [| 1; 1 |] [| 1; 1 |] 1 2 [| 14; 14 |] 32 [| 3; 3 |] 64
            case (ones 2) (ones 2) [| 0; 0 |] [| 0; 0 |] 1 9 [| 12; 12 |] 6 [| 5; 5 |] 16
        ]

        everyFloat "channels and features that do not fill vectors" [
            for features in [ 1; 7; 17; 33; 50 ] do
                case (ones 2) (ones 2) [| 1; 0 |] [| 0; 1 |] 1 2 [| 6; 7 |] (features / 2 + 1) [| 2; 3 |] features
        ]

        everyFloat "strides" [
            case [| 2; 2 |] (ones 2) [| 1; 1 |] [| 1; 1 |] 1 2 [| 15; 14 |] 5 [| 3; 3 |] 20
            case [| 4; 4 |] (ones 2) [| 0; 0 |] [| 0; 0 |] 1 2 [| 35; 35 |] 3 [| 11; 11 |] 24
            case [| 3; 2 |] (ones 2) [| 2; 0 |] [| 0; 3 |] 1 2 [| 9; 11 |] 4 [| 1; 2 |] 9
            case [| 3; 1 |] [| 2; 3 |] [| 4; 1 |] [| 1; 5 |] 1 1 [| 12; 10 |] 3 [| 3; 2 |] 18
        ]

        everyFloat "groups" [
            case (ones 2) (ones 2) [| 2; 2 |] [| 2; 2 |] 2 2 [| 7; 7 |] 12 [| 5; 5 |] 40
            case [| 2; 1 |] [| 1; 2 |] [| 1; 1 |] [| 1; 1 |] 3 2 [| 7; 8 |] 6 [| 3; 3 |] 3
            case (ones 2) (ones 2) [| 0; 0 |] [| 0; 0 |] 4 1 [| 5; 5 |] 4 [| 2; 2 |] 12
        ]

        everyFloat "depthwise" [
            for channels in [ 2; 16; 35; 64 ] do
                case (ones 2) (ones 2) [| 1; 1 |] [| 1; 1 |] channels 2 [| 9; 9 |] channels [| 3; 3 |] channels
                case [| 2; 3 |] [| 2; 1 |] [| 0; 2 |] [| 1; 0 |] channels 3 [| 9; 10 |] channels [| 2; 3 |] channels
        ]

        everyFloat "one and three axes" [
            case [| 1 |] [| 1 |] [| 2 |] [| 0 |] 1 2 [| 500 |] 8 [| 3 |] 24
            case [| 1 |] [| 4 |] [| 12 |] [| 0 |] 1 1 [| 3000 |] 16 [| 4 |] 16
            case [| 2 |] [| 1 |] [| 0 |] [| 0 |] 5 3 [| 41 |] 5 [| 5 |] 5
            case (ones 3) (ones 3) [| 1; 1; 1 |] [| 1; 1; 1 |] 1 2 [| 5; 6; 7 |] 4 [| 3; 3; 3 |] 10
            case [| 2; 1; 2 |] [| 1; 2; 1 |] [| 0; 1; 2 |] [| 1; 0; 1 |] 2 1 [| 6; 7; 5 |] 4 [| 2; 2; 3 |] 6
        ]

        everyFloat "images larger than a block" [
            case (ones 2) (ones 2) [| 1; 1 |] [| 1; 1 |] 1 1 [| 60; 300 |] 8 [| 3; 3 |] 4
            case [| 2; 2 |] (ones 2) [| 0; 1 |] [| 2; 0 |] 1 1 [| 120; 160 |] 12 [| 4; 3 |] 3
        ]

        testCase "random sizes"
        <| fun () ->
            let random = Random 5

            for i in 1..150 do
                let r = random.Next(1, 4)
                let some low high = Array.init r (fun _ -> random.Next(low, high + 1))

                let strides, dilations, window, low, high =
                    some 1 3, some 1 3, some 1 (if r = 3 then 2 else 4), some 0 3, some 0 3

                let extra = some 0 (if r = 3 then 3 else 8)

                let space =
                    Array.init r (fun a -> max 1 ((window[a] - 1) * dilations[a] + 1 - low[a] - high[a] + extra[a]))

                let groups = random.Next(1, 4)
                let depthwise = random.Next 4 = 0

                let channels, features =
                    (if depthwise then 1 else random.Next(1, 6)), (if depthwise then 1 else random.Next(1, 20))

                let groups = if depthwise then random.Next(1, 40) else groups

                check
                    i
                    DType.Float32
                    (case
                        strides
                        dilations
                        low
                        high
                        groups
                        (random.Next(1, 4))
                        space
                        (groups * channels)
                        window
                        (groups * features))

        testCase "nothing to do"
        <| fun () ->
            let c = case (ones 2) (ones 2) [| 1; 1 |] [| 1; 1 |] 1 0 [| 4; 4 |] 2 [| 3; 3 |] 5
            check 1 DType.Float32 c

        testCase "integers are refused"
        <| fun () ->
            let c = case [| 1 |] [| 1 |] [| 0 |] [| 0 |] 1 1 [| 4 |] 1 [| 2 |] 1

            let run () =
                (plan c output).Run(allocate DType.Int32 c.X, allocate DType.Int32 c.W, allocate DType.Int32 c.Y)

            Expect.throwsT<NotSupportedException> run "Int32"
    ]
