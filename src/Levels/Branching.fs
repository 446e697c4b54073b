/// Branches and loops over examples of which only some take part. The others are computed along with them, on operands of
/// one that does: what their own operands would have made, an index outside its axis, a matrix without a factorization, a
/// loop without an end, a NaN that comes back through a derivative, is never there.
[<RequireQualifiedAccess>]
module internal Functional.Levels.Branching

open Functional
open Functional.Operations
open Functional.Tracing

/// Whether a tensor's value can be looked at now.
let rec known (t: Tensor) =
    match t with
    | :? Concrete -> true
    | :? Recorded as r -> known r.Primal
    | :? Dual as d -> known d.Primal
    | _ -> false

/// a where the mask, a truth value for each example, holds, and b elsewhere.
let select (mask: Tensor) (a: Tensor) (b: Tensor) : Tensor =
    let aligned = reshape (Array.append mask.Shape (Array.create (max a.Rank b.Rank - 1) 1)) mask
    where aligned a b

/// The operands where the mask holds; elsewhere those of the first example for which it does, as constants. At least one
/// takes part, or nobody looks at what comes out.
let private sheltered (mask: Tensor) (mapped: bool[]) (values: Tensor[]) : Tensor[] =
    let first = argmax 0 (cast DType.Int32 mask)

    let shelter (x: Tensor) =
        let other = stopGradient (Tensor.Bind(Gather 0, x, first))
        select mask x (expandDims 0 other)

    Array.map2 (fun x isMapped -> if isMapped then shelter x else x) values mapped

/// Whether what a graph computes may end in an error, or not at all.
let private isRisky (g: Graph) = Array.exists (fun i -> Graphs.canFail i || Graphs.canHang i) g.Instructions

/// The operands of a loop's body, where the mask says which examples go on; at least one does.
let operands (body: Graph) (mask: Tensor) (mapped: bool[]) (values: Tensor[]) : Tensor[] =
    if isRisky body then sheltered mask mapped values else values

/// One of two branches: the graph of one example, and how it runs over all, from a mask and operands to results that all
/// have the batch axis.
type Branch = { Graph: Graph; Run: Tensor[] -> Tensor[] }

let private zeros (s: Spec) = broadcastTo s.Shape (Tensor.full s.DType [] 0.0)

/// A branch over the examples for which the mask holds; the rest of the results is not to be looked at. A branch that may
/// fail does not run at all where no example takes it.
let private over (branch: Branch) (mask: Tensor) (mapped: bool[]) (values: Tensor[]) : Tensor[] =
    let run (v: Tensor[]) = branch.Run(Array.append [| v[0] |] (sheltered v[0] mapped v[1..]))
    let inputs = Array.append [| mask |] values

    if isRisky branch.Graph then
        let specs = Array.map Tensor.specOf inputs
        let some = Trace.graph specs run
        let none = Trace.graph specs (fun _ -> Array.map zeros some.OutputSpecs)
        Tensor.Bind(Cond(some, none), Array.append [| amax mask |] inputs)
    else
        run inputs

/// The results of one branch for the examples where the mask holds and of the other for the rest. Where the mask can be
/// looked at, a branch runs only if somebody takes it.
let cond (mask: Tensor) (mapped: bool[]) (values: Tensor[]) (whenTrue: Branch) (whenFalse: Branch) : Tensor[] =
    let isKnown = known mask
    let holds (t: Tensor) = Tensor.toBool (Tensor.detach t)

    if isKnown && holds (amin mask) then
        whenTrue.Run(Array.append [| mask |] values)
    elif isKnown && not (holds (amax mask)) then
        whenFalse.Run(Array.append [| mask |] values)
    else
        let sheltered on (branch: Branch) =
            if isKnown then
                branch.Run(Array.append [| on |] (sheltered on mapped values))
            else
                over branch on mapped values

        Array.map2 (select mask) (sheltered mask whenTrue) (sheltered (logicalNot mask) whenFalse)
