/// The differentials of the decompositions: tangents of the results from tangents of the inputs. Linear in the
/// tangents, so the reverse direction is derived from them. Formulas: Giles, "Collected matrix derivative results for
/// forward and reverse mode" (2008); Townsend, "Differentiating the singular value decomposition" (2016).
///
/// Where eigenvalues or singular values coincide, their vectors are one choice of many and have no derivative. What is
/// smooth there all the same (q·f(w)·qᵀ, say) depends on values and vectors in a way that cannot be told from their
/// tangents or cotangents: the limit of 0/0. So it is NaN, and never a number that is silently wrong; `MatrixFunction`
/// holds such functions whole, with their derivatives. The values alone have the derivatives of a sum over equals.
[<RequireQualifiedAccess>]
module internal Functional.Rules.Differential

open Functional
open Functional.Operations

let private one op onFailure xs = Tensor.Bind(ManyOp.Linear(op, onFailure), xs)[0]
let private solve onFailure a b = one Solve onFailure [| a; b |]
let private triangular lower transposed onFailure a b = one (TriangularSolve(lower, transposed)) onFailure [| a; b |]

let private eyeOf (a: Tensor) = Tensor.eye a.DType a.Shape[a.Rank - 1]

/// The lower triangle, with the diagonal times a factor.
let private lowerPart diagonal (a: Tensor) =
    let n = a.Shape[a.Rank - 1]

    let weights =
        Array.init (n * n) (fun k ->
            if k / n > k % n then 1.0
            elif k / n = k % n then diagonal
            else 0.0)

    a * cast a.DType (Tensor.create [ n; n ] weights)

let private symmetric (a: Tensor) = (a + transpose a) * 0.5
let private diagonalOf (a: Tensor) = sumOver [ -1 ] (a * eyeOf a)
let private traceOf (a: Tensor) = sumOver [ -2; -1 ] (a * eyeOf a)
let private row (v: Tensor) = expandDims -2 v
let private column (v: Tensor) = expandDims -1 v

/// The relative distance within which values are taken for equal: what rounding makes of a repeated one.
let private resolution (dtype: DType) (n: int) =
    (if dtype = DType.Float32 then 4e-6 else 0.0) + 512.0 * float (max 1 n) * 2.2e-16

/// The distance within which these values are taken for equal.
let private near (values: Tensor) =
    stopGradient (maxKeep [ -1 ] (abs values)) * resolution values.DType values.Shape[values.Rank - 1]

/// 1/x, NaN where x is taken for 0, given the distance within which it is.
let private inverseOf (near: Tensor) (x: Tensor) =
    let isZero = lessEqual (abs x) near
    where isZero (host x nan) (reciprocal (where isZero (host x 1.0) x))

/// f(λᵢ, λⱼ) off the diagonal, 0 on it.
let private offDiagonal (values: Tensor) (f: Tensor) =
    where (equal (Tensor.eye values.DType values.Shape[values.Rank - 1]) (host values 1.0)) (host values 0.0) f

/// 1/(λⱼ − λᵢ) off the diagonal, NaN where values coincide, and 0 on it.
let private gaps (values: Tensor) = offDiagonal values (inverseOf (column (near values)) (row values - column values))

let private symmetricEigen (values: Tensor) (v: Tensor) (da: Tensor) =
    let m = transpose v *@ symmetric da *@ v
    [| diagonalOf m; v *@ (gaps values * m) |]

let private svd (u: Tensor) (s: Tensor) (vt: Tensor) (da: Tensor) =
    let v = transpose vt
    let inner = transpose u *@ da *@ v
    let near = near s
    // the two halves of the rotation; where two values are both 0 they coincide, and the first is NaN already
    let difference = (inner + transpose inner) * gaps s * 0.5
    let total = row s + column s
    let isZero = lessEqual total (host s 0.0)
    let skew = (inner - transpose inner) / where isZero (host s 1.0) total * 0.5
    // what leaves the span of the vectors, of which there are as many as the matrix has rows or columns or fewer
    let outside (basis: Tensor) (m: Tensor) =
        if basis.Shape[basis.Rank - 2] = basis.Shape[basis.Rank - 1] then
            Tensor.zerosLike basis
        else
            (m - basis *@ (transpose basis *@ m)) * row (inverseOf near s)

    let du = u *@ (difference + skew) + outside u (da *@ v)
    let dv = v *@ (difference - skew) + outside v (transpose da *@ u)
    [| du; diagonalOf inner; transpose dv |]

