/// Derivatives with respect to inputs: against formulas, and against reverse mode; eager, compiled, in batches, inside grad.
module Functional.Tests.Transformations.DerivativesTests

open System
open Expecto
open Functional

let private near tolerance what (found: Tensor) (wanted: Tensor) =
    Expect.sequenceEqual found.Shape wanted.Shape $"{what}: shapes"
    let off = Tensor.toFloat (amax (abs (found - wanted)))

    if not (off <= tolerance * (1.0 + Tensor.toFloat (amax (abs wanted)))) then
        failtest $"{what}: off by {off:G3}"

let private points = Random.uniform DType.Float64 [ 5; 2 ] (Key.create 1L)
let private coordinate i (x: Tensor) = index -1 i x

/// sin(2x)·exp(3y), a number for each row.
let private u (x: Tensor) = sin (2.0 * coordinate 0 x) * exp (3.0 * coordinate 1 x)

/// A network of the library with one output.
let private net =
    let init seed i o = Dense.initWith { Dense.defaults with DType = DType.Float64 } (Key.create seed) i o
    init 1L 2 7, init 2L 7 1

let private predict (a, b) (x: Tensor) = x |> dense a |> tanh |> dense b |> squeeze [ -1 ]

[<Tests>]
let tests =
    testList "derivatives with respect to inputs" [
        testCase "along a direction to any order"
        <| fun () ->
            let e = broadcastTo points.Shape (Tensor.ofSeq [ 1.0; 0.0 ])

            for run in [ id; compile ] do
                let jet = run (fun x -> Derivatives.along 4 u x e) points
                Expect.equal jet.Length 5 "orders"
                let x, y = coordinate 0 points, coordinate 1 points
                near 1e-13 "0" jet[0] (u points)
                near 1e-13 "1" jet[1] (2.0 * cos (2.0 * x) * exp (3.0 * y))
                near 1e-13 "2" jet[2] (-4.0 * u points)
                near 1e-13 "4" jet[4] (16.0 * u points)

        testCase "along a direction of a tree, of functions that give trees"
        <| fun () ->
            let f (x: Tensor, t: Tensor) = x * t * t, exp t
            let jet = Derivatives.along 2 f (scalar 3.0, scalar 2.0) (scalar 1.0, scalar 1.0)
            // x = 3 + s, t = 2 + s: (3 + s)(2 + s)² = 12 + 16 s + 7 s² + s³
            near 1e-14 "first" (stack 0 (Array.map fst jet)) (Tensor.ofSeq [ 12.0; 16.0; 14.0 ])
            near 1e-14 "second" (stack 0 (Array.map snd jet)) (exp (Tensor.ofSeq [ 2.0; 2.0; 2.0 ]))

        testCase "partials, mixed ones, the Laplacian and the divergence"
        <| fun () ->
            let x, y = coordinate 0 points, coordinate 1 points

            for run in [ id; compile ] do
                near 1e-13 "u_y" (run (Derivatives.partial 1 u) points) (3.0 * u points)

                near
                    1e-13
                    "u_xy"
                    (run (Derivatives.partial 0 (Derivatives.partial 1 u)) points)
                    (6.0 * cos (2.0 * x) * exp (3.0 * y))

                near 1e-13 "Laplacian" (run (Derivatives.laplacian u) points) (5.0 * u points)
                let field (x: Tensor) = stack -1 [ u x; square (coordinate 1 x) ]

                near
                    1e-13
                    "divergence"
                    (run (Derivatives.divergence field) points)
                    (2.0 * cos (2.0 * x) * exp (3.0 * y) + 2.0 * y)

            let ofPair (x: Tensor, y: Tensor) = u (concat -1 [ x; y ])
            let columns = split 1 [ 1; 1 ] points
            near 1e-13 "of a pair" (Derivatives.laplacian ofPair (columns[0], columns[1])) (5.0 * u points)

        testCase "the Laplacian of a network is the trace of each point's Hessian, and has its gradient"
        <| fun () ->
            let byHessian net = vmap (fun x -> LinearAlgebra.trace (hessian (predict net) x)) points
            let byDerivatives net = Derivatives.laplacian (predict net) points
            near 1e-13 "value" (byDerivatives net) (byHessian net)
            near 1e-13 "at each point" (vmap (Derivatives.laplacian (predict net)) points) (byHessian net)
            let loss f net = mean (square (f net: Tensor))
            let wanted = grad (loss byHessian) net |> Tree.leaves

            for run in [ id; compile ] do
                for found, wanted in Array.zip (run (grad (loss byDerivatives)) net |> Tree.leaves) wanted do
                    near 1e-12 "gradient" found wanted

        testCase "what cannot be is said"
        <| fun () ->
            let says (text: string) run =
                try
                    run () |> ignore
                    failtest $"no error: {text}"
                with :? ArgumentException as e ->
                    Expect.stringContains e.Message text "the error"

            says "coordinates 0 to 1, got 2" (fun () -> Derivatives.partial 2 u points)
            says "last axis" (fun () -> Derivatives.partial 0 id (scalar 1.0))
            says "as many components" (fun () -> Derivatives.divergence u points)
            says "from 0 on" (fun () -> Derivatives.along -1 u points points |> Array.head)
            says "no coordinates" (fun () -> Derivatives.laplacian id (Tensor.ofSeq [ 1; 2 ]))
    ]
