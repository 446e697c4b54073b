/// Linear algebra over the last two axes; leading axes are a batch. Decompositions are computed in double precision and
/// have derivatives of any order.
///
/// A matrix that has no result (singular, not positive definite, not symmetric, not finite) is an error. The functions
/// whose names end in `OrNaN` give NaN for that matrix instead, and the others of the batch have their results: for use
/// under `vmap`, in compiled line searches, in the condition of a `whileLoop`. The others never fail: `triangularSolve`
/// divides by a zero on the diagonal as numbers do, a singular matrix has the determinant 0.
[<RequireQualifiedAccess>]
module Functional.LinearAlgebra

open Functional.Operations

let private many op onFailure xs = Tensor.Bind(ManyOp.Linear(op, onFailure), xs)
let private single op onFailure xs = Array.head (many op onFailure xs)

/// Runs a solver on operands whose leading axes broadcast; a vector of right-hand sides is a matrix of one column.
let private solveWith name op onFailure (a: Tensor) (b: Tensor) =
    if a.Rank < 2 then
        invalidShape name $"needs a square matrix, got {a.Shape}"

    if b.Rank = 0 then
        invalidArg "b" $"{name}: the right-hand side is a single number; it must be a vector or a matrix"

    let lead (t: Tensor) = t.Shape[.. t.Rank - 3]

    let spread batch (t: Tensor) = broadcastTo (Array.append batch t.Shape[t.Rank - 2 ..]) t

    if b.Rank = 1 then
        single op onFailure [| a; spread (lead a) (expandDims -1 b) |] |> squeeze [ -1 ]
    else
        let batch = Shape.broadcast name (lead a) (lead b)
        single op onFailure [| spread batch a; spread batch b |]

/// a·x, a matrix times a vector: a [.., m, n], x [.., n]; leading axes broadcast.
/// Example: `LinearAlgebra.matvec (Tensor.ofRows [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]) (Tensor.ofSeq [ 1.0; 1.0 ])` is [3 7].
let matvec (a: Tensor) (x: Tensor) : Tensor =
    if a.Rank < 2 || x.Rank < 1 || a.Shape[a.Rank - 1] <> x.Shape[x.Rank - 1] then
        invalidShape "matvec" $"a matrix [.., m, n] times a vector [.., n] is defined, got {a.Shape} and {x.Shape}"

    a *@ expandDims -1 x |> squeeze [ -1 ]

/// x·a, a vector times a matrix: x [.., m], a [.., m, n]; leading axes broadcast.
/// Example: `LinearAlgebra.vecmat (Tensor.ofSeq [ 1.0; 1.0 ]) (Tensor.ofRows [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ])` is [4 6].
let vecmat (x: Tensor) (a: Tensor) : Tensor =
    if a.Rank < 2 || x.Rank < 1 || a.Shape[a.Rank - 2] <> x.Shape[x.Rank - 1] then
        invalidShape "vecmat" $"a vector [.., m] times a matrix [.., m, n] is defined, got {x.Shape} and {a.Shape}"

    expandDims -2 x *@ a |> squeeze [ -2 ]

/// X with a·X = b: a [.., n, n], b [.., n, k], or a vector [n]. A singular matrix is an error.
/// Example: `LinearAlgebra.solve (hessian f p) (grad f p)`.
let solve (a: Tensor) (b: Tensor) = solveWith "solve" Solve Raise a b

/// `solve`, with NaN for a singular matrix.
let solveOrNaN (a: Tensor) (b: Tensor) = solveWith "solveOrNaN" Solve GiveNaN a b

/// X with a·X = b, where only the lower (or the upper) triangle of a is read. A zero on the diagonal gives ±∞ or NaN.
let triangularSolve (lower: bool) (a: Tensor) (b: Tensor) =
    solveWith "triangularSolve" (TriangularSolve(lower, false)) Raise a b

/// X with aᵀ·X = b, where only a's lower (or upper) triangle is read: `triangularSolve` by the transposed matrix.
let triangularSolveTransposed (lower: bool) (a: Tensor) (b: Tensor) =
    solveWith "triangularSolve" (TriangularSolve(lower, true)) Raise a b

/// X with a·X = b, given l with l·lᵀ = a as `cholesky` makes it.
/// Example: `LinearAlgebra.choleskySolve (LinearAlgebra.cholesky a) b`.
let choleskySolve (l: Tensor) (b: Tensor) = triangularSolveTransposed true l (triangularSolve true l b)

/// L, lower triangular, with L·Lᵀ = a: a [.., n, n] symmetric (up to rounding) and positive definite; any other matrix is
/// an error. The derivative is that of the symmetric part: a matrix whose gradient is compared with differences is made
/// symmetric inside the function, by `(a + transpose a) * 0.5`.
let cholesky (a: Tensor) = single Cholesky Raise [| a |]

/// `cholesky`, with NaN for a matrix that is not symmetric positive definite.
/// Example, a damped step that asks: `isFinite (sum (LinearAlgebra.choleskyOrNaN (g + mu * eye)))`.
let choleskyOrNaN (a: Tensor) = single Cholesky GiveNaN [| a |]

