namespace Functional.Rules

open Functional
open Functional.Operations

/// An operation's derivative in one of its inputs: a linear map *in data*. Applied, it is forward mode; transposed, it is
/// reverse mode. Data, not a closure, so that residuals can be counted, released, staged and stacked.
[<Struct; RequireQualifiedAccess; NoEquality; NoComparison>]
type Derivative =
    /// t ↦ 0: the result does not depend on this input, or only in steps.
    | Zero
    /// t ↦ t, broadcast to the result's shape.
    | Identity
    /// t ↦ op(.., t at the hole, .. residual ..); the residual is null where the primitive has no other operand.
    | Linear of op: Op * residual: Tensor * hole: int
    /// No single primitive is this derivative: the operation is to be replaced by its definition in other primitives.
    | Expand

    /// The other operand; null where there is none.
    member d.Residual =
        match d with
        | Derivative.Linear(_, residual, _) -> residual
        | Derivative.Zero
        | Derivative.Identity
        | Derivative.Expand -> null
