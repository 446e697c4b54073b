/// How the primitives with many inputs or results are recorded: the linear ones by their transposes, the
/// decompositions by their differentials, users' rules by what they bring.
module internal Functional.Levels.Many

open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

let internal zeros (s: Spec) = Tensor.full s.DType s.Shape 0.0

/// The transpose of a linear function, at a cotangent: the function is recorded at zeros and swept. `rule` is the user's
/// rule it belongs to, or null. `inputs` says where the function may be fed, `active` which of its inputs matter; null
/// stands for zero.
let rec transposed
    (rule: External)
    (f: Tensor[] -> Tensor[])
    (inputs: Spec[])
    (active: bool[])
    (cts: Tensor[])
    : Tensor[] =
    let level = RecordLevel("transposition", false, record)
    level.Linear <- rule

    let outs =
        try
            f (Array.map2 (fun s on -> if on then level.Input(zeros s) else null) inputs active)
        finally
            level.Close()

    if not (isNull (box rule)) then
        level.RequireZero outs

    let outputs = [|
        for i in 0 .. outs.Length - 1 do
            if not (isNull outs[i]) && not (isNull cts[i]) then
                let n = level.NodeOf outs[i]

                if not (isNull n) then
                    struct (n, cts[i])
    |]

    // only the active inputs are on the tape, in order
    Sweep.run outputs (active |> Array.filter id |> Array.length) null |> Mask.spread active

and private recordLinear (l: RecordLevel) (op: LinearAlgebra) (onFailure: OnFailure) (xs: Tensor[]) (ns: Node[]) =
    let outs = Tensor.Bind(ManyOp.Linear(op, onFailure), xs)
    let inputs = xs.Length
    let specs = Array.map Tensor.specOf xs
    let active = ns |> Array.map (isNull >> not)

    l.Many(
        outs,
        fun id -> {
            new ManyNode(id, ns, Array.append xs outs, Array.map Tensor.specOf outs) with
                member _.Pull(residuals, cts) =
                    let xs, ys = Array.splitAt inputs residuals

                    match op with
                    // linear in the right-hand side: the transpose ends the derivation
                    | Solve when not active[0] -> [|
                        null
                        Tensor.Bind(ManyOp.Linear(Solve, onFailure), [| transpose xs[0]; cts[0] |])[0]
                      |]
                    | TriangularSolve(lower, t) when not active[0] -> [|
                        null
                        Tensor.Bind(ManyOp.Linear(TriangularSolve(lower, not t), onFailure), [| xs[0]; cts[0] |])[0]
                      |]
                    | Solve
                    | TriangularSolve _
                    | Cholesky
                    | Qr
                    | SignLogDeterminant
                    | Determinant
                    | Adjugate
                    | SymmetricEigen
                    | Svd ->
                        transposed
                            Unchecked.defaultof<External>
                            (Differential.tangents op onFailure xs ys)
                            specs
                            active
                            cts
        }
    )

/// What a reverse rule's backward pass needs, at inputs that outer transformations may differentiate, given the results as
/// those see them. The residuals are cut from the forward pass where the results are, so that what depends on the inputs
/// by way of these follows the rule, too.
and internal forwardPass (rule: ReverseRule) (xs: Tensor[]) (outs: Tensor[]) : ForwardPass =
    if xs |> Array.forall (fun x -> isNull x.Level) then
        rule.Forward xs
    else
        match rule.Resume(xs, outs) with
        | ValueSome pass -> pass
        | ValueNone ->
            let mutable form = null

            let traced =
                Trace.tryClosed (Array.map Tensor.specOf xs) (fun v ->
                    let pass = rule.Forward v
                    form <- pass.Form
                    Array.append pass.Results pass.Residuals)

            match traced with
            | ValueSome(g, captured) ->
                let results, residuals = Array.splitAt outs.Length g.Outputs
                // a result that is an argument as it came stays one
                let cut = [|
                    for k in 0 .. results.Length - 1 do
                        if results[k] >= g.Inputs && System.Array.IndexOf(results, results[k]) = k then
                            k
                |]

                let rest =
                    Graphs.extract
                        g
                        (Array.append [| 0 .. g.Inputs - 1 |] (cut |> Array.map (fun k -> results[k])))
                        residuals

                {
                    Results = outs
                    Residuals = Trace.replay rest (Array.concat [ captured; xs; cut |> Array.map (fun k -> outs[k]) ])
                    Form = form
                }
            | ValueNone ->
                // it reads numbers and can only be run; what it hands on of its results is replaced by these
                let pass = rule.Forward xs
                let is (t: Tensor) (s: Tensor) = obj.ReferenceEquals(t, s)

                let placed (t: Tensor) =
                    if Array.exists (is t) xs then
                        t
                    else
                        match Array.tryFindIndex (is t) pass.Results with
                        | Some k -> outs[k]
                        | None -> t

                {
                    Results = outs
                    Residuals = Array.map placed pass.Residuals
                    Form = pass.Form
                }

