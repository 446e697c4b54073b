/// The differentials of the decompositions: tangents of the results from tangents of the inputs. Linear in the
/// tangents, so the reverse direction is derived from them. Formulas: Giles, "Collected matrix derivative results for
/// forward and reverse mode" (2008); Townsend, "Differentiating the singular value decomposition" (2016).
[<RequireQualifiedAccess>]
module internal Functional.Rules.Differential

open Functional
open Functional.Operations

let private solve a b = Tensor.Bind(ManyOp.Linear Solve, [| a; b |])[0]

let private triangular lower transposed a b =
    Tensor.Bind(ManyOp.Linear(TriangularSolve(lower, transposed)), [| a; b |])[0]

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

/// 1/(λⱼ − λᵢ) off the diagonal; 0 on it and where values coincide (there the vectors are not differentiable).
let private gaps (values: Tensor) =
    let difference = row values - column values
    safeDivide (Tensor.onesLike difference) difference

let private svd (u: Tensor) (s: Tensor) (vt: Tensor) (da: Tensor) =
    let v = transpose vt
    let inner = transpose u *@ da *@ v
    let f = gaps (s * s)
    let turn (m: Tensor) = f * m
    let du = u *@ turn (inner * row s + column s * transpose inner)
    let dv = v *@ turn (column s * inner + transpose inner * row s)
    let outside (basis: Tensor) (m: Tensor) = m - basis *@ (transpose basis *@ m)
    let du = du + outside u (da *@ v) / row s
    let dv = dv + outside v (transpose da *@ u) / row s
    [| du; diagonalOf inner; transpose dv |]

let private qr (q: Tensor) (r: Tensor) (da: Tensor) =
    // da·R⁻¹, as the solution X of Rᵀ·Xᵀ = daᵀ
    let c = transpose (triangular false true r (transpose da))
    let m = transpose q *@ c
    let strict = lowerPart 0.0 m
    let omega = strict - transpose strict
    [| q *@ omega + c - q *@ m; (m - omega) *@ r |]

/// Tangents of the results `ys` of `op` at inputs `xs` from tangents of the inputs; null stands for zero.
let tangents (op: LinearAlgebra) (xs: Tensor[]) (ys: Tensor[]) (ts: Tensor[]) : Tensor[] =
    let a, da = xs[0], ts[0]

    /// right-hand side of the equation for dX in A·X = B
    let rightHandSide (m: Tensor) =
        if isNull m then ts[1]
        elif isNull ts[1] then -(m *@ ys[0])
        else ts[1] - m *@ ys[0]

    match op with
    | Solve -> [| solve a (rightHandSide da) |]
    | TriangularSolve(lower, transposed) ->
        let part (m: Tensor) =
            let m = if lower then lowerPart 1.0 m else transpose (lowerPart 1.0 (transpose m))
            if transposed then transpose m else m

        [| triangular lower transposed a (rightHandSide (if isNull da then null else part da)) |]
    | Cholesky ->
        let l = ys[0]
        let left = triangular true false l (symmetric da)
        let both = transpose (triangular true false l (transpose left))
        [| l *@ lowerPart 0.5 both |]
    | Determinant -> [| ys[0] * traceOf (solve a da) |]
    | SignLogDeterminant -> [| null; traceOf (solve a da) |]
    | SymmetricEigen ->
        let values, v = ys[0], ys[1]
        let m = transpose v *@ symmetric da *@ v
        [| diagonalOf m; v *@ (gaps values * m) |]
    | Qr -> qr ys[0] ys[1] da
    | Svd -> svd ys[0] ys[1] ys[2] da
