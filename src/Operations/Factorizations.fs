/// Linear algebra by MathNet.Numerics, in double precision, matrix by matrix over the leading axes.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Factorizations

open System
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
    | DType.Float32 -> NDArray.Of<float32>(spec.Shape, ReadOnlySpan(Array.map float32 values))
    | _ -> NDArray.Of<float>(spec.Shape, ReadOnlySpan values)

/// The matrices in the last two axes, of which there must be elements.
let private matrices (x: NDArray) : Matrix<float>[] =
    let r = x.Shape.Length
    let m, n = x.Shape[r - 2], x.Shape[r - 1]
    let values = doubles x

    Array.init (values.Length / (m * n)) (fun i ->
        Matrix<float>.Build.DenseOfRowMajor(m, n, Array.sub values (i * m * n) (m * n)))

let private flat (m: Matrix<float>) : float[] = if m.ColumnCount = 0 then [||] else m.ToRowMajorArray()

// ---- what an operation asks of its matrix; where it is not so, the reason

let private largest (a: Matrix<float>) : float =
    let mutable m = 0.0

    for x in a.AsColumnMajorArray() do
        let size = abs x
        // NaN is larger than everything
        if not (size <= m) && not (Double.IsNaN m) then
            m <- size

    m

let private finite (a: Matrix<float>) : Result<Matrix<float>, string> =
    if Double.IsFinite(largest a) then Ok a else Error "the matrix is not finite"

/// How far a[i, j] and a[j, i] may lie apart, in units of the largest element, and still be meant as one number that two
/// sums rounded differently.
let private rounding (dtype: DType) = if dtype = DType.Float32 then 1e-3 else 1e-8

/// A matrix that is symmetric up to rounding, made symmetric: value and derivative speak of the same function then.
let private symmetric (dtype: DType) (a: Matrix<float>) : Result<Matrix<float>, string> =
    let n = a.RowCount
    let mutable worst, row, column = 0.0, 0, 0

    for i in 1 .. n - 1 do
        for j in 0 .. i - 1 do
            let d = abs (a[i, j] - a[j, i])

            if d > worst then
                worst <- d
                row <- i
                column <- j

    if worst = 0.0 then
        Ok a
    elif worst > rounding dtype * largest a then
        let number (x: float) = x.ToString("G6", Globalization.CultureInfo.InvariantCulture)

        Error
            $"the matrix is not symmetric: [{row}, {column}] is {number a[row, column]}, [{column}, {row}] is {number a[column, row]}; give it (a + transpose a) * 0.5 if its symmetric part is meant"
    else
        Ok(Matrix<float>.Build.Dense(n, n, (fun i j -> 0.5 * a[i, j] + 0.5 * a[j, i])))

/// Powers of 2 by which a matrix is multiplied before and its values after, so that no square of an element leaves the
/// range of doubles; none for matrices of ordinary size.
let private scale (a: Matrix<float>) : struct (float * float) =
    let m = largest a

    if m = 0.0 || (m > 1e-100 && m < 1e100) then
        struct (1.0, 1.0)
    else
        // in two steps of which each is a normal number
        let e = max -1000 (min 1000 (Math.ILogB m))
        struct (Math.ScaleB(1.0, -e), Math.ScaleB(1.0, e))

let private scaled (by: float) (a: Matrix<float>) = if by = 1.0 then a else a * by

// ---- matrix by matrix

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

let private solve (a: Matrix<float>) (b: Matrix<float>) =
    let lu = a.LU()

    let isSingular =
        Seq.exists (fun i -> lu.U[i, i] = 0.0 || Double.IsNaN lu.U[i, i]) (seq { 0 .. a.RowCount - 1 })

    if isSingular then
        Error "the matrix is singular or not finite"
    else
        Ok [| flat (lu.Solve b) |]

let private cholesky (a: Matrix<float>) =
    try
        Ok [| flat (a.Cholesky().Factor) |]
    with :? ArgumentException ->
        Error "the matrix is not positive definite"

/// Q and R with R's diagonal non-negative, which makes the factorisation unique.
let private qr (a: Matrix<float>) =
    let struct (down, up) = scale a
    let f = (scaled down a).QR(Factorization.QRMethod.Thin)
    let q, r = f.Q.Clone(), scaled up (f.R.Clone())

    for i in 0 .. r.RowCount - 1 do
        if r[i, i] < 0.0 then
            r.SetRow(i, r.Row(i).Negate())
            q.SetColumn(i, q.Column(i).Negate())

    [| flat q; flat r |]

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

let private signLogDeterminant (a: Matrix<float>) : struct (float * float) =
    let f = a.LU()
    let mutable sign, log = permutationSign f.P, 0.0

    for i in 0 .. a.RowCount - 1 do
        let d = f.U[i, i]

        let own =
            if d > 0.0 then 1.0
            elif d < 0.0 then -1.0
            else d

        sign <- sign * own
        log <- log + Math.Log(abs d)

    // of a singular matrix the sign is a positive zero
    if sign = 0.0 then struct (0.0, -infinity) else struct (sign, log)

let private determinant (a: Matrix<float>) =
    let f = a.LU()
    let mutable product = permutationSign f.P

    for i in 0 .. a.RowCount - 1 do
        product <- product * f.U[i, i]

    if Double.IsNormal product then
        product
    else
        // zero, or out of the range of doubles at least on the way
        let struct (sign, log) = signLogDeterminant a
        sign * exp log

