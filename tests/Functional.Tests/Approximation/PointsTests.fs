/// Points: nodes and weights against MathNet.Numerics and against what they must integrate; sequences against their defining
/// properties; draws against their probabilities.
module Functional.Tests.Approximation.PointsTests

open System
open Expecto
open Functional
open MathNet.Numerics.Integration

let private numbers (t: Tensor) = Tensor.toFloats t

let private close tolerance what (found: float seq) (wanted: float seq) =
    let found, wanted = Array.ofSeq found, Array.ofSeq wanted
    Expect.equal found.Length wanted.Length $"{what}: how many"

    for a, b in Array.zip found wanted do
        if not (abs (a - b) <= tolerance * (1.0 + abs b)) then
            failtest $"{what}: {a} instead of {b}"

let private says (text: string) run =
    try
        run () |> ignore
        failtest $"no error: {text}"
    with :? ArgumentException as e ->
        Expect.stringContains e.Message text "the error"

/// Whether x generates all 2^degree − 1 elements but 0 of the polynomials over {0, 1} modulo this one.
let private isPrimitive (degree: int) (inner: int) =
    let polynomial = (1 <<< degree) ||| (inner <<< 1) ||| 1

    let next x =
        let doubled = x <<< 1
        if doubled >= (1 <<< degree) then doubled ^^^ polynomial else doubled

    let order = Seq.unfold (fun x -> let y = next x in Some(y, y)) 1 |> Seq.findIndex ((=) 1)
    order + 1 = (1 <<< degree) - 1

