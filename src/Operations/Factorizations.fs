/// Linear algebra in double precision, matrix by matrix over the leading axes: by the kernels, singular values by
/// MathNet.Numerics.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Factorizations

open System
open Functional
open Functional.Kernels
open Functional.Kernels.LinearAlgebra
open MathNet.Numerics.LinearAlgebra

/// A matrix of a batch, row by row: a copy, over which its factors may be written.
type private Rows = {
    Rows: int
    Columns: int
    Elements: float[]
} with

    member a.Item
        with get (i, j) = a.Elements[i * a.Columns + j]
        and set (i, j) value = a.Elements[i * a.Columns + j] <- value

    member a.Copy() = { a with Elements = Array.copy a.Elements }

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
let private matrices (x: NDArray) : Rows[] =
    let r = x.Shape.Length
    let m, n = x.Shape[r - 2], x.Shape[r - 1]
    let values = doubles x

    match values.Length / (m * n) with
    | 1 -> [| { Rows = m; Columns = n; Elements = values } |]
    | count -> Array.init count (fun i -> { Rows = m; Columns = n; Elements = Array.sub values (i * m * n) (m * n) })

// ---- what an operation asks of its matrix; where it is not so, the reason

let private largest (a: Rows) : float =
    let mutable m = 0.0

    for x in a.Elements do
        let size = abs x
        // NaN is larger than everything
        if not (size <= m) && not (Double.IsNaN m) then
            m <- size

    m

let private finite (a: Rows) : Result<Rows, string> =
    if Double.IsFinite(largest a) then Ok a else Error "the matrix is not finite"

/// How far a[i, j] and a[j, i] may lie apart, in units of the largest element, and still be meant as one number that two
/// sums rounded differently.
let private rounding (dtype: DType) = if dtype = DType.Float32 then 1e-3 else 1e-8

/// A matrix that is symmetric up to rounding, made symmetric: value and derivative speak of the same function then.
let private symmetric (dtype: DType) (a: Rows) : Result<Rows, string> =
    let n = a.Rows
    let mutable worst, row, column = 0.0, 0, 0

    for i in 1 .. n - 1 do
        for j in 0 .. i - 1 do
            let d = abs (a[i, j] - a[j, i])

            if d > worst then
                worst <- d
                row <- i
                column <- j

    if worst > rounding dtype * largest a then
        let number (x: float) = x.ToString("G6", Globalization.CultureInfo.InvariantCulture)

        Error
            $"the matrix is not symmetric: [{row}, {column}] is {number a[row, column]}, [{column}, {row}] is {number a[column, row]}; give it (a + transpose a) * 0.5 if its symmetric part is meant"
    else
        if worst > 0.0 then
            for i in 1 .. n - 1 do
                for j in 0 .. i - 1 do
                    let mean = 0.5 * a[i, j] + 0.5 * a[j, i]
                    a[i, j] <- mean
                    a[j, i] <- mean

        Ok a

/// A matrix times a power of 2 that leaves no square of an element out of the range of doubles, and the power that its
/// values are multiplied by afterwards; matrices of ordinary size as they are.
let private moderate (a: Rows) : struct (Rows * float) =
    let m = largest a

    if m = 0.0 || (m > 1e-100 && m < 1e100) then
        struct (a, 1.0)
    else
        // in two steps of which each is a normal number
        let e = max -1000 (min 1000 (Math.ILogB m))
        let down = Math.ScaleB(1.0, -e)

        struct ({ a with Elements = Array.map ((*) down) a.Elements }, Math.ScaleB(1.0, e))

// ---- matrix by matrix

let private triangularSolve lower transposed (a: Rows) (b: Rows) =
    Triangular.Solve(a.Elements, a.Rows, lower, transposed, b.Elements, b.Columns)
    b.Elements

/// The factors of a matrix, which they are written over, and the exchanges of its rows.
let private lu (a: Rows) =
    let exchanges = Array.zeroCreate<int> a.Rows
    Lu.Factor(a.Elements, a.Rows, exchanges)
    struct (a, exchanges)

let private solve (a: Rows) (b: Rows) =
    let struct (f, exchanges) = lu a

    let isSingular =
        Seq.exists (fun i -> f[i, i] = 0.0 || not (Double.IsFinite f[i, i])) (seq { 0 .. a.Rows - 1 })

    if isSingular then
        Error "the matrix is singular or not finite"
    else
        Lu.Solve(f.Elements, f.Rows, exchanges, b.Elements, b.Columns)
        Ok [| b.Elements |]

let private cholesky (a: Rows) =
    if Cholesky.Factor(a.Elements, a.Rows) then
        Ok [| a.Elements |]
    else
        Error "the matrix is not positive definite"

let private qr (a: Rows) =
    let struct (a, up) = moderate a
    let r = Array.zeroCreate (a.Columns * a.Columns)
    Qr.Factor(a.Elements, a.Rows, a.Columns, r)
    [| a.Elements; (if up = 1.0 then r else Array.map ((*) up) r) |]

/// 1 or −1, by the number of exchanges.
let private orientation (exchanges: int[]) =
    let mutable sign = 1.0

    for i in 0 .. exchanges.Length - 1 do
        if exchanges[i] <> i then
            sign <- -sign

    sign

