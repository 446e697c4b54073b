namespace Functional.Rules

open Functional
open Functional.Operations

/// A user's operation that brings its own derivative: the door in the vocabulary, with the calculus added.
[<AbstractClass>]
type CustomRule(name: string) =
    inherit External(name)

    /// The results at any level, as an ordinary function of tensors.
    abstract Apply: inputs: Tensor[] -> Tensor[]

    override r.Evaluate inputs =
        r.Apply(inputs |> Array.map (fun v -> Concrete v :> Tensor)) |> Array.map (Tensor.value r.Name)

    override r.Infer inputs =
        r.Apply(inputs |> Array.map (fun s -> Tensor.full s.DType s.Shape 0.0))
        |> Array.map (fun t -> { Shape = t.Shape; DType = t.DType })

/// A rule that gives the tangents of its results.
[<AbstractClass>]
type ForwardRule(name: string) =
    inherit CustomRule(name)
    /// Tangents of the results, linear in the tangents of the inputs; null stands for zero on both sides.
    abstract Tangents: inputs: Tensor[] * results: Tensor[] * tangents: Tensor[] -> Tensor[]

/// A rule that gives the cotangents of its inputs. What the backward pass needs are the residuals, in data: it may use
/// nothing else, closures least of all.
[<AbstractClass>]
type ReverseRule(name: string) =
    inherit CustomRule(name)
    abstract Forward: inputs: Tensor[] -> struct (Tensor[] * Tensor[])
    /// Cotangents of the inputs, linear in those of the results; null stands for zero in what is returned.
    abstract Backward: residuals: Tensor[] * cotangents: Tensor[] -> Tensor[]

    override r.Apply inputs =
        let struct (results, _) = r.Forward inputs
        results
