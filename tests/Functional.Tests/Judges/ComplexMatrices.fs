/// The decompositions on complex matrices, continued analytically from the real ones: no conjugation anywhere, so that
/// an infinitesimal imaginary part carries the derivative through. Textbook algorithms.
module Functional.Tests.Judges.ComplexMatrices

open System.Numerics
open Functional.Operations
open Functional.Tests.Judges.ComplexArrays

type private Matrix = Complex[,]

let private matrix rows columns f : Matrix = Array2D.init rows columns f
let private rows (a: Matrix) = Array2D.length1 a
let private columns (a: Matrix) = Array2D.length2 a
let private turned (a: Matrix) = matrix (columns a) (rows a) (fun i j -> a[j, i])

/// Gauss and Jordan with row exchanges: the solution, and the determinant.
let private eliminate (a: Matrix) (b: Matrix) =
    let a, b, n = Array2D.copy a, Array2D.copy b, rows a
    let mutable determinant = Complex.One

    let exchange (m: Matrix) i k =
        for j in 0 .. columns m - 1 do
            let t = m[i, j]
            m[i, j] <- m[k, j]
            m[k, j] <- t

    for i in 0 .. n - 1 do
        let pivot = Seq.maxBy (fun k -> Complex.Abs a[k, i]) (seq { i .. n - 1 })

        if pivot <> i then
            exchange a i pivot
            exchange b i pivot
            determinant <- -determinant

        determinant <- determinant * a[i, i]

        for k in 0 .. n - 1 do
            if k <> i then
                let f = a[k, i] / a[i, i]

                for j in 0 .. n - 1 do
                    a[k, j] <- a[k, j] - f * a[i, j]

                for j in 0 .. columns b - 1 do
                    b[k, j] <- b[k, j] - f * b[i, j]

    matrix n (columns b) (fun i j -> b[i, j] / a[i, i]), determinant

/// By the first row's cofactors (Laplace): a polynomial, for singular matrices, too.
let rec private determinant (a: Matrix) : Complex =
    match rows a with
    | 0 -> Complex.One
    | n -> seq { 0 .. n - 1 } |> Seq.map (fun j -> a[0, j] * cofactor a 0 j) |> Seq.fold (+) Complex.Zero

and private cofactor (a: Matrix) row column : Complex =
    let n = rows a
    let skip at i = if i < at then i else i + 1
    let minor = matrix (n - 1) (n - 1) (fun i j -> a[skip row i, skip column j])
    if (row + column) % 2 = 0 then determinant minor else -determinant minor

let private cholesky (a: Matrix) =
    let n = rows a
    let l = matrix n n (fun _ _ -> Complex.Zero)

    for i in 0 .. n - 1 do
        for j in 0..i do
            let s = a[i, j] - (Seq.init j (fun k -> l[i, k] * l[j, k]) |> Seq.fold (+) Complex.Zero)
            l[i, j] <- if i = j then ComplexFunctions.sqrt s else s / l[j, j]

    l

/// Gram and Schmidt, modified.
let private qr (a: Matrix) =
    let m, n = rows a, columns a
    let q, r = Array2D.copy a, matrix n n (fun _ _ -> Complex.Zero)
    let dot j k = Seq.init m (fun i -> q[i, j] * q[i, k]) |> Seq.fold (+) Complex.Zero

    for j in 0 .. n - 1 do
        r[j, j] <- ComplexFunctions.sqrt (dot j j)

        for i in 0 .. m - 1 do
            q[i, j] <- q[i, j] / r[j, j]

        for k in j + 1 .. n - 1 do
            r[j, k] <- dot j k

            for i in 0 .. m - 1 do
                q[i, k] <- q[i, k] - r[j, k] * q[i, j]

    q, r

/// An eigenpair of a symmetric matrix near a real guess, by Newton's method on A·v = λ·v, vᵀ·v = 1.
let private eigenpair (a: Matrix) (value: Complex) (vector: Complex[]) =
    let n = vector.Length
    let mutable l, v = value, vector

    for _ in 1..6 do
        let jacobian =
            matrix (n + 1) (n + 1) (fun i j ->
                if i < n && j < n then a[i, j] - (if i = j then l else Complex.Zero)
                elif i < n then -v[i]
                elif j < n then 2.0 * v[j]
                else Complex.Zero)

        let residual =
            matrix (n + 1) 1 (fun i _ ->
                if i < n then
                    (Seq.init n (fun k -> a[i, k] * v[k]) |> Seq.fold (+) Complex.Zero) - l * v[i]
                else
                    total (v |> Array.map (fun z -> z * z)) - Complex.One)

        let step, _ = eliminate jacobian residual
        v <- v |> Array.mapi (fun i z -> z - step[i, 0])
        l <- l - step[n, 0]

    l, v