and private recordRule (l: RecordLevel) (rule: External) (xs: Tensor[]) (ns: Node[]) =
    let specs = Array.map Tensor.specOf xs
    let active = ns |> Array.map (isNull >> not)

    /// What user code was given or made may be held by it, or be a constant of its own: it is never released.
    let expose (ts: Tensor[]) =
        for t in ts do
            if not (isNull t) then
                RecordLevel.Expose t

        ts

    /// The results follow the rule at outer levels, too.
    let perform (rule: CustomRule) =
        Closure.refuseHidden l rule (fun i -> active[i])
        Closure.perform l rule xs |> expose

    match rule with
    | :? ReverseRule as r ->
        // where nobody else looks, once is enough
        let pass =
            if xs |> Array.forall (fun x -> isNull x.Level) then
                Closure.refuseHidden l r (fun i -> active[i])
                let pass = r.Forward xs
                Closure.refuse l r pass.Results |> expose |> ignore
                pass
            else
                forwardPass r xs (perform r)

        Closure.refuse l r pass.Residuals |> expose |> ignore
        let outs, form = pass.Results, pass.Form

        l.Many(
            outs,
            fun id -> {
                new ManyNode(id, ns, pass.Residuals, Array.map Tensor.specOf outs) with
                    member node.Pull(residuals, cts) =
                        let cts = cts |> Array.mapi (fun i ct -> if isNull ct then zeros node.Results[i] else ct)
                        Closure.after l r (fun () -> r.BackwardOf(active, form, residuals, expose cts)) |> expose
            }
        )
    | :? ForwardRule as r ->
        let outs = perform r

        l.Many(
            outs,
            fun id -> {
                new ManyNode(id, ns, Array.append xs outs, Array.map Tensor.specOf outs) with
                    member _.Pull(residuals, cts) =
                        let xs, ys = Array.splitAt specs.Length residuals

                        Closure.after l r (fun () ->
                            transposed r (fun ts -> r.Tangents(xs, ys, ts)) specs active (expose cts))
                        |> expose
            }
        )
    | _ -> invalidOp $"{rule.Name} has no derivative: give it one with customForward or customReverse"

/// What a node keeps of a linearised graph, given the inputs and all of the forward graph's results.
and private residualsOf (lin: Linearized) (xs: Tensor[]) (extra: Tensor[]) =
    lin.Residuals
    |> Array.map (function
        | OfInput i -> xs[i]
        | Computed k -> extra[k])

/// Cotangents of the float outputs, with zeros where none arrived.
and private filled (results: Spec[]) (places: int[]) (cts: Tensor[]) =
    places |> Array.map (fun i -> if isNull cts[i] then zeros results[i] else cts[i])

and private recordCall (l: RecordLevel) (p: Program) (xs: Tensor[]) (ns: Node[]) =
    let active = ns |> Array.map (isNull >> not)
    let lin = Linearize.graph record p.Graph active
    let forward = p.Derive(Derived.Forward active, (fun () -> lin.Forward))
    let backward = p.Derive(Derived.Backward active, (fun () -> lin.Backward))
    let results = p.Graph.Outputs.Length
    let outs, extra = Tensor.Bind(Call forward, xs) |> Array.splitAt results

    l.Many(
        outs,
        fun id -> {
            new ManyNode(id, ns, residualsOf lin xs extra, Array.map Tensor.specOf outs) with
                member node.Pull(residuals, cts) =
                    let found = Tensor.Bind(Call backward, Array.append residuals (filled node.Results lin.Floats cts))
                    let all = Array.zeroCreate node.Parents.Length
                    lin.Gradients |> Array.iteri (fun k i -> all[i] <- found[k])
                    all
        }
    )