let private symmetricEigen (a: Matrix<float>) =
    let struct (down, up) = scale a
    let e = (scaled down a).Evd Symmetricity.Symmetric
    struct (e.EigenValues.Real().ToArray() |> Array.map ((*) up), e.EigenVectors)

let private svd (a: Matrix<float>) =
    let k = min a.RowCount a.ColumnCount
    let struct (down, up) = scale a
    let f = (scaled down a).Svd true
    let u = f.U.SubMatrix(0, a.RowCount, 0, k)
    let s = f.S.SubVector(0, k).ToArray()

    for i in 0 .. k - 1 do
        if s[i] < 0.0 then
            u.SetColumn(i, u.Column(i).Negate())

    struct (u, s |> Array.map (fun x -> abs x * up), f.VT.SubMatrix(0, k, 0, a.ColumnCount))

/// An iteration that may fail to converge.
let private converging (run: unit -> float[][]) : Result<float[][], string> =
    try
        Ok(run ())
    with :? MathNet.Numerics.NonConvergenceException ->
        Error "the iteration did not converge"

/// Up to this condition number the adjugate is taken from the inverse, which is much cheaper than singular values.
[<Literal>]
let private EasyCondition = 1e5

/// adj A: of A = U·S·Vᵀ it is det U·det V · V·adj(S)·Uᵀ, and adj(S) is diagonal, each element the product of the other
/// singular values. That is right for singular matrices; for well-conditioned ones det A · A⁻¹ is.
let private adjugate (a: Matrix<float>) : float[] =
    let n = a.RowCount

    let bySingularValues () =
        let struct (u, s, vt) = svd a
        let others i = s |> Array.mapi (fun k x -> if k = i then 1.0 else x) |> Array.fold (*) 1.0
        let orientation = Math.Round(determinant u) * Math.Round(determinant vt)
        let inner = Matrix<float>.Build.DenseOfDiagonalArray(Array.init n (fun i -> orientation * others i))
        vt.Transpose() * inner * u.Transpose()

    match n with
    | 1 -> [| 1.0 |]
    | 2 -> [| a[1, 1]; -a[0, 1]; -a[1, 0]; a[0, 0] |]
    | _ ->
        let d = determinant a
        let inverse = if d = 0.0 then a else a.Inverse()
        let condition = a.InfinityNorm() * inverse.InfinityNorm()

        if d <> 0.0 && Double.IsFinite d && condition < EasyCondition then
            flat (d * inverse)
        else
            flat (bySingularValues ())

/// The results of one matrix, and right-hand side where there is one; or the reason why there are none.
let private one (op: LinearAlgebra) (dtype: DType) (a: Matrix<float>) (b: Matrix<float>) : Result<float[][], string> =
    match op with
    | Solve -> solve a b
    | TriangularSolve(lower, transposed) -> Ok [| flat (triangularSolve lower transposed a b) |]
    | Cholesky -> finite a |> Result.bind (symmetric dtype) |> Result.bind cholesky
    | Determinant -> Ok [| [| determinant a |] |]
    | SignLogDeterminant -> let struct (sign, log) = signLogDeterminant a in Ok [| [| sign |]; [| log |] |]
    | Adjugate -> finite a |> Result.bind (fun a -> converging (fun () -> [| adjugate a |]))
    | Qr -> finite a |> Result.map qr
    | SymmetricEigen ->
        finite a
        |> Result.bind (symmetric dtype)
        |> Result.bind (fun a -> converging (fun () -> let struct (w, v) = symmetricEigen a in [| w; flat v |]))
    | Svd ->
        finite a
        |> Result.bind (fun a -> converging (fun () -> let struct (u, s, vt) = svd a in [| flat u; s; flat vt |]))

/// What a matrix without elements has: the determinant 1, and otherwise results without elements.
let private empty (op: LinearAlgebra) (specs: Spec[]) : NDArray[] =
    specs
    |> Array.mapi (fun i spec ->
        let value =
            match op with
            | Determinant -> 1.0
            | SignLogDeterminant -> if i = 0 then 1.0 else 0.0
            | Solve
            | TriangularSolve _
            | Cholesky
            | Qr
            | Adjugate
            | SymmetricEigen
            | Svd -> 0.0

        ofDoubles spec (Array.create (Shape.size spec.Shape) value))

/// The results' values. Several matrices are computed one after another; what becomes of one without a result is asked for.
let evaluate (op: LinearAlgebra) (onFailure: OnFailure) (xs: NDArray[]) (specs: Spec[]) : NDArray[] =
    if xs |> Array.exists (fun x -> x.Size = 0) then
        empty op specs
    else
        let a = matrices xs[0]
        let b = if xs.Length > 1 then matrices xs[1] else a
        let each = specs |> Array.map (fun s -> Shape.size s.Shape / a.Length)

        let parts =
            Array.init a.Length (fun i ->
                match one op xs[0].DType a[i] b[i], onFailure with
                | Ok parts, _ -> parts
                | Error _, GiveNaN -> each |> Array.map (fun n -> Array.create n nan)
                | Error reason, Raise ->
                    let place = if i = 0 then "" else $" (number {i} of the batch)"
                    invalidArg "matrix" $"{Facts.linearName op onFailure}: {reason}{place}")

        specs
        |> Array.mapi (fun k spec -> ofDoubles spec (parts |> Array.map (fun p -> p[k]) |> Array.concat))
