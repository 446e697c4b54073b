/// Graphs of functions, drawn programs among them, for the tests of what is done to graphs.
module Functional.Tests.Traced

open Functional
open Functional.Kernels
open Functional.Tracing
open Functional.Operations
open Functional.Tests.Programs

let spec (shape: int list) : Spec = { Shape = Array.ofList shape; DType = DType.Float64 }

/// The graph of a function of tensors of some shapes.
let traced (shapes: int list list) (f: Tensor[] -> Tensor list) : Graph =
    Trace.graph (shapes |> List.map spec |> Array.ofList) (f >> Array.ofList)

/// The graph of a function of a matrix.
let one f = traced [ [ 3; 4 ] ] (fun v -> [ f v[0] ])

/// The names of a graph's operations, in order.
let operations (g: Graph) =
    g.Instructions
    |> Array.choose (fun instruction ->
        match instruction with
        | Apply(op, _, _, _) -> Some(Facts.name op)
        | ApplyMany _ -> Some "many"
        | Constant _ -> None)
    |> List.ofArray

/// Normal numbers for a graph's inputs.
let arrays (g: Graph) =
    g.InputSpecs
    |> Array.mapi (fun i s -> Tensor.value "test" (normal (100 + i) (List.ofArray s.Shape)))

let numbers (results: NDArray[]) = results |> Array.map (fun v -> Tensor.toFloats (Concrete v))

/// A random program, its value and its gradient, as one graph.
let random seed =
    Trace.graph [| spec [ 4; 4 ]; spec [ 4; 4 ] |] (fun v ->
        let y, (a, b) = valueAndGrad (randomProgram DType.Float64 seed) (v[0], v[1])
        [| y; a; b |])

let seeds = [ 1..40 ]
