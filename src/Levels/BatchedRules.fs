namespace Functional.Levels

// Users' rules, applied to every example of a batch; so are their derivatives.

open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

/// A user's rule, applied to every example of a batch; so is its derivative. `inputs` are those of one example.
[<Sealed>]
type internal BatchedReverseRule
    (rule: ReverseRule, over: (Tensor[] -> Tensor[]) -> bool[] -> Tensor[] -> Tensor[], mapped: bool[], inputs: Spec[])
    =
    inherit ReverseRule(rule.Name)
    override _.Hidden = rule.Hidden
    override _.Original = rule.Original
    override _.Apply inputs = over rule.Apply mapped inputs

    override _.Forward inputs =
        let mutable results, form = 0, null

        let both (xs: Tensor[]) =
            let pass = rule.Forward xs
            results <- pass.Results.Length
            form <- pass.Form
            Array.append pass.Results pass.Residuals

        let outs = over both mapped inputs

        {
            Results = Array.take results outs
            Residuals = Array.skip results outs
            Form = form
        }

    /// Example by example, since a result that is the same for all of them is spread over the batch after the residuals
    /// were made of it: cut there, these would not depend on it.
    override _.Resume(inputs, results) =
        let form = ref null

        let resume (all: Tensor[]) =
            let xs, outs = Array.splitAt inputs.Length all
            let pass = Many.forwardPass rule xs outs
            form.Value <- pass.Form
            pass.Residuals

        let each = Array.append mapped (Array.create results.Length true)
        let residuals = over resume each (Array.append inputs results)
        ValueSome { Results = results; Residuals = residuals; Form = form.Value }

    override _.Backward(form, residuals, cts) =
        let isFloat = inputs |> Array.map (fun s -> s.DType.IsFloat())

        let backward (all: Tensor[]) =
            let residuals, cts = Array.splitAt residuals.Length all

            rule.Backward(form, residuals, cts)
            |> Array.mapi (fun i ct -> if isNull ct then Many.zeros inputs[i] else ct)
            |> Mask.take isFloat

        let all = Array.append residuals cts
        let gradients = over backward (Array.create all.Length true) all |> Mask.spread isFloat

        // an input shared by the whole batch collects from every example
        Array.map2 (fun each g -> if each || isNull g then g else sumOver [ 0 ] g) mapped gradients

/// A user's forward rule, applied to every example of a batch.
[<Sealed>]
type internal BatchedForwardRule
    (rule: ForwardRule, over: (Tensor[] -> Tensor[]) -> bool[] -> Tensor[] -> Tensor[], mapped: bool[]) =
    inherit ForwardRule(rule.Name)
    override _.Hidden = rule.Hidden
    override _.Original = rule.Original
    override _.Apply inputs = over rule.Apply mapped inputs

    override _.Tangents(inputs, results, tangents) =
        let present = tangents |> Array.map (isNull >> not)
        let n, m = inputs.Length, results.Length

        let each (all: Tensor[]) =
            let ts = Array.skip (n + m) all |> Mask.spread present
            let outs = rule.Tangents(Array.take n all, all[n .. n + m - 1], ts)

            Array.map2
                (fun (t: Tensor) (y: Tensor) -> if isNull t then Tensor.zerosLike y else t)
                outs
                all[n .. n + m - 1]

        let axes = Array.concat [ mapped; Array.create m true; Mask.take present mapped ]
        over each axes (Array.concat [ inputs; results; Mask.take present tangents ])
