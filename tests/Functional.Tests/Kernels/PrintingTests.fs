/// Printing by NumPy's conventions. The expected texts are what NumPy 2 prints with precision 4.
module Functional.Tests.Kernels.PrintingTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.NaiveArrays

let private floats (values: float list) = ofFloats DType.Float64 [| values.Length |] (Array.ofList values)
let private counting shape = ofFloats DType.Int32 shape (Array.init (size shape) float)

let private prints name (x: NDArray) (lines: string list) =
    testCase name <| fun () -> Expect.equal (Printing.Print x) (String.concat "\n" lines) name

[<Tests>]
let tests =
    testList "printing" [
        prints "whole floats keep their point" (floats [ 1; 2; 3 ]) [ "[1. 2. 3.]" ]
        prints "one width for all" (ofFloats DType.Float32 [| 2; 3 |] [| 1.5; 2; 3.25; -1; 0; 100 |]) [
            "[[  1.5    2.     3.25]"
            " [ -1.     0.   100.  ]]"
        ]
        prints "four decimals, rounded by the exact value, ties to even" (floats [ 0.03125; 0.09375; 0.00015; 0.12345 ]) [
            "[0.0312 0.0938 0.0001 0.1235]"
        ]
        prints "rounding carries" (floats [ 0.99999; 9.99999 ]) [ "[ 1. 10.]" ]
        prints "an exponent for small numbers" (floats [ 1e-5; 1; 0 ]) [ "[1.e-05 1.e+00 0.e+00]" ]
        prints "an exponent for large numbers" (floats [ 1e10; 1.25 ]) [ "[1.00e+10 1.25e+00]" ]
        prints "an exponent of three digits" (floats [ 1e-100; 1e200; -2.5 ]) [ "[ 1.0e-100  1.0e+200 -2.5e+000]" ]
        prints "no exponent below a ratio of a thousand" (floats [ 12345678.9; 1e6 ]) [ "[12345678.9  1000000. ]" ]
        prints "nan and infinities" (floats [ nan; 1; -infinity ]) [ "[ nan   1. -inf]" ]
        prints "nothing finite" (floats [ nan; infinity ]) [ "[nan inf]" ]
        prints "negative zero" (floats [ -0.0; 0.0 ]) [ "[-0.  0.]" ]
        prints "truth values" (ofFloats DType.Bool [| 2; 2 |] [| 1; 0; 1; 1 |]) [ "[[ True False]"; " [ True  True]]" ]
        prints "integers" (ofFloats DType.Int64 [| 3 |] [| 1; -20; 300 |]) [ "[  1 -20 300]" ]
        prints "a blank line between matrices" (counting [| 2; 2; 2 |]) [
            "[[[0 1]"
            "  [2 3]]"
            ""
            " [[4 5]"
            "  [6 7]]]"
        ]
        prints "empty" (room DType.Float32 [| 3; 0 |]) [ "[]" ]
        prints "long lines wrap" (floats [ for i in 0..20 -> sqrt (float i) ]) [
            "[0.     1.     1.4142 1.7321 2.     2.2361 2.4495 2.6458 2.8284 3."
            " 3.1623 3.3166 3.4641 3.6056 3.7417 3.873  4.     4.1231 4.2426 4.3589"
            " 4.4721]"
        ]
        prints "many elements are summarised" (counting [| 1001 |]) [ "[   0    1    2 ...  998  999 1000]" ]
        prints "in every axis that is long" (counting [| 40; 40 |]) [
            "[[   0    1    2 ...   37   38   39]"
            " [  40   41   42 ...   77   78   79]"
            " [  80   81   82 ...  117  118  119]"
            " ..."
            " [1480 1481 1482 ... 1517 1518 1519]"
            " [1520 1521 1522 ... 1557 1558 1559]"
            " [1560 1561 1562 ... 1597 1598 1599]]"
        ]

        testCase "a single number has all its digits"
        <| fun () ->
            let expected = [
                NDArray.OfFloat(0.1, DType.Float32), "0.1"
                NDArray.OfFloat(Math.PI, DType.Float64), "3.141592653589793"
                NDArray.OfFloat(3.0, DType.Float64), "3.0"
                NDArray.OfFloat(1e-5, DType.Float64), "1e-05"
                NDArray.OfFloat(-1.5e16, DType.Float64), "-1.5e+16"
                NDArray.OfFloat(nan, DType.Float64), "nan"
                NDArray.OfInteger(-7L, DType.Int64), "-7"
                NDArray.OfInteger(1L, DType.Bool), "True"
            ]

            for x, text in expected do
                Expect.equal (Printing.Print x) text text

        testCase "precision, width and edges can be chosen"
        <| fun () ->
            Expect.equal
                (Printing.Print(floats [ 1.0 / 3.0; 0.5 ], PrintOptions(Precision = 8)))
                "[0.33333333 0.5       ]"
                "precision"

            Expect.equal (Printing.Print(counting [| 6 |], PrintOptions(LineWidth = 8))) "[0 1 2\n 3 4 5]" "width"

            Expect.equal
                (Printing.Print(counting [| 9 |], PrintOptions(Threshold = 8, EdgeItems = 2)))
                "[0 1 ... 7 8]"
                "edges"

            let third = Tensor.ofSeq [ 1.0 / 3.0; 0.5 ]

            Expect.equal
                (third.ToString(PrintOptions(Precision = 17)))
                "[0.3333333333333333 0.5               ]"
                "a tensor"

            for wrong in [ PrintOptions(Precision = -1); PrintOptions(LineWidth = 0); PrintOptions(EdgeItems = 0) ] do
                Expect.throwsT<ArgumentOutOfRangeException> (fun () -> third.ToString wrong |> ignore) $"{wrong}"
    ]