/// Whether every singular value is large enough for an ordinary solve; [.., 1, 1].
let private isRegular (s: Tensor) = greater (minKeep [ -1 ] s) (maxKeep [ -1 ] s * 1e-5) |> expandDims -1

/// The derivative of adj A along E. In the singular vectors of A it is that of the adjugate of a diagonal matrix: −Pᵢⱼ
/// times the product of the other values off the diagonal, and on it Σⱼ Pⱼⱼ times the product without i and j. Where A is
/// well-conditioned it is written by solves, which are differentiable to any order.
let private adjugate (a: Tensor) (da: Tensor) =
    let n = a.Shape[a.Rank - 1]

    if n < 2 then
        Tensor.zerosLike a
    else
        let svdOf (a: Tensor) = Tensor.Bind(ManyOp.Linear(Svd, GiveNaN), [| a |])
        let values = svdOf (stopGradient a)
        let regular = isRegular values[1]
        // each branch sees a harmless matrix where the other is taken, so that no NaN comes out of its derivative
        let eye = eyeOf a
        let harmless = eye * cast a.DType (Tensor.create [ n ] (Array.init n (fun i -> float (i + 1))))

        let bySolves =
            let a = where regular a eye
            let inverse = solve GiveNaN a (broadcastTo a.Shape eye)
            let turned = inverse *@ da
            let trace = traceOf turned |> expandDims -1 |> expandDims -1
            let det = one Determinant GiveNaN [| a |] |> expandDims -1 |> expandDims -1
            (inverse * trace - turned *@ inverse) * det

        let bySingularValues =
            let a = where regular harmless a
            let found = svdOf a
            let u, s, v = found[0], found[1], transpose found[2]
            let p = transpose u *@ da *@ v
            // the products of all values but two
            let isLeftOut =
                Tensor.create
                    [ n; n; n ]
                    (Array.init (n * n * n) (fun p -> let k = p % n in k = p / n % n || k = p / n / n))

            let products = where isLeftOut (host s 1.0) (row (row s)) |> prodOver [ -1 ] |> offDiagonal s

            let diagonal = products *@ column (diagonalOf p) * eye
            let sign (m: Tensor) = one SignLogDeterminant GiveNaN [| m |] |> expandDims -1 |> expandDims -1
            v *@ (diagonal - products * p) *@ transpose u * (sign u * sign v)

        where regular bySolves bySingularValues

let private qr onFailure (q: Tensor) (r: Tensor) (da: Tensor) =
    // da·R⁻¹, as the solution X of Rᵀ·Xᵀ = daᵀ
    let c = transpose (triangular false true onFailure r (transpose da))
    let m = transpose q *@ c
    let strict = lowerPart 0.0 m
    let omega = strict - transpose strict
    [| q *@ omega + c - q *@ m; (m - omega) *@ r |]

/// Tangents of the results `ys` of `op` at inputs `xs` from tangents of the inputs; null stands for zero.
let tangents (op: LinearAlgebra) (onFailure: OnFailure) (xs: Tensor[]) (ys: Tensor[]) (ts: Tensor[]) : Tensor[] =
    let a, da = xs[0], ts[0]

    /// right-hand side of the equation for dX in A·X = B
    let rightHandSide (m: Tensor) =
        if isNull m then ts[1]
        elif isNull ts[1] then -(m *@ ys[0])
        else ts[1] - m *@ ys[0]

    match op with
    | Solve -> [| solve onFailure a (rightHandSide da) |]
    | TriangularSolve(lower, transposed) ->
        let part (m: Tensor) =
            let m = if lower then lowerPart 1.0 m else transpose (lowerPart 1.0 (transpose m))
            if transposed then transpose m else m

        [| triangular lower transposed onFailure a (rightHandSide (if isNull da then null else part da)) |]
    | Cholesky ->
        let l = ys[0]
        let left = triangular true false onFailure l (symmetric da)
        let both = transpose (triangular true false onFailure l (transpose left))
        [| l *@ lowerPart 0.5 both |]
    | Determinant -> [| sumOver [ -2; -1 ] (transpose (one Adjugate GiveNaN [| a |]) * da) |]
    // infinite where A is singular: NaN, which ends no batch
    | SignLogDeterminant -> [| null; traceOf (solve GiveNaN a da) |]
    | Adjugate -> [| adjugate a da |]
    | SymmetricEigen -> symmetricEigen ys[0] ys[1] da
    | Qr -> qr onFailure ys[0] ys[1] da
    | Svd -> svd ys[0] ys[1] ys[2] da
