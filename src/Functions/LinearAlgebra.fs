/// Linear algebra over the last two axes; leading axes are a batch. Decompositions are computed in double precision and
/// have derivatives of any order.
[<RequireQualifiedAccess>]
module Functional.LinearAlgebra

open Functional.Operations

let private many op xs = Tensor.Bind(ManyOp.Linear op, xs)
let private single op xs = Array.head (many op xs)

/// Runs a solver on operands whose leading axes broadcast; a vector of right-hand sides is a matrix of one column.
let private solveWith op (a: Tensor) (b: Tensor) =
    if a.Rank < 2 then
        invalidArg "a" $"solve: needs a square matrix, got {Shape.show a.Shape}"

    if b.Rank = 1 then
        single op [| a; expandDims -1 b |] |> squeeze [ -1 ]
    else
        let lead (t: Tensor) = t.Shape[.. t.Rank - 3]
        let batch = Shape.broadcast "solve" (lead a) (lead b)
        let spread (t: Tensor) = broadcastTo (Array.append batch t.Shape[t.Rank - 2 ..]) t
        single op [| spread a; spread b |]

/// X with a·X = b: b is a matrix, or a vector. A singular matrix is an error.
let solve (a: Tensor) (b: Tensor) = solveWith Solve a b

/// X with a·X = b, where only the lower (or the upper) triangle of a is read.
let triangularSolve (lower: bool) (a: Tensor) (b: Tensor) = solveWith (TriangularSolve(lower, false)) a b

/// L, lower triangular, with L·Lᵀ = a. A matrix that is not positive definite is an error.
let cholesky (a: Tensor) = single Cholesky [| a |]

/// Q with orthonormal columns and R, upper triangular with non-negative diagonal, with Q·R = a; at least as many rows as
/// columns.
let qr (a: Tensor) : Tensor * Tensor =
    let r = many Qr [| a |]
    r[0], r[1]

/// det a.
let determinant (a: Tensor) = single Determinant [| a |]

/// The sign of det a, and log |det a|, which does not overflow.
let signLogDeterminant (a: Tensor) : Tensor * Tensor =
    let r = many SignLogDeterminant [| a |]
    r[0], r[1]

/// log |det a|.
let logDeterminant (a: Tensor) = snd (signLogDeterminant a)

/// a⁻¹; for a⁻¹·b, `solve` is faster and more accurate.
let inverse (a: Tensor) =
    if a.Rank < 2 then
        invalidArg "a" $"inverse: needs a square matrix, got {Shape.show a.Shape}"

    let eye = Tensor.eye a.DType a.Shape[a.Rank - 1]
    single Solve [| a; broadcastTo a.Shape eye |]

/// Eigenvalues in ascending order and eigenvectors, as columns, of a symmetric matrix.
let symmetricEigen (a: Tensor) : Tensor * Tensor =
    let r = many SymmetricEigen [| a |]
    r[0], r[1]

/// U, the singular values in descending order, and Vᵀ, reduced: a = U·diag(s)·Vᵀ.
let svd (a: Tensor) : Tensor * Tensor * Tensor =
    let r = many Svd [| a |]
    r[0], r[1], r[2]

/// The diagonal of the last two axes.
let diagonal (a: Tensor) : Tensor =
    let r = a.Rank

    if r < 2 then
        invalidArg "a" $"diagonal: needs two axes, got {Shape.show a.Shape}"

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