/// The square part of a wide matrix gives Q, and Qᵀ times the columns beyond it the rest of R.
let private qrWith onFailure (a: Tensor) : Tensor * Tensor =
    let decompose (a: Tensor) =
        let r = many Qr onFailure [| a |]
        r[0], r[1]

    if a.Rank >= 2 && a.Shape[a.Rank - 2] < a.Shape[a.Rank - 1] then
        let m, n = a.Shape[a.Rank - 2], a.Shape[a.Rank - 1]
        let parts = split -1 [ m; n - m ] a
        let q, r = decompose parts[0]
        q, concat -1 [ r; transpose q *@ parts[1] ]
    else
        decompose a

/// Q with orthonormal columns and R, upper triangular with non-negative diagonal, with Q·R = a: of a [.., m, n] they are
/// [.., m, k] and [.., k, n], k being the smaller of m and n.
let qr (a: Tensor) : Tensor * Tensor = qrWith Raise a

/// `qr`, with NaN for a matrix that is not finite.
let qrOrNaN (a: Tensor) : Tensor * Tensor = qrWith GiveNaN a

/// det a. Its derivative, the cofactors, and the second one are right for singular matrices, too.
let determinant (a: Tensor) = single Determinant Raise [| a |]

/// The adjugate, the transposed cofactors: a·adj(a) = det(a)·I, singular or not. Where det a is not 0 it is det(a)·a⁻¹.
let adjugate (a: Tensor) = single Adjugate Raise [| a |]

/// The sign of det a, and log |det a|, which does not overflow; 0 and −∞ for a singular matrix, and the derivative NaN.
let signLogDeterminant (a: Tensor) : Tensor * Tensor =
    let r = many SignLogDeterminant Raise [| a |]
    r[0], r[1]

/// log |det a|; −∞ for a singular matrix, and the derivative NaN.
let logDeterminant (a: Tensor) = snd (signLogDeterminant a)

let private inverseWith name onFailure (a: Tensor) =
    if a.Rank < 2 then
        invalidShape name $"needs a square matrix, got {a.Shape}"

    let eye = Tensor.eye a.DType a.Shape[a.Rank - 1]
    single Solve onFailure [| a; broadcastTo (Array.append a.Shape[.. a.Rank - 3] eye.Shape) eye |]

/// a⁻¹; for a⁻¹·b, `solve` is faster and more accurate. A singular matrix is an error.
let inverse (a: Tensor) = inverseWith "inverse" Raise a

/// `inverse`, with NaN for a singular matrix.
let inverseOrNaN (a: Tensor) = inverseWith "inverseOrNaN" GiveNaN a

/// Eigenvalues in ascending order and eigenvectors, as columns, of a matrix that is symmetric (up to rounding); any other
/// is an error.
///
/// Where eigenvalues coincide, their eigenvectors are one choice of many and have no derivative: it is NaN, also of
/// functions of values and vectors that are smooth as a whole; `MatrixFunction.symmetric` has the derivatives of those. A
/// function of the values alone has the right gradient there if it is symmetric in them (Σλ², the logarithm of the
/// determinant), else one of several one-sided ones; second derivatives are NaN.
let symmetricEigen (a: Tensor) : Tensor * Tensor =
    let r = many SymmetricEigen Raise [| a |]
    r[0], r[1]

/// `symmetricEigen`, with NaN for a matrix that is not symmetric or not finite.
let symmetricEigenOrNaN (a: Tensor) : Tensor * Tensor =
    let r = many SymmetricEigen GiveNaN [| a |]
    r[0], r[1]

/// U, the singular values in descending order, and Vᵀ, reduced: a = U·diag(s)·Vᵀ.
///
/// Where singular values coincide, and where one of a matrix that is not square is 0, the vectors have no derivative: it is
/// NaN, as with `symmetricEigen`. `MatrixFunction.polar` has the derivatives of U·Vᵀ.
let svd (a: Tensor) : Tensor * Tensor * Tensor =
    let r = many Svd Raise [| a |]
    r[0], r[1], r[2]

/// `svd`, with NaN for a matrix that is not finite.
let svdOrNaN (a: Tensor) : Tensor * Tensor * Tensor =
    let r = many Svd GiveNaN [| a |]
    r[0], r[1], r[2]

/// The diagonal of the last two axes.
let diagonal (a: Tensor) : Tensor =
    let r = a.Rank

    if r < 2 then
        invalidShape "diagonal" $"needs two axes, got {a.Shape}"

    let m, n = a.Shape[r - 2], a.Shape[r - 1]
    let k = min m n
    let lead = a.Shape[.. r - 3]
    let zeros = Array.zeroCreate<int>(lead.Length + 1)
    // the diagonal of a square is every (k+1)-th element
    a
    |> slice (Array.zeroCreate r) (Array.append lead [| k; k |]) (Array.create r 1)
    |> reshape (Array.append lead [| k * k |])
    |> slice zeros (Array.append lead [| k |]) (Array.append (Array.create lead.Length 1) [| k + 1 |])

/// The sum of the diagonal of the last two axes.
let trace (a: Tensor) = diagonal a |> sumOver [ -1 ]
