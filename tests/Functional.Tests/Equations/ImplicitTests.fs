/// Derivatives of roots and minima, which go by the equation and not through its solver.
module Functional.Tests.Equations.ImplicitTests

open System
open Expecto
open Functional

/// x² + y² = p, x y = q, by Newton's method on the host.
let private equations (p: Tensor, q: Tensor) (x: Tensor, y: Tensor) = x * x + y * y - p, x * y - q

let private solve (p: Tensor, q: Tensor) =
    let p, q = Tensor.toFloat (Tensor.detach p), Tensor.toFloat (Tensor.detach q)
    let mutable x, y = 2.0, 0.5

    for _ in 1..50 do
        let f, g = x * x + y * y - p, x * y - q
        let determinant = 2.0 * x * x - 2.0 * y * y
        let dx, dy = (f * x - 2.0 * y * g) / determinant, (2.0 * x * g - y * f) / determinant
        x <- x - dx
        y <- y - dy

    scalar x, scalar y

/// With u = x + y = √(p + 2q) and v = x − y = √(p − 2q).
let private exact (p: Tensor, q: Tensor) =
    let u, v = sqrt (p + 2.0 * q), sqrt (p - 2.0 * q)
    0.5 * (u + v), 0.5 * (u - v)

let private at = scalar 5.0, scalar 1.5

[<Tests>]
let tests =
    testList "equations.implicit" [
        testCase "a system's root has the derivatives of its closed form, in both modes and twice"
        <| fun () ->
            let loss root pq = let x, y = root pq in sin x + x * y * y

            let near name (a: Tensor) (b: Tensor) =
                Expect.floatClose Accuracy.high (Tensor.toFloat a) (Tensor.toFloat b) name

            let root = customRoot equations solve

            let each name (a, b) (c, d) =
                near name a c
                near name b d

            each "value" (root at) (exact at)
            each "reverse" (grad (loss root) at) (grad (loss exact) at)
            each "forward" (snd (jvp root at (scalar 1.0, scalar -2.0))) (snd (jvp exact at (scalar 1.0, scalar -2.0)))
            let second loss = hessian loss at
            Expect.isLessThan (Tensor.toFloat (amax (abs (second (loss root) - second (loss exact))))) 1e-9 "second"

        testCase "a loop that solves an equation, compiled and side by side"
        <| fun () ->
            let newton (p: Tensor) =
                whileLoop
                    (fun x -> greater (abs (x * x * x + x - p)) (scalar 1e-13))
                    (fun x -> x - (x * x * x + x - p) / (3.0 * x * x + 1.0))
                    p

            let root = customRoot (fun (p: Tensor) (x: Tensor) -> x * x * x + x - p) newton
            let ps = Tensor.ofSeq [ 0.5; 2.0; 10.0 ]
            let roots = vmap root ps
            Expect.isLessThan (Tensor.toFloat (amax (abs (roots * roots * roots + roots - ps)))) 1e-12 "roots"
            let wanted = reciprocal (3.0 * roots * roots + 1.0)

            for found in [ vmap (grad root) ps; compile (vmap (grad root)) ps; vmap (compile (grad root)) ps ] do
                Expect.isLessThan (Tensor.toFloat (amax (abs (found - wanted)))) 1e-12 "slopes"

        testCase "a minimum: ridge regression's weights by their normal equations"
        <| fun () ->
            let x = Tensor.ofRows [ [ 1.0; 2.0 ]; [ 0.5; -1.0 ]; [ 2.0; 0.3 ] ]
            let y = Tensor.ofRows [ [ 1.0 ]; [ -1.0 ]; [ 0.4 ] ]

            let ridge (penalty: Tensor) =
                LinearAlgebra.solve (transpose x *@ x + penalty * Tensor.eye DType.Float64 2) (transpose x *@ y)

            let loss (penalty: Tensor) (w: Tensor) = 0.5 * sum (square (x *@ w - y)) + 0.5 * penalty * sum (square w)
            let size solve p = sum (square (solve p))
            let found = grad (size (customMinimum loss ridge)) (scalar 0.7)

            Expect.floatClose
                Accuracy.high
                (Tensor.toFloat found)
                (Tensor.toFloat (grad (size ridge) (scalar 0.7)))
                "slope"

        testCase "a double root has no derivative, and other counts of equations are refused"
        <| fun () ->
            let double = grad (customRoot (fun (p: Tensor) (x: Tensor) -> (x - p) * (x - p)) id) (scalar 1.0)
            Expect.isTrue (Double.IsNaN(Tensor.toFloat double)) "not a number"

            Expect.throwsT<ShapeException>
                (fun () ->
                    customRoot (fun p x -> concat 0 [ x; p ]) id
                    >> sum
                    |> fun f -> grad f (Tensor.ones [ 2 ])
                    |> ignore)
                "too many equations"
    ]