let private ofPart (x: ComplexArray) first r c : Matrix = matrix r c (fun i j -> x.Data[first + i * c + j])
let private flat (a: Matrix) = a |> Seq.cast<Complex> |> Array.ofSeq

/// The results for complex inputs. Eigenvectors and singular vectors have a sign to choose: `reference` holds the real
/// results under test, which only start Newton's method.
let evaluate (op: LinearAlgebra) (xs: ComplexArray[]) (reference: ComplexArray[]) : ComplexArray[] =
    let shape = xs[0].Shape
    let r, c = shape[shape.Length - 2], shape[shape.Length - 1]
    let batch = shape |> Array.take (shape.Length - 2)
    let count = Array.fold (*) 1 batch
    let a k = ofPart xs[0] (k * r * c) r c
    let right k = let w = xs[1].Shape[xs[1].Shape.Length - 1] in ofPart xs[1] (k * r * w) r w

    let results (sizes: int[] list) (one: int -> Complex[][]) =
        let parts = Array.init count one

        sizes
        |> List.mapi (fun i size -> {
            Shape = Array.append batch size
            Data = parts |> Array.collect (fun p -> p[i])
        })
        |> Array.ofList

    match op with
    | Solve ->
        results [ Array.skip (shape.Length - 2) xs[1].Shape ] (fun k -> [| flat (fst (eliminate (a k) (right k))) |])
    | TriangularSolve(lower, transposed) ->
        let part (m: Matrix) =
            matrix r r (fun i j -> if (if lower then i >= j else i <= j) then m[i, j] else Complex.Zero)

        let side m = if transposed then turned (part m) else part m

        results [ Array.skip (shape.Length - 2) xs[1].Shape ] (fun k -> [|
            flat (fst (eliminate (side (a k)) (right k)))
        |])
    | Cholesky -> results [ [| r; r |] ] (fun k -> [| flat (cholesky (a k)) |])
    | Determinant -> results [ [||] ] (fun k -> [| [| determinant (a k) |] |])
    | Adjugate -> results [ [| r; r |] ] (fun k -> let m = a k in [| flat (matrix r r (fun i j -> cofactor m j i)) |])
    | SignLogDeterminant ->
        results [ [||]; [||] ] (fun k ->
            let d = snd (eliminate (a k) (a k))
            let sign = Complex(float (sign d.Real), 0.0)
            [| [| sign |]; [| ComplexFunctions.log (d * sign) |] |])
    | Qr -> results [ [| r; c |]; [| c; c |] ] (fun k -> let q, r = qr (a k) in [| flat q; flat r |])
    | SymmetricEigen ->
        results [ [| r |]; [| r; r |] ] (fun k ->
            let m = a k
            let m = matrix r r (fun i j -> 0.5 * (m[i, j] + m[j, i]))
            let vectors = ofPart reference[1] (k * r * r) r r
            let pairs = Array.init r (fun j -> eigenpair m reference[0].Data[k * r + j] vectors[*, j])
            [| Array.map fst pairs; flat (matrix r r (fun i j -> (snd pairs[j])[i])) |])
    | Svd ->
        let n = min r c

        results [ [| r; n |]; [| n |]; [| n; c |] ] (fun k ->
            let m = a k
            // singular triples are eigenpairs of [[0, A], [Aᵀ, 0]], whose vectors are (u, v)/√2
            let both =
                matrix (r + c) (r + c) (fun i j ->
                    if i < r && j >= r then m[i, j - r]
                    elif i >= r && j < r then m[j, i - r]
                    else Complex.Zero)

            let u, vt = ofPart reference[0] (k * r * n) r n, ofPart reference[2] (k * n * c) n c
            let root = Complex(sqrt 0.5, 0.0)

            let triples =
                Array.init n (fun j ->
                    eigenpair
                        both
                        reference[1].Data[k * n + j]
                        (Array.append u[*, j] vt[j, *] |> Array.map ((*) root)))

            [|
                flat (matrix r n (fun i j -> (snd triples[j])[i] / root))
                Array.map fst triples
                flat (matrix n c (fun j i -> (snd triples[j])[r + i] / root))
            |])
