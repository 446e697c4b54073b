/// Eigenvalues and singular values that coincide, cluster, vanish, or are tiny or huge: values against what they were made
/// from, derivatives against functions that are made of products alone. A derivative may be NaN where the vectors have
/// none; it may not be another number.
module Functional.Tests.Judges.DegenerateTests

open System
open Expecto
open Functional
open Functional.Tests.Judges.Judges

let private eye n = Tensor.eye DType.Float64 n

/// Orthonormal and dense, from products of plane rotations.
let private rotation (n: int) : Tensor =
    let plane i j angle =
        Array2D.init n n (fun r c ->
            if r = i && c = i || r = j && c = j then cos angle
            elif r = i && c = j then -(sin angle)
            elif r = j && c = i then sin angle
            elif r = c then 1.0
            else 0.0)
        |> Tensor.ofArray2D

    seq {
        for i in 0 .. n - 1 do
            for j in i + 1 .. n - 1 do
                plane i j (0.7 + 0.31 * float i - 0.17 * float j)
    }
    |> Seq.fold ( *@ ) (eye n)

/// q·diag(values)·qᵀ, exactly symmetric.
let private symmetricOf (q: Tensor) (values: float list) =
    let a = (q * Tensor.ofSeq values) *@ transpose q
    a * 0.5 + transpose a * 0.5

/// Of ordinary size: repeated, clustered, zero, of both signs.
let private spectra: (string * float list) list = [
    "one", [ 1.5 ]
    "one zero", [ 0.0 ]
    "the identity", [ 1.0; 1.0 ]
    "zero", [ 0.0; 0.0; 0.0 ]
    "a pair", [ 1.0; 1.0; 2.0 ]
    "two pairs", [ -1.0; -1.0; 0.5; 0.5 ]
    "rank one", [ 0.0; 0.0; 0.0; 2.0 ]
    "apart by rounding", [ 1.0; 1.0 + 1e-15; 1.5 ]
    "apart by a little", [ 1.0; 1.0 + 1e-9; 1.5 ]
    "a cluster", [ 1.0; 1.0 + 1e-13; 1.0 + 1e-11; 1.0 + 1e-7; 1.3 ]
    "opposite", [ -1.0; 1.0; 1.0 ]
    "apart", [ -0.5; 0.25; 1.0; 1.75 ]
]

/// With the size that a matrix is multiplied by.
let private cases = [
    for name, values in spectra do
        for basis, q in [ "", eye values.Length; ", turned", rotation values.Length ] do
            for size in [ 1.0; 1e-200; 1e200; 1e-305 ] do
                $"{name}{basis}, times {size}", symmetricOf q values * size, values |> List.map ((*) size), size
]

let private ordinary = cases |> List.filter (fun (_, _, _, size) -> size = 1.0)

let private each (cases: (string * Tensor * float list * float) list) check =
    for name, a, values, size in cases do
        try
            check a values size
        with e ->
            failtest $"{name}: {e.Message}"

let private column (v: Tensor) = expandDims -1 v
let private row (v: Tensor) = expandDims -2 v

/// Relative to a size, not to the numbers themselves.
let private closeTo size tolerance what (a: Tensor) (b: Tensor) =
    Expect.equal (List.ofArray a.Shape) (List.ofArray b.Shape) $"{what}: shapes"

    let worst =
        Array.fold2
            (fun m x y -> let d = abs (x - y) in if d <= m then m else d)
            0.0
            (Tensor.toFloats a)
            (Tensor.toFloats b)

    if not (worst <= tolerance * size) then
        failtest $"{what}: off by {worst / size:G3} of {size}\n{a}\n{b}"

/// Weights without symmetry.
let private weights (n: int) = Tensor.create [ n; n ] (Array.init (n * n) (fun i -> sin (float i * 1.7 + 0.4)))

let private symmetrized (a: Tensor) = (a + transpose a) * 0.5

