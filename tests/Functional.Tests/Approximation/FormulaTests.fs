/// Formulas as text: what they come to, and where they are wrong.
module Functional.Tests.Approximation.FormulaTests

open System
open Expecto
open Examples
open Functional

let private at (text: string) (values: (string * float) list) =
    let f = (Formula.Parse text).Over(List.map fst values)
    f (Tensor.ofRows [ List.map snd values ]) |> Tensor.toFloats |> List.ofArray

let private isAt (text: string) (x: float) (expected: float) =
    let found = at text [ "x", x ] |> List.exactlyOne
    Expect.floatClose Accuracy.veryHigh found expected text

/// Refused with these words, an arrow standing under this place.
let private wrongAt (text: string) (place: int) (words: string) =
    let message =
        try
            (Formula.Parse text).Over [ "x" ] |> ignore
            "nothing"
        with :? ArgumentException as e ->
            e.Message

    Expect.stringContains message words text
    Expect.stringEnds message $"\n  {text}\n  {String(' ', place)}^" text

[<Tests>]
let tests =
    testList "formula" [
        testCase "formulas come to what they say"
        <| fun () ->
            isAt "sin(3*x) + abs(x)" -0.7 (sin -2.1 + 0.7)
            isAt "x < 0 ? -x : x^2" -3.0 3.0
            isAt "x < 0 ? -x : x^2" 3.0 9.0
            isAt "-x^2" 3.0 -9.0
            isAt "2**x**2" 3.0 512.0
            isAt "(-x)^3" 2.0 -8.0
            isAt "1/3*x" 1.0 (1.0 / 3.0)
            isAt "π·x² − e" 2.0 (4.0 * Math.PI - Math.E)
            isAt "max(x, min(1, 2)) + hypot(3, 4)" 0.5 6.0
            isAt "x > 0 and x < 1 or x = 5 ? 1 : 0" 5.0 1.0
            isAt "-7 % x" 3.0 2.0
            isAt "1e-3*x" 2.0 0.002
            isAt "7" 2.0 7.0

        testCase "several variables and several values"
        <| fun () ->
            Expect.equal (at "x*y; x - y" [ "x", 3.0; "y", 4.0 ]) [ 12.0; -1.0 ] "two values"
            Expect.equal (Formula.Parse "b*sin(a) + pi").Variables [ "a"; "b" ] "variables"
            let wave = (Formula.Parse "sin(t); cos(t)").Over [ "t" ]
            Expect.equal (List.ofArray (wave (Tensor.zeros [ 5; 1 ])).Shape) [ 5; 2 ] "shape"

        testCase "errors point at the place"
        <| fun () ->
            wrongAt "sin(x" 5 "a parenthesis is not closed"
            wrongAt "2x" 1 "this does not parse"
            wrongAt "x^2 + 3 x" 8 "this does not parse"
            wrongAt "x +* 2" 3 "this does not parse"
            wrongAt "x + y" 4 "there is no variable y"
            wrongAt "1 + sine(x)" 4 "there is no function sine; there are sin, cos"
            wrongAt "1 + sin(x, 2)" 4 "sin takes one number; 2 are given"
            wrongAt "x; " 3 "there is nothing to compute here"
            wrongAt "x < 1" 0 "a condition is no value"
            wrongAt "x ? 1 : 2" 0 "a number stands where a condition is needed"
            wrongAt "|x|" 0 "this does not parse"
    ]