[<Tests>]
let tests =
    testList "points" [
        testCase "Gauss and Legendre's nodes and weights are MathNet's, and integrate polynomials"
        <| fun () ->
            for n in [ 1; 2; 3; 7; 20; 64 ] do
                let rule = GaussLegendreRule(-1.0, 3.0, n)
                let x, w = Grid.gaussLegendre -1.0 3.0 n
                close 1e-13 $"{n} nodes" (numbers x) rule.Abscissas
                close 1e-13 $"{n} weights" (numbers w) rule.Weights

            for n in [ 6; 101 ] do
                let x, w = Grid.gaussLegendre -1.0 1.0 n

                for degree in [ 0; 1; 2; 2 * n - 2; 2 * n - 1 ] do
                    let integral = if degree % 2 = 1 then 0.0 else 2.0 / float (degree + 1)
                    close 1e-13 $"{n}, degree {degree}" [ Tensor.toFloat (sum (w * x ** float degree)) ] [ integral ]

        testCase "Chebyshev's nodes are zeros and extrema of his polynomials"
        <| fun () ->
            for n in [ 2; 5; 12 ] do
                let polynomial degree (x: Tensor) = cos (float degree * acos x)
                let x = Grid.chebyshev -1.0 1.0 n
                close 1e-13 $"{n} zeros" (numbers (polynomial n x)) (Array.create n 0.0)
                let x = Grid.chebyshevExtrema -1.0 1.0 n
                close 1e-13 $"{n} extrema" (numbers (abs (polynomial (n - 1) x))) (Array.create n 1.0)
                Expect.equal (numbers x) (Array.sort (numbers x)) "ascending"

        testCase "grids, their points and their weights"
        <| fun () ->
            let x, y = Tensor.ofSeq [ 1.0; 2.0 ], Tensor.ofSeq [ 3.0; 4.0; 5.0 ]
            let m = Grid.meshgrid [ x; y ]
            Expect.equal (numbers m[0]) [| 1.0; 1.0; 1.0; 2.0; 2.0; 2.0 |] "rows"
            Expect.equal (numbers m[1]) [| 3.0; 4.0; 5.0; 3.0; 4.0; 5.0 |] "columns"
            Expect.equal (numbers (index 0 4 (Grid.points [ x; y ]))) [| 2.0; 4.0 |] "a point"
            let (x, wx), (y, wy) = Grid.gaussLegendre 0.0 1.0 4, Grid.gaussLegendre 0.0 2.0 4
            let p = Grid.points [ x; y ]
            let integral = sum (Grid.weights [ wx; wy ] * index 1 0 p * square (index 1 1 p))
            close 1e-13 "∫∫ x y²" [ Tensor.toFloat integral ] [ 4.0 / 3.0 ]

        testCase "Sobol's table has primitive polynomials and odd direction numbers within bounds"
        <| fun () ->
            for degree, inner, first in Sobol.table do
                Expect.isTrue (degree = 1 || isPrimitive degree inner) $"{degree}, {inner}"
                Expect.equal first.Length degree "as many as the degree"
                first |> List.iteri (fun i m -> Expect.isTrue (m % 2 = 1 && m < (1 <<< (i + 1))) $"{m} at {i}")

            let polynomials = Sobol.table |> List.map (fun (degree, inner, _) -> degree, inner)
            Expect.equal (List.distinct polynomials).Length polynomials.Length "each once"

        testCase "Sobol's points are spread in each coordinate and in the first two together"
        <| fun () ->
            let n, d = 256, 21
            let all = Points.sobol n d
            let column k = numbers (index 1 k all)

            for k in 0 .. d - 1 do
                let slices = column k |> Array.map (fun x -> int (x * float n)) |> Array.sort
                Expect.equal slices [| 0 .. n - 1 |] $"coordinate {k}"

            let boxes = Array.zip (column 0) (column 1) |> Array.map (fun (x, y) -> int (x * 16.0), int (y * 16.0))
            Expect.equal (Array.distinct boxes).Length n "a point in each of 16×16 boxes"

            let error (p: Tensor) =
                let f = prodOver [ -1 ] (1.0 + (p - 0.5) * 0.8)
                abs (Tensor.toFloat (mean f) - 1.0)

            Expect.isLessThan (error (Points.sobol 4096 8)) 2e-3 "an integral over 8 coordinates"
            Expect.isLessThan (error (Points.shifted (Key.create 3L) (Points.sobol 4096 8))) 2e-3 "shifted"

        testCase "Halton's points are mirrored digits"
        <| fun () ->
            let p = Points.halton 9 3
            close 1e-15 "number 6" (numbers (index 0 5 p)) [ 0.375; 2.0 / 9.0; 6.0 / 25.0 ]
            close 1e-15 "number 9" (numbers (index 0 8 p)) [ 0.5625; 1.0 / 27.0; 21.0 / 25.0 ]

        testCase "of a Latin hypercube each slice has a point, eager and compiled"
        <| fun () ->
            let key = Key.create 4L
            let p = Points.latinHypercube 50 3 key
            Expect.equal (numbers (compile (Points.latinHypercube 50 3) key)) (numbers p) "compiled"

            for k in 0..2 do
                let slices = numbers (index 1 k p) |> Array.map (fun x -> int (x * 50.0)) |> Array.sort
                Expect.equal slices [| 0..49 |] $"coordinate {k}"

        testCase "weighted draws have their probabilities, and none twice"
        <| fun () ->
            let weights = Tensor.ofSeq [ 1.0; 2.0; 0.0; 5.0 ]
            let draws = 4000
            let keys = Key.splitTensor draws (Key.create 5L)
            let all = vmap (Points.weighted 2 weights) keys
            let rows = numbers all |> Array.chunkBySize 2
            Expect.all rows (fun r -> r[0] <> r[1] && r[0] <> 2.0 && r[1] <> 2.0) "no repetition, no weight 0"
            let share p = float (rows |> Array.filter p |> Array.length) / float draws
            let expected = [ 1.0 / 8.0; 2.0 / 8.0; 0.0; 5.0 / 8.0 ]

            for i in 0..3 do
                Expect.isLessThan (abs (share (fun r -> r[0] = float i) - expected[i])) 0.03 $"first {i}"

            // first 3, then 1 out of what is left
            Expect.isLessThan (abs (share (fun r -> r[0] = 3.0 && r[1] = 1.0) - 5.0 / 8.0 * 2.0 / 3.0)) 0.03 "pairs"

        testCase "where residuals are large, more is drawn"
        <| fun () ->
            let residual = Tensor.ofSeq [ for i in 0..999 -> if i < 100 then -10.0 else 0.1 ]
            let chosen power floor = numbers (Points.byResidual power floor 50 residual (Key.create 6L))
            let among = chosen 1.0 0.0 |> Array.filter (fun i -> i < 100.0) |> Array.length
            Expect.isGreaterThan among 40 "in proportion"
            let among = chosen 1.0 1e6 |> Array.filter (fun i -> i < 100.0) |> Array.length
            Expect.isLessThan among 20 "with a large floor all alike"
            Expect.equal (Array.distinct (chosen 2.0 1.0)).Length 50 "each once"

        testCase "errors in the norms of a sine"
        <| fun () ->
            let x, w = Grid.gaussLegendre 0.0 Math.PI 20
            close 1e-13 "L2" [ Tensor.toFloat (ErrorNorm.l2 w (sin x) (0.0 * x)) ] [ sqrt (Math.PI / 2.0) ]
            let points = expandDims -1 x
            let h1 = ErrorNorm.h1Seminorm w (fun x -> sin (3.0 * x)) (fun x -> 0.0 * x) points
            close 1e-13 "H1" [ Tensor.toFloat h1 ] [ 3.0 * sqrt (Math.PI / 2.0) ]
            let a, b = Tensor.ofSeq [ 1.0; 2.0; 2.0 ], Tensor.ofSeq [ 1.0; 0.0; 5.0 ]
            close 1e-15 "sup" [ Tensor.toFloat (ErrorNorm.sup a b) ] [ 3.0 ]
            close 1e-15 "rms" [ Tensor.toFloat (ErrorNorm.rms a b) ] [ sqrt (13.0 / 3.0) ]
            close 1e-15 "relative" [ Tensor.toFloat (ErrorNorm.relativeL2 a b) ] [ sqrt (13.0 / 26.0) ]

        testCase "what cannot be is said"
        <| fun () ->
            says "21" (fun () -> Points.sobol 4 22)
            says "at least one point" (fun () -> Points.halton 0 2)
            says "corners" (fun () -> Points.inBox [ 0.0 ] [ 1.0; 2.0 ] (Points.sobol 2 2))
            says "5 of a vector" (fun () -> Points.weighted 5 (Tensor.ofSeq [ 1.0 ]) (Key.create 1L))
            says "at least 2" (fun () -> Grid.even 0.0 1.0 1)
            says "each axis is a vector" (fun () -> Grid.points [ Tensor.zeros [ 2; 2 ] ])
            says "one shape" (fun () -> ErrorNorm.sup (Tensor.zeros [ 2 ]) (Tensor.zeros [ 3 ]))
    ]