/// Both branches linearised; each returns the residuals of both. The other's are ones: where examples differ both branches
/// run, and a quotient by a zero nobody looks at would come back through a further derivative.
and private recordCond (l: RecordLevel) (whenTrue: Graph) (whenFalse: Graph) (xs: Tensor[]) (ns: Node[]) =
    let active = ns[1..] |> Array.map (isNull >> not)
    let lins = [| Linearize.graph record whenTrue active; Linearize.graph record whenFalse active |]
    let results = whenTrue.Outputs.Length
    let operands = Array.map Tensor.specOf xs[1..]
    let extras = lins |> Array.map (fun lin -> lin.Forward.OutputSpecs[results..])
    let staged value (s: Spec) = broadcastTo s.Shape (Tensor.full s.DType [] value)
    let unused (s: Spec) = staged (if s.DType.IsFloat() then 1.0 else 0.0) s

    let forward which =
        Trace.graph operands (fun v ->
            let outs, mine = Trace.replay lins[which].Forward v |> Array.splitAt results
            let others = extras[1 - which] |> Array.map unused
            Array.concat [ outs; (if which = 0 then mine else others); (if which = 0 then others else mine) ])

    let all = Tensor.Bind(Cond(forward 0, forward 1), xs)
    let outs, extra = Array.splitAt results all
    let floats = lins[0].Floats

    l.Many(
        outs,
        fun id -> {
            new ManyNode(id, ns, Array.append xs extra, Array.map Tensor.specOf outs) with
                member node.Pull(residuals, cts) =
                    let cts = filled node.Results floats cts
                    let inputs = Array.append residuals[1..] cts

                    let backward which =
                        Trace.graph (Array.map Tensor.specOf inputs) (fun v ->
                            let operandsNow, rest = Array.splitAt operands.Length v
                            let residualsNow, ctsNow = Array.splitAt (extras[0].Length + extras[1].Length) rest

                            let mine =
                                if which = 0 then
                                    Array.take extras[0].Length residualsNow
                                else
                                    Array.skip extras[0].Length residualsNow

                            let lin = lins[which]

                            let found =
                                Trace.replay lin.Backward (Array.append (residualsOf lin operandsNow mine) ctsNow)

                            operandsNow
                            |> Array.mapi (fun i x ->
                                match System.Array.IndexOf(lin.Gradients, i) with
                                | -1 -> staged 0.0 (Tensor.specOf x)
                                | k -> found[k]))

                    let found = Tensor.Bind(Cond(backward 0, backward 1), Array.append [| residuals[0] |] inputs)
                    Array.append [| null |] (Array.mapi (fun i g -> if active[i] then g else null) found)
        }
    )

/// The record level's work for a ManyOp, at primals `xs` with nodes `ns` (null where not differentiated).
and record (l: RecordLevel) (op: ManyOp) (xs: Tensor[]) (ns: Node[]) : Tensor[] =
    match op with
    | Concat axis ->
        let outs = Tensor.Bind(op, xs)
        let sizes = xs |> Array.map (fun x -> x.Shape[axis])

        l.Many(
            outs,
            fun id -> {
                new ManyNode(id, ns, [||], Array.map Tensor.specOf outs) with
                    member _.Pull(_, cts) = Tensor.Bind(Split(axis, sizes), [| cts[0] |])
            }
        )
    | Split(axis, _) ->
        let outs = Tensor.Bind(op, xs)

        l.Many(
            outs,
            fun id -> {
                new ManyNode(id, ns, [||], Array.map Tensor.specOf outs) with
                    member node.Pull(_, cts) =
                        let cts = cts |> Array.mapi (fun i ct -> if isNull ct then zeros node.Results[i] else ct)
                        Tensor.Bind(Concat axis, cts)
            }
        )
    | Linear(op, onFailure) -> recordLinear l op onFailure xs ns
    | Scan s -> Loop.record record l s xs ns
    | Cond(whenTrue, whenFalse) -> recordCond l whenTrue whenFalse xs ns
    | While _ ->
        invalidOp
            "whileLoop: reverse mode would have to remember a number of steps that is not known; use scan, which has a length, or forward mode (jvp)"
    | Call p -> recordCall l p xs ns
    | Custom rule -> recordRule l rule xs ns

/// Tangents of the results of a ManyOp; null stands for zero on both sides.
let tangents (op: ManyOp) (xs: Tensor[]) (ys: Tensor[]) (ts: Tensor[]) : Tensor[] =
    let full () = Array.map2 (fun (t: Tensor) x -> if isNull t then zeros (Tensor.specOf x) else t) ts xs

    match op with
    | Concat _
    | Split _ -> Tensor.Bind(op, full ())
    | Linear(op, onFailure) -> Differential.tangents op onFailure xs ys ts
    | Scan _
    | Cond _
    | While _
    | Call _ -> invalidOp "internal: forward mode makes the graphs of control flow itself"
    | Custom rule ->
        match rule with
        | :? BothWaysRule as r -> r.Tangents(xs, ys, ts)
        | :? ForwardRule as r -> r.Tangents(xs, ys, ts)
        | :? ReverseRule as r ->
            // J·t is the transpose of ct ↦ Jᵀ·ct
            let pass = forwardPass r xs ys
            let active = ts |> Array.map (isNull >> not)
            let backward (cts: Tensor[]) = r.BackwardOf(active, pass.Form, pass.Residuals, cts)
            transposed r backward (Array.map Tensor.specOf ys) (Array.create ys.Length true) ts
        | _ -> invalidOp $"{rule.Name} has no derivative: give it one with customForward or customReverse"
