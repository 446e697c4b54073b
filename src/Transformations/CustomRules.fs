/// Rules of the user's own: functions that bring their derivative, and those whose reverse pass computes them again.
[<AutoOpen>]
module Functional.CustomRules

open Functional.Operations
open Functional.Rules
open Functional.Levels
open Functional.Tracing

/// The tree's structure, without its tensors.
let private hollow (tree: 'T) : 'T = Tree.map (fun _ -> scalar 0.0) tree

/// Whether a trace takes part in a tensor, at whatever level.
let rec private isStaged (t: Tensor) =
    match t with
    | :? Staged -> true
    | :? Recorded as r -> isStaged r.Primal
    | :? Dual as d -> isStaged d.Primal || isStaged d.Tangent
    | :? Batched as b -> isStaged b.Value
    | _ -> false

/// The rule's results. What its functions close over becomes hidden inputs where it has to: in a trace, whose graph is to
/// be complete, and where it belongs to a transformation that the rule is itself a part of.
let private perform (rule: CustomRule) (xs: Tensor[]) : Tensor[] =
    let hoisted () = Hoist.rule rule (Array.map Tensor.specOf xs)
    let apply (struct (hoisted: CustomRule, captured)) = Tensor.Bind(Custom hoisted, Array.append captured xs)

    if Array.exists isStaged xs then
        match hoisted () with
        | ValueSome h -> apply h
        | ValueNone -> Tensor.Bind(Custom rule, xs)
    else
        try
            Tensor.Bind(Custom rule, xs)
        with :? ClosureException as e when obj.ReferenceEquals(e.Rule, rule) ->
            match hoisted () with
            | ValueSome h -> apply h
            | ValueNone -> reraise ()

/// Tangents or cotangents as user code made them: those of floats, each of the shape and type of what it belongs to; null
/// stands for zero.
let private agreeing (rule: string) (what: string) (paths: Lazy<string[]>) (specs: Spec[]) (made: Tensor[]) : Tensor[] =
    if made.Length <> specs.Length then
        invalidOp
            $"{rule}: the rule returns {made.Length} {what}s for {specs.Length} tensors; there must be one for each, arranged as they are"

    Array.map3
        (fun (t: Tensor) (s: Spec) i ->
            if not (s.DType.IsFloat()) then
                null
            elif Shape.same t.Shape s.Shape && t.DType = s.DType then
                t
            else
                let path = paths.Value[i]
                let name = if path = "" then "" else $" of {path}"

                invalidOp
                    $"{rule}: the rule returns a {what}{name} of {t.DType} {Shape.show t.Shape} for a value of {s.DType} {Shape.show s.Shape}; they must agree")
        made
        specs
        [| 0 .. made.Length - 1 |]

/// How the results and residuals of one forward pass are arranged.
[<Sealed>]
type private Form<'Q, 'R>(result: 'Q, residual: 'R) =
    member _.Result = result
    member _.Residual = residual

[<Sealed>]
type private TreeReverseRule<'P, 'Q, 'R>
    (name, input: 'P, specs: Spec[], forward: 'P -> 'Q * 'R, backward: 'R -> 'Q -> 'P, seen: 'Q -> unit) =
    inherit ReverseRule(name)
    let paths = lazy (Tree.paths input)

    override _.Forward inputs =
        let q, r = forward (Tree.rebuild input inputs)
        let form = Form<'Q, 'R>(hollow q, hollow r)
        seen form.Result

        { Results = Tree.leaves q; Residuals = Tree.leaves r; Form = form }

    override _.Backward(form, residuals, cotangents) =
        let form = form :?> Form<'Q, 'R>

        backward (Tree.rebuild form.Residual residuals) (Tree.rebuild form.Result cotangents)
        |> Tree.leaves
        |> agreeing name "cotangent" paths specs

/// A function with a reverse rule of its own: `forward` gives the result and the residuals, `backward` takes residuals
/// and the cotangent of the result to the cotangent of the argument: linear in that, and of the argument's shapes and types
/// (what it returns in the place of integers is not looked at). Both are ordinary functions of tensors.
///
/// Derivatives of any order follow the rule: those of `backward` are its ordinary ones, and a residual that is a result, or
/// computed from it, depends on the argument as the rule says. What `forward` and `backward` close over is carried along;
/// to differentiate it is an error, since the rule says nothing of it, unless the argument is constant there.
/// Example: `customReverse "exp" (fun x -> let y = exp x in y, y) (fun y ct -> y * ct) x`.
let customReverse (name: string) (forward: 'P -> 'Q * 'R) (backward: 'R -> 'Q -> 'P) (p: 'P) : 'Q =
    let xs = Tree.leaves p
    let result = ref Unchecked.defaultof<'Q>

    let rule =
        TreeReverseRule(name, hollow p, Array.map Tensor.specOf xs, forward, backward, (fun q -> result.Value <- q))

    let ys = perform rule xs
    Tree.rebuild result.Value ys

[<Sealed>]
type private TreeForwardRule<'P, 'Q>(name, input: 'P, f: 'P -> 'Q, tangent: 'P -> 'Q -> 'P -> 'Q, result: 'Q ref) =
    inherit ForwardRule(name)

    override _.Apply inputs =
        let q = f (Tree.rebuild input inputs)
        result.Value <- hollow q
        Tree.leaves q

    override _.Tangents(inputs, results, tangents) =
        let like = result.Value

        tangent (Tree.rebuild input inputs) (Tree.rebuild like results) (Tree.rebuild input (orZeros inputs tangents))
        |> Tree.leaves
        |> agreeing name "tangent" (lazy (Tree.paths like)) (Array.map Tensor.specOf results)

/// A function with a forward rule of its own: `tangent` takes argument, result and the argument's tangent to the
/// result's tangent: linear in the argument's, and of the result's shapes and types. The reverse direction is derived from
/// it.
///
/// Derivatives of any order follow the rule: those of `tangent` are its ordinary ones, in which the result depends on the
/// argument as the rule says. So it can go around what has no derivative of its own, a `whileLoop` that solves an equation
/// for instance. What both functions close over is carried along; to differentiate it is an error, since the rule says
/// nothing of it, unless the argument is constant there.
/// Example: `customForward "root" newton (fun a x da -> 0.5 * da / x) a`.
let customForward (name: string) (f: 'P -> 'Q) (tangent: 'P -> 'Q -> 'P -> 'Q) (p: 'P) : 'Q =
    let result = ref Unchecked.defaultof<'Q>
    let ys = perform (TreeForwardRule(name, hollow p, f, tangent, result)) (Tree.leaves p)
    Tree.rebuild result.Value ys

/// The same function, whose reverse pass stores only its argument and what it closes over, and computes the rest again,
/// when the cotangent is there: memory for time. It does so eager and compiled. The function may close over parameters;
/// their derivative flows. Where it reads numbers to decide what to do (host `if` and `while`) it may not.
/// Example: `checkpoint (fun x -> block p x) x`; see `scanCheckpointed` for loops.
let checkpoint (f: 'P -> 'Q) (p: 'P) : 'Q =
    let xs = Tree.leaves p
    let result = ref Unchecked.defaultof<'Q>

    match Trace.tryClosed (Array.map Tensor.specOf xs) (onTree f p result) with
    | ValueSome(graph, captured) ->
        let ys = Tensor.Bind(Custom(Checkpoint graph), Array.append captured xs)
        Tree.rebuild result.Value ys
    | ValueNone ->
        let again p ct =
            let xs, cts = Tree.leaves p, Tree.leaves ct |> Array.map stopGradient
            let tied = Tensor.Bind(Custom(Barrier xs.Length), Array.append xs cts)
            snd (vjp f (Tree.rebuild p tied)) ct

        customReverse "checkpoint" (fun p -> f p, p) again p
