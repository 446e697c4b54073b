/// The shapes that layers give, as their own functions say: these are run on tensors that have a shape and no numbers, so nothing is
/// computed, and no memory is taken.
module internal Functional.Outline

open Functional.Operations
open Functional.Tracing

/// A batch of one example: an array can have its shape wherever it can have the example's.
let private batched (shape: int[]) = Array.append [| 1 |] shape

/// An error about shapes with `batch` where it speaks of the inputs'.
let private named (inputs: int[][]) (e: ShapeException) =
    e.Naming(fun shape axis ->
        if axis = 0 && shape.Length > 1 && Array.exists (Shape.same shape) inputs then
            "batch"
        else
            string shape[axis])

let private trace (initialize: Tensor -> int[][] -> 'P) (apply: 'P -> Tensor[] -> Tensor[]) (inputs: int[][]) =
    let key: Spec = { Shape = Shape.scalar; DType = DType.Int64 }

    Trace.outline [| key |] (fun keys ->
        let p = initialize keys[0] inputs
        let float = Tree.leaves p |> Array.tryFind (fun leaf -> leaf.DType.IsFloat())
        let dtype = float |> Option.map _.DType |> Option.defaultValue DType.Float32
        let given = Array.map batched inputs

        try
            let specs: Spec[] = [| for shape in given -> { Shape = shape; DType = dtype } |]
            Trace.outline specs (apply p) |> Array.map _.Shape[1..]
        with :? ShapeException as e ->
            raise (named given e))

/// The shapes of a layer's outputs from those of its inputs, all without the batch axis; a size may be `UnknownSize.Value`.
/// Inputs have the element type of the layer's parameters, Float32 where there are none.
let shapes (initialize: Tensor -> int[][] -> 'P) (apply: 'P -> Tensor[] -> Tensor[]) (inputs: int[][]) : int[][] =
    UnknownSize.infer (trace initialize apply) inputs
