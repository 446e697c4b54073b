/// Linear algebra by MathNet.Numerics, in double precision, matrix by matrix over the leading axes.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Factorizations

open Functional
open Functional.Kernels
open MathNet.Numerics.LinearAlgebra

let private doubles (x: NDArray) : float[] =
    match x.DType with
    | DType.Float64 -> x.ToArray<float>()
    | DType.Float32 -> Array.map float (x.ToArray<float32>())
    | DType.Int32
    | DType.Int64
    | DType.Bool -> invalidArg "dtype" $"linear algebra: defined for float types, not for {x.DType}"

let private ofDoubles (spec: Spec) (values: float[]) : NDArray =
    match spec.DType with
    | DType.Float32 -> NDArray.Of<float32>(spec.Shape, System.ReadOnlySpan(Array.map float32 values))
    | _ -> NDArray.Of<float>(spec.Shape, System.ReadOnlySpan values)

/// The matrices in the last two axes.
let private matrices (x: NDArray) : Matrix<float>[] =
    let r = x.Shape.Length
    let m, n = x.Shape[r - 2], x.Shape[r - 1]
    let values = doubles x
    let count = if m * n = 0 then 0 else values.Length / (m * n)

    Array.init count (fun i -> Matrix<float>.Build.DenseOfRowMajor(m, n, Array.sub values (i * m * n) (m * n)))

let private flat (m: Matrix<float>) : float[] = if m.ColumnCount = 0 then [||] else m.ToRowMajorArray()

let private triangularSolve lower transposed (a: Matrix<float>) (b: Matrix<float>) =
    let n = a.RowCount
    let x = b.Clone()
    let at i j = if transposed then a[j, i] else a[i, j]
    // op(A) is lower triangular: from the first row down; upper: from the last row up
    let order = if lower <> transposed then [| 0 .. n - 1 |] else [| n - 1 .. -1 .. 0 |]

    for c in 0 .. b.ColumnCount - 1 do
        for step in 0 .. n - 1 do
            let i = order[step]
            let mutable s = x[i, c]

            for earlier in 0 .. step - 1 do
                s <- s - at i order[earlier] * x[order[earlier], c]

            x[i, c] <- s / at i i

    x

let private place batch = if batch = 0 then "" else $" (number {batch} of the batch)"

let private lu operation batch (a: Matrix<float>) =
    let lu = a.LU()

    for i in 0 .. a.RowCount - 1 do
        if lu.U[i, i] = 0.0 || System.Double.IsNaN lu.U[i, i] then
            invalidArg "matrix" $"{operation}: the matrix is singular or not finite{place batch}"

    lu

let private cholesky batch (a: Matrix<float>) =
    try
        a.Cholesky().Factor
    with :? System.ArgumentException ->
        invalidArg "matrix" $"cholesky: the matrix is not symmetric positive definite{place batch}"

/// Q and R with R's diagonal non-negative, which makes the factorisation unique.
let private qr (a: Matrix<float>) =
    let f = a.QR(Factorization.QRMethod.Thin)
    let q, r = f.Q.Clone(), f.R.Clone()

    for i in 0 .. r.RowCount - 1 do
        if r[i, i] < 0.0 then
            r.SetRow(i, r.Row(i).Negate())
            q.SetColumn(i, q.Column(i).Negate())

    q, r

/// 1 or −1, by the lengths of its cycles.
let private permutationSign (p: MathNet.Numerics.Permutation) =
    let seen = Array.create p.Dimension false
    let mutable sign = 1.0

    for start in 0 .. p.Dimension - 1 do
        let mutable i = start

        while not seen[i] do
            seen[i] <- true
            i <- p[i]

            if i <> start then
                sign <- -sign

    sign

let private signLogDeterminant (a: Matrix<float>) =
    let f = a.LU()
    let mutable sign, log = permutationSign f.P, 0.0

    for i in 0 .. a.RowCount - 1 do
        let d = f.U[i, i]

        sign <-
            if d = 0.0 then 0.0
            elif d < 0.0 then -sign
            else sign

        log <- log + System.Math.Log(abs d)

    sign, log

let private symmetricEigen (a: Matrix<float>) =
    let e = a.Evd Symmetricity.Symmetric
    e.EigenValues.Real().ToArray(), e.EigenVectors

let private svd (a: Matrix<float>) =
    let k = min a.RowCount a.ColumnCount
    let f = a.Svd true
    f.U.SubMatrix(0, a.RowCount, 0, k), f.S.SubVector(0, k).ToArray(), f.VT.SubMatrix(0, k, 0, a.ColumnCount)

let evaluate (op: LinearAlgebra) (xs: NDArray[]) (specs: Spec[]) : NDArray[] =
    let a = matrices xs[0]
    let one f = [| ofDoubles specs[0] (a |> Array.mapi f |> Array.concat) |]

    let several (parts: float[][][]) =
        specs
        |> Array.mapi (fun i spec -> ofDoubles spec (parts |> Array.map (fun p -> p[i]) |> Array.concat))

    match op with
    | Solve ->
        let b = matrices xs[1]

        if b.Length = 0 then
            [| ofDoubles specs[0] [||] |]
        else
            one (fun i m -> flat ((lu "solve" i m).Solve b[i]))
    | TriangularSolve(lower, transposed) ->
        let b = matrices xs[1]

        if b.Length = 0 then
            [| ofDoubles specs[0] [||] |]
        else
            one (fun i m -> flat (triangularSolve lower transposed m b[i]))
    | Cholesky -> one (fun i m -> flat (cholesky i m))
    | Determinant ->
        one (fun _ m ->
            let sign, log = signLogDeterminant m
            [| if sign = 0.0 then 0.0 else sign * exp log |])
    | SignLogDeterminant ->
        several (a |> Array.map (fun m -> let s, l = signLogDeterminant m in [| [| s |]; [| l |] |]))
    | Qr -> several (a |> Array.map (fun m -> let q, r = qr m in [| flat q; flat r |]))
    | SymmetricEigen -> several (a |> Array.map (fun m -> let w, v = symmetricEigen m in [| w; flat v |]))
    | Svd -> several (a |> Array.map (fun m -> let u, s, vt = svd m in [| flat u; s; flat vt |]))