let private signLog (struct (f: Rows, exchanges)) : struct (float * float) =
    let mutable sign, log = orientation exchanges, 0.0

    for i in 0 .. f.Rows - 1 do
        let d = f[i, i]

        let own =
            if d > 0.0 then 1.0
            elif d < 0.0 then -1.0
            else d

        sign <- sign * own
        log <- log + Math.Log(abs d)

    // of a singular matrix the sign is a positive zero
    if sign = 0.0 then struct (0.0, -infinity) else struct (sign, log)

let private determinant (struct (f: Rows, exchanges)) =
    let mutable product = orientation exchanges

    for i in 0 .. f.Rows - 1 do
        product <- product * f[i, i]

    if Double.IsNormal product then
        product
    else
        // zero, or out of the range of doubles at least on the way
        let struct (sign, log) = signLog (struct (f, exchanges))
        sign * exp log

let private symmetricEigen (a: Rows) =
    let struct (a, up) = moderate a
    let values = Array.zeroCreate a.Rows

    if SymmetricEigen.Decompose(a.Elements, a.Rows, values) then
        Ok [| Array.map ((*) up) values; a.Elements |]
    else
        Error "the iteration did not converge"

let private svd (a: Rows) =
    let k = min a.Rows a.Columns
    let struct (moderate, up) = moderate a

    try
        let f = Matrix<float>.Build.DenseOfRowMajor(a.Rows, a.Columns, moderate.Elements).Svd true

        let u = f.U.SubMatrix(0, a.Rows, 0, k)
        let s = f.S.SubVector(0, k).ToArray()

        for i in 0 .. k - 1 do
            if s[i] < 0.0 then
                u.SetColumn(i, u.Column(i).Negate())

        Ok(struct (u, s |> Array.map (fun x -> abs x * up), f.VT.SubMatrix(0, k, 0, a.Columns)))
    with :? MathNet.Numerics.NonConvergenceException ->
        Error "the iteration did not converge"

let private eye n = Array.init (n * n) (fun k -> if k / n = k % n then 1.0 else 0.0)

/// The largest sum of the sizes of a row's elements.
let private norm (a: Rows) =
    Seq.max (seq { for i in 0 .. a.Rows - 1 -> Seq.sum (seq { for j in 0 .. a.Columns - 1 -> abs a[i, j] }) })

/// Up to this condition number the adjugate is taken from the inverse, which is much cheaper than singular values.
[<Literal>]
let private EasyCondition = 1e5

/// adj A: of A = U·S·Vᵀ it is det U·det V · V·adj(S)·Uᵀ, and adj(S) is diagonal, each element the product of the other
/// singular values. That is right for singular matrices; for well-conditioned ones det A · A⁻¹ is.
let private adjugate (a: Rows) : Result<float[][], string> =
    let n = a.Rows

    let bySingularValues () =
        svd a
        |> Result.map (fun (struct (u, s, vt)) ->
            let others i = s |> Array.mapi (fun k x -> if k = i then 1.0 else x) |> Array.fold (*) 1.0
            let side (m: Matrix<float>) = Math.Round(m.Determinant())
            let turned = side u * side vt
            let inner = Matrix<float>.Build.DenseOfDiagonalArray(Array.init n (fun i -> turned * others i))
            [| (vt.Transpose() * inner * u.Transpose()).ToRowMajorArray() |])

    match n with
    | 1 -> Ok [| [| 1.0 |] |]
    | 2 -> Ok [| [| a[1, 1]; -a[0, 1]; -a[1, 0]; a[0, 0] |] |]
    | _ ->
        let struct (f, exchanges) = lu (a.Copy())
        let d = determinant (struct (f, exchanges))
        let inverse = { a with Elements = eye n }

        if d <> 0.0 && Double.IsFinite d then
            Lu.Solve(f.Elements, n, exchanges, inverse.Elements, n)

            if norm a * norm inverse < EasyCondition then
                Ok [| Array.map ((*) d) inverse.Elements |]
            else
                bySingularValues ()
        else
            bySingularValues ()

/// The results of one matrix, and right-hand side where there is one; or the reason why there are none.
let private one (op: LinearAlgebra) (dtype: DType) (a: Rows) (b: Rows) : Result<float[][], string> =
    match op with
    | Solve -> solve a b
    | TriangularSolve(lower, transposed) -> Ok [| triangularSolve lower transposed a b |]
    | Cholesky -> finite a |> Result.bind (symmetric dtype) |> Result.bind cholesky
    | Determinant -> Ok [| [| determinant (lu a) |] |]
    | SignLogDeterminant -> let struct (sign, log) = signLog (lu a) in Ok [| [| sign |]; [| log |] |]
    | Adjugate -> finite a |> Result.bind adjugate
    | Qr -> finite a |> Result.map qr
    | SymmetricEigen -> finite a |> Result.bind (symmetric dtype) |> Result.bind symmetricEigen
    | Svd ->
        finite a
        |> Result.bind svd
        |> Result.map (fun (struct (u, s, vt)) -> [| u.ToRowMajorArray(); s; vt.ToRowMajorArray() |])

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