/// A function of a matrix by values and vectors, which is the matrix again.
let private rebuiltByEigen a =
    let w, q = LinearAlgebra.symmetricEigen a
    (q * row w) *@ transpose q

let private rebuiltBySvd a =
    let u, s, vt = LinearAlgebra.svd a
    (u * row s) *@ vt

/// Numbers that are all right or all NaN.
let private rightOrNaN tolerance what (found: Tensor) (wanted: Tensor) =
    if not (Tensor.toFloats found |> Array.forall Double.IsNaN) then
        closeTo 1.0 tolerance what found wanted

/// exp by its series, a polynomial in the matrix.
let private exponential (a: Tensor) =
    let n = a.Shape[0]

    Seq.unfold
        (fun (k, term: Tensor) -> let next = (term *@ a) * (1.0 / float k) in Some(next, (k + 1, next)))
        (1, eye n)
    |> Seq.take 40
    |> Seq.fold (+) (eye n)

/// The polar factor by Newton and Schulz' iteration, products alone; singular values up to √3 after the division.
let private polarByProducts (a: Tensor) =
    let step (x: Tensor) _ = x * 1.5 - (x *@ (transpose x *@ x)) * 0.5
    Seq.fold step (a * 0.5) (seq { 1..40 })

let private directional f (a: Tensor) (e: Tensor) = snd (jvp f a e)

/// First and second derivatives agree with those of another definition, in every mode.
let private sameDerivatives tolerance (f: Tensor -> Tensor) (g: Tensor -> Tensor) (a: Tensor) =
    let n, m = a.Shape[0], a.Shape[1]
    let c = Tensor.create [ n; m ] (Array.init (n * m) (fun i -> sin (float i * 1.7 + 0.4)))
    let e = Tensor.create [ n; m ] (Array.init (n * m) (fun i -> cos (float i * 2.3 + 0.1)))
    let number (h: Tensor -> Tensor) a = sum (h a * c)
    let wanted = grad (number g) a
    closeTo 1.0 tolerance "gradient" (grad (number f) a) wanted
    closeTo 1.0 tolerance "compiled gradient" (compile (grad (number f)) a) wanted
    closeTo 1.0 tolerance "gradient in a batch" (vmap (grad (number f)) (stack 0 [ a; a ]) |> index 0 1) wanted
    closeTo 1.0 tolerance "jvp" (directional f a e) (directional g a e)
    let curved = hvp (number g) a e
    closeTo 1.0 (10.0 * tolerance) "Hessian times a direction" (hvp (number f) a e) curved
    closeTo 1.0 (10.0 * tolerance) "grad of jvp" (grad (fun a -> directional (number f) a e) a) curved

