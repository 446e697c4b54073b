namespace Functional.Rules

open Functional
open Functional.Operations

/// A linear map *in data*: a primitive with a hole and its residual. Applied, it is forward mode; transposed, it is
/// reverse mode. Data, not a closure, so that residuals can be counted, released, staged and stacked.
[<Struct; NoEquality; NoComparison>]
type LinearMap = {
    /// The primitive t ↦ op(.., t at Hole, .. Const ..); null stands for the identity (up to a broadcast).
    Op: Op
    /// The other operand; null if there is none.
    Const: Tensor
    /// Which input t is; see `LinearMap.zero` and `LinearMap.expand` for the negative ones.
    Hole: int
}

[<RequireQualifiedAccess>]
module LinearMap =

    let inline make op hole c : LinearMap = { Op = op; Const = c; Hole = hole }

    /// t ↦ t, broadcast to the result's shape.
    let identity = make Unchecked.defaultof<Op> 0 null

    /// t ↦ 0: the result does not depend on this input, or only in steps.
    let zero = make Unchecked.defaultof<Op> -1 null

    /// No single primitive is this derivative: the operation is to be replaced by its definition in other primitives.
    let expand = make Unchecked.defaultof<Op> -2 null

    let inline isZero (m: LinearMap) = m.Hole = -1
    let inline isExpand (m: LinearMap) = m.Hole = -2
