/// Least squares: against MathNet's pseudo-inverse, and their derivatives against those of products and solves alone.
module Functional.Tests.Judges.LeastSquaresTests

open System
open Expecto
open Functional
open MathNet.Numerics.LinearAlgebra

let private draw seed (shape: int list) = Random.normal DType.Float64 shape (Key.create (int64 seed))

let private near tolerance what (found: Tensor) (wanted: Tensor) =
    Expect.sequenceEqual found.Shape wanted.Shape $"{what}: shapes"
    let off = Tensor.toFloat (amax (abs (found - wanted))) / (1e-300 + Tensor.toFloat (amax (abs wanted)))

    if not (off <= tolerance) then
        failtest $"{what}: off by {off:G3}"

/// MathNet's, which is not a number for zeros.
let private pseudoInverse (a: Tensor) : Tensor =
    if Tensor.toFloats a |> Array.forall ((=) 0.0) then
        transpose a
    else
        let p = Matrix<float>.Build.DenseOfRowMajor(a.Shape[0], a.Shape[1], Tensor.toFloats a).PseudoInverse()

        Tensor.create [ p.RowCount; p.ColumnCount ] (p.ToRowMajorArray())

let private lstsq = MatrixFunction.lstsq 1e-12

/// Tall, square, wide; of full rank and of rank 2.
let private matrices = [
    for m, n in [ 7, 3; 4, 4; 3, 6 ] do
        $"{m}×{n}", draw (m + n) [ m; n ]
        $"{m}×{n} of rank 2", draw m [ m; 2 ] *@ draw n [ 2; n ]
    "zero", Tensor.zeros [ 3; 2 ]
]

[<Tests>]
let tests =
    testList "least squares" [
        testCase "the solutions are the pseudo-inverse times the right-hand sides"
        <| fun () ->
            for what, a in matrices do
                let b = draw 3 [ a.Shape[0]; 2 ]
                near 1e-12 what (lstsq a b) (pseudoInverse a *@ b)
                near 1e-12 $"{what}, a vector" (lstsq a (index 1 0 b)) (index 1 0 (pseudoInverse a *@ b))
                let batch = lstsq (stack 0 [ a; 2.0 * a ]) b
                near 1e-12 $"{what}, a batch" (index 0 1 batch) (0.5 * lstsq a b)

        testCase "the cut-off leaves out what is smaller than its share of the largest value"
        <| fun () ->
            let a = Tensor.ofRows [ [ 1.0; 0.0 ]; [ 0.0; 1e-4 ] ]
            let b = Tensor.ofSeq [ 1.0; 1.0 ]
            near 1e-12 "kept" (MatrixFunction.lstsq 1e-5 a b) (Tensor.ofSeq [ 1.0; 1e4 ])
            near 1e-12 "left out" (MatrixFunction.lstsq 1e-3 a b) (Tensor.ofSeq [ 1.0; 0.0 ])

        testCase "first and second derivatives where the rank is full are those of the normal equations"
        <| fun () ->
            let byNormal (a: Tensor) (b: Tensor) =
                if a.Shape[0] >= a.Shape[1] then
                    LinearAlgebra.solve (transpose a *@ a) (transpose a *@ b)
                else
                    transpose a *@ LinearAlgebra.solve (a *@ transpose a) b

            for what, a in matrices do
                if not (what.Contains "rank" || what = "zero") then
                    let b = draw 3 [ a.Shape[0]; 2 ]
                    let weights = draw 4 [ a.Shape[1]; 2 ]
                    let number solve (a, b) = let x: Tensor = solve a b in sum (weights * x * x)
                    let e = draw 5 [ a.Shape[0]; a.Shape[1] ], draw 6 [ a.Shape[0]; 2 ]
                    let both f = let x, y = f in concat 0 [ flatten x; flatten y ]
                    let wanted = both (grad (number byNormal) (a, b))
                    near 1e-8 $"{what}: gradient" (both (grad (number lstsq) (a, b))) wanted
                    near 1e-8 $"{what}: compiled" (both (compile (grad (number lstsq)) (a, b))) wanted

                    near
                        1e-8
                        $"{what}: in a batch"
                        (both (vmap (grad (number lstsq)) (stack 0 [ a; a ], stack 0 [ b; b ])))
                        (both (let x, y = grad (number byNormal) (a, b) in stack 0 [ x; x ], stack 0 [ y; y ]))

                    near
                        1e-8
                        $"{what}: tangent"
                        (snd (jvp (number lstsq) (a, b) e))
                        (snd (jvp (number byNormal) (a, b) e))

                    near
                        1e-7
                        $"{what}: second"
                        (both (hvp (number lstsq) (a, b) e))
                        (both (hvp (number byNormal) (a, b) e))

        testCase "of matrices of rank two, they are right along directions that keep the rank"
        <| fun () ->
            for m, n in [ 5, 3; 3, 5; 4, 4 ] do
                let left, right, b = draw 1 [ m; 2 ], draw 2 [ 2; n ], draw 3 [ m; 1 ]
                // (l·r)⁺ = rᵀ(r·rᵀ)⁻¹(lᵀ·l)⁻¹lᵀ
                let bySolves (l: Tensor) (r: Tensor) =
                    let inner = LinearAlgebra.solve (transpose l *@ l) (transpose l *@ b)
                    transpose r *@ LinearAlgebra.solve (r *@ transpose r) inner

                let number f (l, r) = let x: Tensor = f l r in sum (x * x * x)
                let found = grad (number (fun (l: Tensor) r -> lstsq (l *@ r) b)) (left, right)
                let wanted = grad (number bySolves) (left, right)
                near 1e-8 "by the left factor" (fst found) (fst wanted)
                near 1e-8 "by the right factor" (snd found) (snd wanted)

        testCase "what cannot be is said"
        <| fun () ->
            for what, run in
                [
                    "cut-off", (fun () -> MatrixFunction.lstsq 1.5 (Tensor.zeros [ 2; 2 ]) (Tensor.zeros [ 2 ]))
                    "right-hand sides", (fun () -> lstsq (Tensor.zeros [ 3; 2 ]) (Tensor.zeros [ 2 ]))
                    "not finite", (fun () -> lstsq (Tensor.zeros [ 2; 2 ] + nan) (Tensor.zeros [ 2 ]))
                ] do
                try
                    run () |> ignore
                    failtest $"{what}: no error"
                with :? ArgumentException as e ->
                    Expect.stringContains e.Message what "the error"
    ]