[<Tests>]
let tests =
    testList "degenerate matrices" [
        testCase "eigenvalues and eigenvectors"
        <| fun () ->
            each cases (fun a values size ->
                let n = a.Shape[0]
                let w, q = LinearAlgebra.symmetricEigen a
                closeTo size 1e-14 "values" w (Tensor.ofSeq (List.sort values))
                closeTo 1.0 1e-13 "orthonormal" (transpose q *@ q) (eye n)
                closeTo size 1e-14 "rebuilt" ((q * row w) *@ transpose q) a)

        testCase "singular values and vectors, of matrices of any shape"
        <| fun () ->
            each cases (fun a values size ->
                let n = a.Shape[0]
                let wanted = values |> List.map abs |> List.sortDescending |> Tensor.ofSeq

                for a in [ a; concat 0 [ a; Tensor.zeros [ 2; n ] ]; concat 1 [ Tensor.zeros [ n; 1 ]; a ] ] do
                    let u, s, vt = LinearAlgebra.svd a
                    closeTo size 1e-14 "values" s wanted
                    Expect.all (Tensor.toFloats s) (fun x -> x >= 0.0 && not (Double.IsNegative x)) "not negative"
                    closeTo 1.0 1e-13 "U is orthonormal" (transpose u *@ u) (eye n)
                    closeTo 1.0 1e-13 "V is orthonormal" (vt *@ transpose vt) (eye n)
                    closeTo size 1e-14 "rebuilt" ((u * row s) *@ vt) a)

        testCase "Float32: the same, rounded"
        <| fun () ->
            each ordinary (fun a values _ ->
                let w, q = LinearAlgebra.symmetricEigen (cast DType.Float32 a)
                Expect.equal w.DType DType.Float32 "the type"
                closeTo 1.0 1e-6 "values" w (Tensor.ofSeq (List.sort values))
                closeTo 1.0 1e-6 "rebuilt" ((q * row w) *@ transpose q) a

                let g =
                    grad
                        (fun a -> sum (rebuiltByEigen a * cast DType.Float32 (weights a.Shape[0])))
                        (cast DType.Float32 a)

                rightOrNaN 0.1 "gradient" g (symmetrized (weights a.Shape[0])))

        testCase "of values and vectors the derivative is right or NaN, in every mode"
        <| fun () ->
            each ordinary (fun a _ _ ->
                let n = a.Shape[0]
                let c = weights n

                for f, wanted in [ rebuiltByEigen, symmetrized c; rebuiltBySvd, c ] do
                    let number a = sum (f a * c)
                    rightOrNaN 2e-3 "gradient" (grad number a) wanted
                    rightOrNaN 2e-3 "compiled" (compile (grad number) a) wanted
                    rightOrNaN 2e-3 "in a batch" (vmap (grad number) (stack 0 [ a ]) |> index 0 0) wanted
                    rightOrNaN 2e-3 "jvp" (directional number a (symmetrized c)) (sum (wanted * symmetrized c)))

        testCase "it is right where values are distinct, also beside a single zero"
        <| fun () ->
            for values in [ [ 0.0; 1.0; 2.0 ]; [ -1.0; 0.5; 3.0 ]; [ 1.0; 1.0 + 1e-9; 3.0 ]; [ 0.0; 2.0 ] ] do
                let n = values.Length
                let a = symmetricOf (rotation n) values
                let c = weights n
                closeTo 1.0 1e-6 "eigen" (grad (fun a -> sum (rebuiltByEigen a * c)) a) (symmetrized c)
                closeTo 1.0 1e-6 "svd" (grad (fun a -> sum (rebuiltBySvd a * c)) a) c

        testCase "it is NaN where they coincide"
        <| fun () ->
            for a in [ eye 2; Tensor.zeros [ 2; 2 ]; symmetricOf (rotation 3) [ 1.0; 1.0; 2.0 ] ] do
                let allNaN what (t: Tensor) = Expect.all (Tensor.toFloats t) Double.IsNaN what
                let c = weights a.Shape[0]
                allNaN "eigen" (grad (fun a -> sum (rebuiltByEigen a * c)) a)
                allNaN "svd" (grad (fun a -> sum (rebuiltBySvd a * c)) a)
                let total a = sum (square (fst (LinearAlgebra.symmetricEigen a)))
                allNaN "second derivative of values" (hvp total a (symmetrized c))

        testCase "symmetric functions of values alone have the right gradient"
        <| fun () ->
            each ordinary (fun a _ _ ->
                let byEigen a = let w, _ = LinearAlgebra.symmetricEigen a in sum (w * w)
                let bySvd a = let _, s, _ = LinearAlgebra.svd a in sum (s * s)

                for f in [ byEigen; bySvd ] do
                    closeTo 1.0 1e-13 "gradient" (grad f a) (a * 2.0)
                    closeTo 1.0 1e-13 "compiled" (compile (grad f) a) (a * 2.0))

        testCase "functions of a symmetric matrix have the right derivatives, to second order"
        <| fun () ->
            each ordinary (fun a _ _ ->
                let cube (a: Tensor) = let a = symmetrized a in a *@ a *@ a
                sameDerivatives 1e-10 (MatrixFunction.symmetric (fun x -> x * x * x)) cube a
                sameDerivatives 1e-10 (MatrixFunction.symmetric exp) (symmetrized >> exponential) a)

        testCase "they do at any scale"
        <| fun () ->
            each cases (fun a _ size ->
                if size <> 1.0 then
                    let c = weights a.Shape[0]
                    let f (x: Tensor) = exp (x * (1.0 / size))
                    let g = grad (fun a -> sum (MatrixFunction.symmetric f a * c)) a
                    let wanted = grad (fun a -> sum (exponential (symmetrized a) * c)) (a * (1.0 / size))
                    closeTo 1.0 1e-9 "gradient" (g * size) wanted)

        testCase "roots, logarithms and powers undo each other, with their derivatives"
        <| fun () ->
            for values in
                [ [ 1.0; 1.0 ]; [ 2.0; 2.0; 3.0 ]; [ 1.0; 1.0 + 1e-12; 1.0 + 1e-6; 4.0 ]; [ 1e-3; 1e-3; 1.0 ] ] do
                let a = symmetricOf (rotation values.Length) values

                for there, back in
                    [ (sqrt: Tensor -> Tensor), square; log, exp; rsqrt, (fun x -> reciprocal (square x)) ] do
                    let f = MatrixFunction.symmetric there >> MatrixFunction.symmetric back
                    closeTo 1.0 1e-9 "value" (f a) a
                    sameDerivatives 1e-5 f symmetrized a

        testCase "Hessians of sums over the values"
        <| fun () ->
            let f a = LinearAlgebra.trace (MatrixFunction.symmetric square a)
            let wanted = hessian (fun a -> let a = symmetrized a in sum (a * a)) (eye 2)
            closeTo 1.0 1e-13 "at the identity" (hessian f (eye 2)) wanted
            closeTo 1.0 1e-13 "at zero" (hessian f (Tensor.zeros [ 2; 2 ])) wanted
            closeTo 1.0 1e-13 "compiled" (compile (hessian f) (eye 2)) wanted

        testCase "the polar factor has the right derivatives, to second order"
        <| fun () ->
            each ordinary (fun a values _ ->
                if values |> List.forall (fun x -> abs x > 0.1) then
                    let n = a.Shape[0]
                    // the size is divided by, so that the iteration converges
                    let wanted a = polarByProducts a
                    sameDerivatives 1e-10 MatrixFunction.polar wanted a
                    let tall = concat 0 [ a; Tensor.zeros [ 1; n ] ]
                    sameDerivatives 1e-10 MatrixFunction.polar wanted tall
                    sameDerivatives 1e-10 MatrixFunction.polar (transpose >> wanted >> transpose) (transpose tall))

        testCase "Lyapunov's equation holds, and its derivative is that of the solve of a Kronecker product"
        <| fun () ->
            for values in [ [ 1.0 ]; [ 1.0; 1.0 ]; [ 1.0; 1.0; 2.0 ]; [ 0.5; 0.5 + 1e-9; 3.0 ] ] do
                let n = values.Length
                let a = symmetricOf (rotation n) values
                let c = weights n
                let x = MatrixFunction.lyapunov a c
                closeTo 1.0 1e-13 "the equation" (a *@ x + x *@ a) c

                let byKronecker (a: Tensor) =
                    let a = symmetrized a
                    let left = Einsum.einsum "ij,kl->ikjl" [ a; eye n ]
                    let right = Einsum.einsum "ij,kl->ikjl" [ eye n; a ]
                    LinearAlgebra.solve (reshape [ n * n; n * n ] (left + right)) (flatten c) |> reshape [ n; n ]

                sameDerivatives 1e-10 (fun a -> MatrixFunction.lyapunov a c) byKronecker a
    ]
