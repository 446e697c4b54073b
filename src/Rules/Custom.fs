namespace Functional.Rules

open Functional
open Functional.Operations

/// A user's operation that brings its own derivative: the door in the vocabulary, with the calculus added.
[<AbstractClass>]
type CustomRule(name: string) =
    inherit External(name)

    /// The results at any level, as an ordinary function of tensors.
    abstract Apply: inputs: Tensor[] -> Tensor[]

    /// What a rule made of tensors of levels outside `level`. It may close over tensors of such levels, which see its
    /// ordinary operations; over those of this level or one further in it may not.
    static member internal RefuseClosure (level: Level) (name: string) (made: Tensor[]) : Tensor[] =
        for t in made do
            if not (isNull t) && not (isNull t.Level) && t.Level.Tag >= level.Tag then
                invalidOp
                    $"{name}: the rule closes over a tensor of the same {t.Level.Name} that it is used in, and that dependence would be lost; pass it as an argument"

        made

    /// A rule's results at `level`, from what its inputs are outside of it. Where those are concrete the rule is called as
    /// the ordinary function it is, so that it may close over tensors of outer levels.
    static member internal Perform (level: Level) (rule: External) (inputs: Tensor[]) : Tensor[] =
        match rule with
        | :? CustomRule as r when inputs |> Array.forall (fun x -> isNull x.Level) -> r.Apply inputs
        | _ -> Tensor.Bind(Custom rule, inputs)
        |> CustomRule.RefuseClosure level rule.Name

    override r.Evaluate inputs =
        r.Apply(inputs |> Array.map (fun v -> Concrete v :> Tensor)) |> Array.map (Tensor.value r.Name)

    override r.Open inputs = ValueSome(Functional.Levels.Trace.graph inputs r.Apply)

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

/// A rule that gives tangents and cotangents, each directly: for maps whose transpose is as simple as they are, and that
/// name themselves in their own derivatives, which transposing one for the other would follow without end.
[<AbstractClass>]
type BothWaysRule(name: string) =
    inherit ReverseRule(name)
    /// Tangents of the results, linear in those of the inputs; null stands for zero in what is given.
    abstract Tangents: inputs: Tensor[] * results: Tensor[] * tangents: Tensor[] -> Tensor[]
    /// Cotangents of the inputs, linear in those of the results.
    abstract Cotangents: inputs: Tensor[] * results: Tensor[] * cotangents: Tensor[] -> Tensor[]

    /// At a level outside, the results are this rule's again, so that it is what is differentiated there.
    override r.Forward inputs =
        let results =
            if inputs |> Array.forall (fun x -> isNull x.Level) then
                r.Apply inputs
            else
                Tensor.Bind(Custom r, inputs)

        struct (results, Array.append inputs results)

    override r.Backward(residuals, cotangents) =
        let inputs, results = Array.splitAt (residuals.Length - cotangents.Length) residuals
        r.Cotangents(inputs, results, cotangents)

/// The identity on its first inputs, tied to the others: what is computed from the results is never taken for the same
/// work done before, and not done before the others are there. So `checkpoint` computes again what it does not keep.
[<Sealed>]
type Barrier(count: int) =
    inherit ReverseRule("barrier")
    override _.HandsOn = count
    override _.Infer inputs = Array.take count inputs
    override _.Forward inputs = struct (Array.take count inputs, [||])
    override _.Backward(_, cotangents) = cotangents
