/// Factors of matrices around the sizes at which they are cut: against MathNet.Numerics where the result is unique, against
/// what they must multiply to where it is not, and on any number of threads.
module Functional.Tests.Kernels.FactorizationTests

open System
open Expecto
open Functional
open Functional.Tests.Selection
open MathNet.Numerics.LinearAlgebra

let private sizes = [ 1; 2; 3; 7; 8; 9; 15; 16; 17; 31; 32; 33; 34; 47; 64; 65; 66; 97; 130 ]

let private draw seed m n = Random.normal DType.Float64 [ m; n ] (Key.create (int64 seed))

let private theirs (a: Tensor) : Matrix<float> =
    Matrix<float>.Build.DenseOfRowMajor(a.Shape[0], a.Shape[1], Tensor.toFloats a)

let private ours (a: Matrix<float>) : Tensor = Tensor.create [ a.RowCount; a.ColumnCount ] (a.ToRowMajorArray())

/// The largest difference, in units of the largest element of what is wanted.
let private near tolerance what (found: Tensor) (wanted: Tensor) =
    Expect.sequenceEqual found.Shape wanted.Shape $"{what}: shapes"
    let size = max 1e-300 (Tensor.toFloat (amax (abs wanted)))
    let off = Tensor.toFloat (amax (abs (cast DType.Float64 found - wanted))) / size

    if not (off <= tolerance) then
        failtest $"{what}: off by {off:G3}"

let private eye n = Tensor.eye DType.Float64 n
let private definite seed n = let g = draw seed n (n + 3) in g *@ transpose g * (1.0 / float n) + eye n

let private isEigen what size (a: Tensor) =
    let n = a.Shape[0]
    let w, q = LinearAlgebra.symmetricEigen a
    let values = Tensor.toFloats w
    Expect.sequenceEqual values (Array.sort values) $"{what}: in ascending order"
    near 1e-13 $"{what}: orthonormal" (transpose q *@ q) (eye n)
    let off = Tensor.toFloat (amax (abs ((q * expandDims -2 w) *@ transpose q - a)))
    Expect.isLessThanOrEqual (off / size) 1e-13 $"{what}: rebuilt"

