namespace Functional.Levels

// Rules of the user's own that close over tensors: what they close over becomes hidden inputs, as that of the bodies of
// loops does. A graph can then be run again with other values, and an example's value goes with its example.

open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

/// A forward rule as two graphs: hidden ++ inputs ↦ results, and hidden ++ inputs ++ results ++ tangents ↦ tangents of the
/// results.
[<Sealed>]
type internal HoistedForward(rule: ForwardRule, hidden: int, apply: Graph, tangents: Graph, given: bool[]) =
    inherit ForwardRule(rule.Name)
    override _.Hidden = hidden
    override _.Original = rule.Original
    override _.Infer _ = apply.OutputSpecs
    override _.Open _ = ValueSome apply
    override _.Apply inputs = Trace.replay apply inputs

    override _.Tangents(inputs, results, ts) =
        let ts =
            Array.map2 (fun (t: Tensor) (x: Tensor) -> if isNull t then Many.zeros (Tensor.specOf x) else t) ts inputs

        Trace.replay tangents (Array.concat [ inputs; results; Array.skip hidden ts ]) |> Mask.spread given

/// A reverse rule as two graphs: hidden ++ inputs ↦ results ++ residuals, and hidden ++ residuals ++ cotangents ↦ cotangents
/// of those inputs that get one.
[<Sealed>]
type internal HoistedReverse
    (rule: ReverseRule, hidden: int, results: int, forward: Graph, form: obj, backward: Graph, given: bool[]) =
    inherit ReverseRule(rule.Name)
    override _.Hidden = hidden
    override _.Original = rule.Original
    override _.Infer _ = Array.take results forward.OutputSpecs

    override _.Open _ =
        ValueSome(
            Graphs.live (Graph(forward.Inputs, forward.Instructions, forward.Specs, Array.take results forward.Outputs))
        )

    override _.Forward inputs =
        let found = Trace.replay forward inputs

        {
            Results = Array.take results found
            Residuals = Array.append (Array.take hidden inputs) (Array.skip results found)
            Form = form
        }

    override _.Backward(_, residuals, cotangents) =
        let own = Trace.replay backward (Array.append residuals cotangents) |> Mask.spread given
        Array.append (Array.zeroCreate hidden) own

[<RequireQualifiedAccess>]
module internal Hoist =

    /// Null is left out of a graph's results; where it was.
    let private compact (given: bool[] ref) (ts: Tensor[]) =
        given.Value <- ts |> Array.map (isNull >> not)
        ts |> Array.filter (isNull >> not)

    let private forward (rule: ForwardRule) (specs: Spec[]) =
        match Trace.tryClosed specs rule.Apply with
        | ValueNone -> ValueNone
        | ValueSome(g, ofG) ->
            let given = ref [||]
            let n, results = specs.Length, g.OutputSpecs

            let tangents (v: Tensor[]) =
                rule.Tangents(Array.take n v, v[n .. n + results.Length - 1], Array.skip (n + results.Length) v)
                |> compact given

            match Trace.tryClosed (Array.concat [ specs; results; specs ]) tangents with
            | ValueNone -> ValueNone
            | ValueSome(h, ofH) ->
                let graphs, captured = Trace.together [| g, ofG; h, ofH |]
                let hoisted = HoistedForward(rule, captured.Length, graphs[0], graphs[1], given.Value)
                ValueSome(struct (hoisted :> CustomRule, captured))

    let private reverse (rule: ReverseRule) (specs: Spec[]) =
        let mutable form, count = null, 0

        let pass (v: Tensor[]) =
            let p = rule.Forward v
            form <- p.Form
            count <- p.Results.Length
            Array.append p.Results p.Residuals

        match Trace.tryClosed specs pass with
        | ValueNone -> ValueNone
        | ValueSome(g, ofG) ->
            let given = ref [||]
            let results, residuals = Array.splitAt count g.OutputSpecs

            let backward (v: Tensor[]) =
                let residuals, cts = Array.splitAt residuals.Length v
                rule.Backward(form, residuals, cts) |> compact given

            match Trace.tryClosed (Array.append residuals results) backward with
            | ValueNone -> ValueNone
            | ValueSome(h, ofH) ->
                let graphs, captured = Trace.together [| g, ofG; h, ofH |]

                let hoisted =
                    HoistedReverse(rule, captured.Length, results.Length, graphs[0], form, graphs[1], given.Value)

                ValueSome(struct (hoisted :> CustomRule, captured))

    /// The rule over what it closes over and its inputs; nothing where it reads numbers, or closes over nothing.
    let rule (rule: CustomRule) (specs: Spec[]) : struct (CustomRule * Tensor[]) voption =
        let found =
            match rule with
            | :? ForwardRule as r -> forward r specs
            | :? ReverseRule as r -> reverse r specs
            | _ -> ValueNone

        match found with
        | ValueSome(struct (_, [||])) -> ValueNone
        | _ -> found
