/// Control flow that stages: under grad and jvp host `if`, `while` and recursion just work, but under vmap and compile
/// there is no one value to branch on, and these are what to use.
[<AutoOpen>]
module Functional.Control

open Functional.Operations
open Functional.Levels

/// Whether a tensor's value can be looked at now.
let rec private known (t: Tensor) =
    match t with
    | :? Concrete -> true
    | :? Recorded as r -> known r.Primal
    | :? Dual as d -> known d.Primal
    | _ -> false

/// A function of trees as a graph, with what it closes over, and the structure of what it returned.
let private traced (inputs: Spec[]) (f: Tensor[] -> 'Q) : Graph * Tensor[] * 'Q =
    let result = ref Unchecked.defaultof<'Q>

    let graph, captured =
        Trace.closed inputs (fun v ->
            result.Value <- f v
            Tree.leaves result.Value)

    graph, captured, result.Value

/// Two graphs over the same inputs: what either closes over comes first, then the operands.
let private alike (specs: Spec[]) (graphs: (Graph * Tensor[])[]) : Graph[] * Tensor[] =
    let captured =
        graphs
        |> Array.collect snd
        |> Array.distinctBy System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode

    let place (t: Tensor) = captured |> Array.findIndex (fun c -> obj.ReferenceEquals(c, t))

    let widen (g: Graph, own: Tensor[]) =
        Trace.graph (Array.append (Array.map Tensor.specOf captured) specs) (fun v ->
            Trace.replay g (Array.append (own |> Array.map (fun t -> v[place t])) (Array.skip captured.Length v)))

    Array.map widen graphs, captured

let private requireAlike what (a: Spec[]) (b: Spec[]) =
    let show (specs: Spec[]) = specs |> Array.map (fun s -> $"{s.DType} {Shape.show s.Shape}") |> String.concat ", "

    if
        a.Length <> b.Length
        || not (Array.forall2 (fun (x: Spec) (y: Spec) -> x.DType = y.DType && Shape.same x.Shape y.Shape) a b)
    then
        invalidArg "f" $"{what} must agree in shapes and types; they are ({show a}) and ({show b})"

/// `whenTrue operand` where the condition, a single Bool, holds; else `whenFalse operand`. Where the condition is known
/// only the branch that is taken runs; under compile both are staged and one runs; under vmap, where examples differ,
/// both run and `where` chooses.
let cond (condition: Tensor) (whenTrue: 'P -> 'Q) (whenFalse: 'P -> 'Q) (operand: 'P) : 'Q =
    if condition.Rank <> 0 || condition.DType <> DType.Bool then
        invalidArg
            "condition"
            $"cond: the condition is a single Bool, not {condition.DType} {Shape.show condition.Shape}"

    if known condition then
        if Tensor.toBool (Tensor.detach condition) then
            whenTrue operand
        else
            whenFalse operand
    else
        let xs = Tree.leaves operand
        let specs = Array.map Tensor.specOf xs
        let one, capturedOne, result = traced specs (fun v -> whenTrue (Tree.rebuild operand v))
        let other, capturedOther, _ = traced specs (fun v -> whenFalse (Tree.rebuild operand v))
        requireAlike "cond: the results of both branches" one.OutputSpecs other.OutputSpecs
        let graphs, captured = alike specs [| one, capturedOne; other, capturedOther |]
        let ys = Tensor.Bind(Cond(graphs[0], graphs[1]), Array.concat [ [| condition |]; captured; xs ])
        Tree.rebuild result ys

/// Applies the body as long as the condition, a single Bool, holds. Forward mode differentiates it; reverse mode needs
/// `scan`, whose length is known.
let whileLoop (condition: 'P -> Tensor) (body: 'P -> 'P) (start: 'P) : 'P =
    let xs = Tree.leaves start
    let specs = Array.map Tensor.specOf xs
    let test, capturedTest, _ = traced specs (fun v -> condition (Tree.rebuild start v))
    let step, capturedStep, _ = traced specs (fun v -> body (Tree.rebuild start v))
    requireAlike "whileLoop: start and what the body returns" specs step.OutputSpecs
    let bool: Spec = { Shape = Shape.scalar; DType = DType.Bool }
    requireAlike "whileLoop: the condition's result and a single Bool" test.OutputSpecs [| bool |]
    let graphs, captured = alike specs [| test, capturedTest; step, capturedStep |]
    let op = While { Condition = graphs[0]; Body = graphs[1]; Constants = captured.Length }
    Tree.rebuild start (Tensor.Bind(op, Array.append captured xs))

let private scanFrom fromEnd (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y =
    let carry, moving = Tree.leaves start, Tree.leaves xs

    let length =
        match moving |> Array.map (fun x -> if x.Rank = 0 then -1 else x.Shape[0]) |> Array.distinct with
        | [| n |] when n >= 0 -> n
        | [||] ->
            invalidArg "xs" "scan: there is no tensor to loop over; give at least one, its first axis is the length"
        | sizes ->
            invalidArg
                "xs"
                $"scan: all tensors to loop over need a first axis of one size; they have {Shape.show sizes}"

    let specs =
        Array.append
            (Array.map Tensor.specOf carry)
            (moving |> Array.map (fun x -> { Shape = x.Shape[1..]; DType = x.DType }))

    let graph, captured, (_, y) =
        traced specs (fun v ->
            body (Tree.rebuild start (Array.take carry.Length v)) (Tree.rebuild xs (Array.skip carry.Length v)))

    requireAlike
        "scan: the start and the carry that the body returns"
        (Array.map Tensor.specOf carry)
        (Array.take carry.Length graph.OutputSpecs)

    let op =
        Scan {
            Body = graph
            Constants = captured.Length
            Carry = carry.Length
            Length = length
            FromEnd = fromEnd
        }

    let found = Tensor.Bind(op, Array.concat [ captured; carry; moving ])
    Tree.rebuild start (Array.take carry.Length found), Tree.rebuild y (Array.skip carry.Length found)

/// A loop over the first axis of `xs`, with a carry: the body takes the carry and one place of `xs` to the next carry and
/// one place of the result. Returns the last carry and the results stacked. The body is traced once, so its cost to
/// compile does not grow with the length; it differentiates in both modes, batches and compiles.
/// Example: `scan (fun s x -> s + x, s + x) (scalar 0.0) xs` is the running sum.
let scan (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y = scanFrom false body start xs

/// `scan` from the last place to the first.
let scanBack (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y = scanFrom true body start xs

/// `scan` in segments whose inside is computed again in the reverse pass: memory for residuals goes with
/// length/segments + segments instead of the length. The length must be a multiple of the number of segments.
let scanCheckpointed (segments: int) (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y =
    let cut (x: Tensor) =
        if segments < 1 || x.Rank = 0 || x.Shape[0] % segments <> 0 then
            invalidArg
                "segments"
                $"scanCheckpointed: {segments} segments do not divide the first axis of {Shape.show x.Shape}"

        reshape (Array.append [| segments; x.Shape[0] / segments |] x.Shape[1..]) x

    let join (y: Tensor) = reshape (Array.append [| y.Shape[0] * y.Shape[1] |] y.Shape[2..]) y
    let last, ys = scan (fun c x -> checkpoint (fun (c, x) -> scan body c x) (c, x)) start (Tree.map cut xs)
    last, Tree.map join ys
