namespace Functional.Rules

open System
open Functional
open Functional.Operations
open Functional.Tracing

/// A user's operation that brings its own derivative: the door in the vocabulary, with the calculus added.
[<AbstractClass>]
type CustomRule(name: string) =
    inherit External(name)

    /// The results at any level, as an ordinary function of tensors.
    abstract Apply: inputs: Tensor[] -> Tensor[]

    /// How many of its first inputs are tensors that the user's functions close over. The rule says nothing of how the
    /// results depend on them, so no transformation may differentiate them.
    abstract Hidden: int
    default _.Hidden = 0

    /// The rule as the user made it, where this one was made of it.
    abstract Original: CustomRule
    default r.Original = r

    override r.Evaluate inputs =
        r.Apply(inputs |> Array.map (fun v -> Concrete v :> Tensor))
        |> Array.map (fun t ->
            if isNull t.Level then
                Tensor.value r.Name t
            else
                raise (ClosureException(r.Original, t.Level.Name)))

    override r.Open inputs = ValueSome(Trace.graph inputs r.Apply)

    override r.Infer inputs =
        match Trace.closed inputs r.Apply with
        | g, [||] -> g.OutputSpecs
        | _, captured -> raise (ClosureException(r.Original, captured[0].Level.Name))

/// A rule's functions close over a tensor of a transformation that the rule's operation is itself a part of.
and [<Sealed>] internal ClosureException(rule: CustomRule, level: string) =
    inherit
        InvalidOperationException(
            $"{rule.Name}: the rule closes over a tensor that the same {level} works on, and how the result depends on it no rule says; pass it as an argument, or through stopGradient where its derivative is not wanted"
        )

    member _.Rule = rule

/// What user functions may close over.
[<RequireQualifiedAccess>]
module internal Closure =

    /// What a rule made of tensors of levels outside `level`. It may close over tensors of such levels, which see its
    /// ordinary operations; those of this level or one further in have to be inputs.
    let refuse (level: Level) (rule: CustomRule) (made: Tensor[]) : Tensor[] =
        for t in made do
            if not (isNull t) && not (isNull t.Level) && t.Level.Tag >= level.Tag then
                raise (ClosureException(rule.Original, t.Level.Name))

        made

    /// Refuses to differentiate what the rule closes over; `varied` says which inputs are.
    let refuseHidden (level: Level) (rule: CustomRule) (varied: int -> bool) =
        for i in 0 .. rule.Hidden - 1 do
            if varied i then
                raise (ClosureException(rule.Original, level.Name))

    /// Runs a rule's function after its level has ended: what it uses of that level it closed over.
    let after (level: Level) (rule: CustomRule) (f: unit -> Tensor[]) : Tensor[] =
        try
            f ()
        with :? EscapedException as e when obj.ReferenceEquals(e.Level, level) ->
            raise (ClosureException(rule.Original, level.Name))

    /// A rule's results at `level`, from what its inputs are outside of it. Where those are concrete the rule is called
    /// as the ordinary function it is, so that it may close over tensors of outer levels.
    let perform (level: Level) (rule: CustomRule) (inputs: Tensor[]) : Tensor[] =
        if inputs |> Array.forall (fun x -> isNull x.Level) then
            rule.Apply inputs
        else
            Tensor.Bind(Custom rule, inputs)
        |> refuse level rule

/// A rule that gives the tangents of its results.
[<AbstractClass>]
type ForwardRule(name: string) =
    inherit CustomRule(name)
    /// Tangents of the results, linear in the tangents of the inputs; null stands for zero on both sides.
    abstract Tangents: inputs: Tensor[] * results: Tensor[] * tangents: Tensor[] -> Tensor[]

/// A forward pass: its results and all that the backward pass needs.
[<Struct; NoEquality; NoComparison>]
type ForwardPass = {
    Results: Tensor[]
    Residuals: Tensor[]
    /// What else the backward pass has to know, of this pass: how results and residuals are arranged.
    Form: obj
}

/// A rule that gives the cotangents of its inputs. What the backward pass needs are the residuals, in data: it may use
/// nothing else, closures least of all.
[<AbstractClass>]
type ReverseRule(name: string) =
    inherit CustomRule(name)
    abstract Forward: inputs: Tensor[] -> ForwardPass
    /// Cotangents of the inputs, linear in those of the results; null stands for zero in what is returned.
    abstract Backward: form: obj * residuals: Tensor[] * cotangents: Tensor[] -> Tensor[]
    /// The same, where it is known which of the inputs matter: the others' cotangents are not looked at.
    abstract BackwardOf: active: bool[] * form: obj * residuals: Tensor[] * cotangents: Tensor[] -> Tensor[]
    default r.BackwardOf(_, form, residuals, cotangents) = r.Backward(form, residuals, cotangents)
    /// The pass again, once its results are there, where that is no work.
    abstract Resume: inputs: Tensor[] * results: Tensor[] -> ForwardPass voption
    default _.Resume(_, _) = ValueNone
    override r.Apply inputs = (r.Forward inputs).Results

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

        (r :> ReverseRule).Resume(inputs, results).Value

    override _.Resume(inputs, results) =
        ValueSome { Results = results; Residuals = Array.append inputs results; Form = null }

    override r.Backward(_, residuals, cotangents) =
        let inputs, results = Array.splitAt (residuals.Length - cotangents.Length) residuals
        r.Cotangents(inputs, results, cotangents)

/// The identity on its first inputs, tied to the others: what is computed from the results is never taken for the same
/// work done before, and not done before the others are there. So `checkpoint` computes again what it does not keep.
[<Sealed>]
type Barrier(count: int) =
    inherit ReverseRule("barrier")
    override _.HandsOn = count
    override _.Infer inputs = Array.take count inputs

    override _.Forward inputs = {
        Results = Array.take count inputs
        Residuals = [||]
        Form = box (inputs.Length - count)
    }

    override r.Resume(inputs, results) =
        ValueSome { Results = results; Residuals = [||]; Form = box (inputs.Length - count) }

    override _.Backward(others, _, cotangents) = Array.append cotangents (Array.zeroCreate (unbox others))