[<Tests>]
let tests =
    testList "factorisations" [
        testCase "Cholesky's factor is MathNet's"
        <| fun () ->
            for n in sizes do
                let a = definite n n
                near 1e-13 $"{n}" (LinearAlgebra.cholesky a) (ours ((theirs a).Cholesky().Factor))
                near 1e-5 $"{n} floats" (LinearAlgebra.cholesky (cast DType.Float32 a)) (LinearAlgebra.cholesky a)

        testCase "equations with one and several right-hand sides hold, and have MathNet's solutions"
        <| fun () ->
            for n in sizes do
                for columns in [ 1; 5; n ] do
                    let a, b = draw n n n + 3.0 * eye n, draw (n + 1) n columns
                    let x = LinearAlgebra.solve a b
                    let condition = (theirs a).ConditionNumber()
                    near 1e-13 $"{n}×{columns}, the equation" (a *@ x) b
                    near (1e-15 * condition) $"{n}×{columns}" x (ours ((theirs a).Solve(theirs b)))

        testCase "triangular equations, whichever triangle and side, read nothing of the other triangle"
        <| fun () ->
            for n in sizes do
                for lower in [ true; false ] do
                    let t = let l = LinearAlgebra.cholesky (definite n n) in if lower then l else transpose l
                    let other = transpose (LinearAlgebra.cholesky (definite n n) - LinearAlgebra.diagonal t * eye n)
                    let other = if lower then other else transpose other
                    let full = t + where (equal other (scalar 0.0)) other (other * nan)
                    let b = draw n n 7
                    near 1e-12 $"{n}" (t *@ LinearAlgebra.triangularSolve lower full b) b
                    near 1e-12 $"{n} transposed" (transpose t *@ LinearAlgebra.triangularSolveTransposed lower full b) b

        testCase "determinants are MathNet's, with their sign"
        <| fun () ->
            for n in sizes do
                let a = draw n n n
                let sign, log = LinearAlgebra.signLogDeterminant a
                let wanted = (theirs a).Determinant()
                Expect.equal (Tensor.toFloat sign) (float (Math.Sign wanted)) $"{n}: sign"
                Expect.floatClose Accuracy.high (Tensor.toFloat log) (Math.Log(abs wanted)) $"{n}: logarithm"

        testCase "Q and R are MathNet's up to signs, of tall, square and wide matrices"
        <| fun () ->
            for n in sizes do
                for m in [ n; n + 1; 3 * n + 5 ] do
                    let a = draw (m + n) m n
                    let q, r = LinearAlgebra.qr a
                    near 1e-13 $"{m}×{n}: Q·R" (q *@ r) a
                    near 1e-13 $"{m}×{n}: orthonormal" (transpose q *@ q) (eye n)
                    let wanted = ours ((theirs a).QR(Factorization.QRMethod.Thin).R)
                    near 1e-12 $"{m}×{n}: R" (abs r) (abs wanted)
                    Expect.all (Tensor.toFloats (LinearAlgebra.diagonal r)) (fun x -> x >= 0.0) "the diagonal"
                    let q, r = LinearAlgebra.qr (transpose a)
                    near 1e-13 $"{n}×{m}: Q·R" (q *@ r) (transpose a)
                    near 1e-13 $"{n}×{m}: orthonormal" (q *@ transpose q) (eye n)

        testCase "eigenvalues are MathNet's, and the vectors rebuild the matrix"
        <| fun () ->
            for n in sizes do
                let a = let g = draw n n n in g + transpose g
                isEigen $"{n}" (sqrt (float n)) a
                let wanted = (theirs a).Evd(Symmetricity.Symmetric).EigenValues

                near
                    1e-13
                    $"{n}: values"
                    (fst (LinearAlgebra.symmetricEigen a))
                    (Tensor.ofSeq [ for z in wanted -> z.Real ])

        testCase "eigenvalues that coincide, cluster, vanish, or span many magnitudes, of larger matrices"
        <| fun () ->
            let n = 90
            let q, _ = LinearAlgebra.qr (draw 1 n n)
            let turned values = let a = (q * Tensor.ofSeq values) *@ transpose q in (a + transpose a) * 0.5

            for what, size, a in
                [
                    "zero", 1.0, Tensor.zeros [ n; n ]
                    "the identity", 1.0, eye n
                    "rank one", float n, Tensor.ones [ n; n ]
                    "two values", 1.0, turned [ for i in 1..n -> if i % 3 = 0 then -1.0 else 1.0 ]
                    "graded", 1.0, turned [ for i in 1..n -> 10.0 ** float (-i) ]
                    "a cluster", 1.0, turned [ for i in 1..n -> 1.0 + 1e-14 * float i ]
                    "tridiagonal",
                    2.0,
                    Tensor.ofArray2D (Array2D.init n n (fun i j -> if abs (i - j) = 1 then 1.0 else 0.0))
                    "tiny", 1e-200, turned [ for i in 1..n -> float i / float n ] * 1e-200
                    "huge", 1e200, turned [ for i in 1..n -> float i / float n ] * 1e200
                ] do
                isEigen what size a

        testCase "the same bits on any number of threads"
        <| fun () ->
            let a, g = definite 5 200, draw 5 200 200

            let all () =
                let w, v = LinearAlgebra.symmetricEigen a
                let q, r = LinearAlgebra.qr g

                concat 0 [ LinearAlgebra.cholesky a; LinearAlgebra.solve g a; q; r; v; expandDims 0 w ]
                |> Tensor.toFloats

            let one = withThreads 1 all

            for threads in [ 2; 3 ] do
                Expect.sequenceEqual (withThreads threads all) one $"{threads} threads"

        testCase "derivatives of larger matrices agree with differences along a direction"
        <| fun () ->
            let n = 40
            let a, e = definite 7 n, draw 8 n n
            let symmetric (a: Tensor) = (a + transpose a) * 0.5
            let weights = draw 9 n n

            for what, f in
                [
                    "solve", (fun a -> sum (weights * LinearAlgebra.solve a weights))
                    "cholesky", (fun a -> sum (weights * LinearAlgebra.cholesky (symmetric a)))
                    "qr", (fun a -> let q, r = LinearAlgebra.qr a in sum (weights * q) + sum (weights * r))
                    "eigen",
                    (fun a -> sum (Tensor.ofSeq [ 1.0 .. float n ] * fst (LinearAlgebra.symmetricEigen (symmetric a))))
                    "determinant", LinearAlgebra.logDeterminant
                ] do
                let at t = Tensor.toFloat (f (a + e * t))
                let h = 1e-4
                let wanted = (8.0 * (at h - at -h) - (at (2.0 * h) - at (-2.0 * h))) / (12.0 * h)
                let found = Tensor.toFloat (sum (grad f a * e))
                Expect.isLessThan (abs (found - wanted)) (1e-5 * (1.0 + abs wanted)) $"{what}: {found} and {wanted}"

        testCase "a matrix times a vector, and a vector times a matrix, alone, in batches and as examples"
        <| fun () ->
            let a, x, y = draw 1 3 4, draw 2 5 4, draw 3 5 3
            near 1e-15 "matvec" (LinearAlgebra.matvec a x) (x *@ transpose a)
            near 1e-15 "vecmat" (LinearAlgebra.vecmat y a) (y *@ a)
            near 1e-15 "examples" (vmap (LinearAlgebra.matvec a) x) (x *@ transpose a)
            near 1e-15 "examples of both" (vmap (fun (y, x) -> LinearAlgebra.vecmat y a * x) (y, x)) ((y *@ a) * x)
            Expect.throwsT<ShapeException> (fun () -> LinearAlgebra.matvec a y |> ignore) "sizes that differ"
            Expect.throwsT<ShapeException> (fun () -> LinearAlgebra.vecmat x a |> ignore) "sizes that differ"

            Expect.throwsT<ShapeException>
                (fun () -> vmap (fun x -> LinearAlgebra.matvec x x) x |> ignore)
                "two vectors"
    ]
