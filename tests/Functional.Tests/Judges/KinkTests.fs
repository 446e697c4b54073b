/// The documented choice at every kink, and functions that must not make NaN of it.
module Functional.Tests.Judges.KinkTests

open Expecto
open Functional

let private vector (xs: float list) = Tensor.ofSeq xs

/// The gradient of the sum of f, by both modes.
let private slope (f: Tensor -> Tensor) (xs: float list) (expected: float list) () =
    let x = vector xs

    let same mode found =
        if not (List.forall2 (fun a b -> abs (a - b) <= 1e-15) found expected) then
            failtest $"{mode}: %A{found}, expected %A{expected}"

    same "reverse" (Tensor.toFloats (grad (f >> sum) x) |> List.ofArray)

    let column i =
        Tensor.toFloat (
            snd (jvp (f >> sum) x (Tensor.create [ x.Size ] (Array.init x.Size (fun k -> if k = i then 1.0 else 0.0))))
        )

    same "forward" (List.init x.Size column)

[<Tests>]
let tests =
    testList "kinks" [
        testCase "relu′(0) = 0" <| slope relu [ -1.0; 0.0; 2.0 ] [ 0.0; 0.0; 1.0 ]
        testCase "|x|′(0) = 0" <| slope abs [ -1.0; 0.0; 2.0 ] [ -1.0; 0.0; 1.0 ]
        testCase "sign and steps have derivative 0"
        <| slope (fun x -> signum x + floor x + round x + ceil x) [ 0.0; 1.0; 0.5 ] [ 0.0; 0.0; 0.0 ]
        testCase "ties of max share equally"
        <| slope amax [ 1.0; 3.0; 3.0; 2.0; 3.0 ] [ 0.0; 1.0 / 3.0; 1.0 / 3.0; 0.0; 1.0 / 3.0 ]
        testCase "ties of min share equally" <| slope amin [ 1.0; 3.0; 1.0 ] [ 0.5; 0.0; 0.5 ]
        testCase "maximum at a tie gives each half"
        <| slope (fun x -> maximum x (vector [ 1.0; 1.0; 1.0 ])) [ 0.0; 1.0; 2.0 ] [ 0.0; 0.5; 1.0 ]
        testCase "minimum at a tie gives each half"
        <| slope (fun x -> minimum (vector [ 1.0; 1.0; 1.0 ]) x) [ 0.0; 1.0; 2.0 ] [ 1.0; 0.5; 0.0 ]
        testCase "a maximum of x with itself has derivative 1"
        <| slope (fun x -> maximum x x) [ 0.0; 1.0 ] [ 1.0; 1.0 ]
        testCase "products with zeros" <| slope prod [ 2.0; 0.0; 3.0 ] [ 0.0; 6.0; 0.0 ]
        testCase "products with two zeros" <| slope prod [ 0.0; 0.0; 3.0 ] [ 0.0; 0.0; 0.0 ]
        testCase "running products with zeros" <| slope (cumprod 0) [ 2.0; 0.0; 3.0 ] [ 1.0; 8.0; 0.0 ]
        testCase "x⁰, x¹, x² at 0" (fun () ->
            slope (fun x -> x ** 0.0) [ 0.0; 2.0 ] [ 0.0; 0.0 ] ()
            slope (fun x -> x ** 1.0) [ 0.0; 2.0 ] [ 1.0; 1.0 ] ()
            slope (fun x -> x ** 2.0) [ 0.0; -2.0 ] [ 0.0; -4.0 ] ()
            slope (fun x -> x ** 3.0) [ 0.0; -2.0 ] [ 0.0; 12.0 ] ())
        testCase "the exponent's derivative at base 0"
        <| slope (fun x -> Tensor.scalar 0.0 ** x) [ 1.0; 2.0 ] [ 0.0; 0.0 ]
        testCase "safeSqrt, safeLog, safeDivide and norm at 0" (fun () ->
            slope safeSqrt [ 0.0; 4.0 ] [ 0.0; 0.25 ] ()
            slope safeLog [ 0.0; 4.0 ] [ 0.0; 0.25 ] ()
            slope (fun x -> safeDivide x (vector [ 0.0; 4.0 ])) [ 1.0; 1.0 ] [ 0.0; 0.25 ] ()
            slope (fun x -> safeDivide (scalar 1.0) x) [ 0.0; 2.0 ] [ 0.0; -0.25 ] ()
            slope norm [ 0.0; 0.0 ] [ 0.0; 0.0 ] ()
            slope norm [ 3.0; 4.0 ] [ 0.6; 0.8 ] ())
        testCase "where with a guarded argument"
        <| slope (fun x -> let bad = less x (scalar 0.1) in where bad (scalar 0.0) (log (where bad (scalar 1.0) x))) [
            0.0
            2.0
        ] [ 0.0; 0.5 ]
        testCase "logsumexp and softmax far out" (fun () ->
            slope logsumexp [ 1000.0; -1000.0 ] [ 1.0; 0.0 ] ()
            slope logsumexp [ -infinity; 0.0 ] [ 0.0; 1.0 ] ()
            slope logsumexp [ -infinity; -infinity ] [ 0.0; 0.0 ] ()
            slope (softmax >> index 0 0) [ 1000.0; -1000.0 ] [ 0.0; 0.0 ] ())
        testCase "sigmoid, softplus and tanh far out" (fun () ->
            slope sigmoid [ 1000.0; -1000.0 ] [ 0.0; 0.0 ] ()
            slope softplus [ 1000.0; -1000.0 ] [ 1.0; 0.0 ] ()
            slope tanh [ 1000.0; -1000.0 ] [ 0.0; 0.0 ] ())
        testCase "stopGradient is constant" <| slope (fun x -> x * stopGradient x) [ 3.0 ] [ 3.0 ]
        testCase "clamp inside, outside and on the edge"
        <| slope (clamp -1.0 1.0) [ -2.0; -1.0; 0.0; 1.0; 2.0 ] [ 0.0; 0.5; 1.0; 0.5; 0.0 ]
        testCase "argmax and argsort take the first of equals" (fun () ->
            Expect.equal (Tensor.toFloat (argmax 0 (vector [ 1.0; 3.0; 3.0 ]))) 1.0 "argmax"

            Expect.equal
                (Tensor.toFloats (argsort 0 (vector [ 3.0; 1.0; 3.0; 1.0 ])))
                [| 1.0; 3.0; 0.0; 2.0 |]
                "argsort")
        testCase "sort sends its derivative home"
        <| slope (fun x -> sort 0 x * vector [ 1.0; 2.0; 3.0 ]) [ 5.0; 1.0; 3.0 ] [ 3.0; 1.0; 2.0 ]
        testCase "the remainder's derivatives" (fun () ->
            slope (fun x -> x % 3.0) [ 7.5; -7.5 ] [ 1.0; 1.0 ] ()
            slope (fun y -> vector [ 7.5; -7.5 ] % y) [ 3.0; 3.0 ] [ -2.0; 2.0 ] ())
        testCase "integers and truth values carry no derivative"
        <| slope (fun x -> x * cast DType.Float64 (cast DType.Int32 x) + where (greater x (scalar 1.0)) x (scalar 0.0)) [
            1.5
            0.5
        ] [ 2.0; 0.0 ]
    ]
