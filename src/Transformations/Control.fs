/// Control flow that stages: under grad and jvp host `if`, `while` and recursion just work, but under vmap and compile
/// there is no one value to branch on, and these are what to use.
[<AutoOpen>]
module Functional.Control

open Functional.Operations
open Functional.Levels
open Functional.Tracing

/// A function of trees as a graph, with what it closes over, and the structure of what it returned.
let private traced (inputs: Spec[]) (f: Tensor[] -> 'Q) : Graph * Tensor[] * 'Q =
    let result = ref Unchecked.defaultof<'Q>

    let graph, captured =
        Trace.lifted inputs (fun v ->
            result.Value <- f v
            Tree.leaves result.Value)

    graph, captured, result.Value

let private requireAlike what (a: Spec[]) (b: Spec[]) =
    let show (specs: Spec[]) = specs |> Array.map (fun s -> $"{s.DType} {Shape.show s.Shape}") |> String.concat ", "

    if
        a.Length <> b.Length
        || not (Array.forall2 (fun (x: Spec) (y: Spec) -> x.DType = y.DType && Shape.same x.Shape y.Shape) a b)
    then
        invalidArg "f" $"{what} must agree in shapes and types; they are ({show a}) and ({show b})"

/// `whenTrue operand` where the condition, a single Bool, holds; else `whenFalse operand`. Where the condition is known
/// only the branch that is taken runs; under compile both are staged and one runs. Under vmap each branch runs for the
/// examples that take it: those that do not can neither fail in it nor send a NaN through its derivative.
let cond (condition: Tensor) (whenTrue: 'P -> 'Q) (whenFalse: 'P -> 'Q) (operand: 'P) : 'Q =
    Returned.requireTensors<'Q> "cond"

    if condition.Rank <> 0 || condition.DType <> DType.Bool then
        invalidArg
            "condition"
            $"cond: the condition is a single Bool, not {condition.DType} {Shape.show condition.Shape}"

    if Branching.known condition then
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
        let graphs, captured = Trace.together [| one, capturedOne; other, capturedOther |]
        let ys = Tensor.Bind(Cond(graphs[0], graphs[1]), Array.concat [ [| condition |]; captured; xs ])
        Tree.rebuild result ys

/// Applies the body as long as the condition, a single Bool, holds. Under vmap every example takes its own number of
/// steps. Forward mode differentiates it; reverse mode needs `scan`, whose length is known.
let whileLoop (condition: 'P -> Tensor) (body: 'P -> 'P) (start: 'P) : 'P =
    let xs = Tree.leaves start
    let specs = Array.map Tensor.specOf xs
    let test, capturedTest, _ = traced specs (fun v -> condition (Tree.rebuild start v))
    let step, capturedStep, _ = traced specs (fun v -> body (Tree.rebuild start v))
    requireAlike "whileLoop: start and what the body returns" specs step.OutputSpecs
    let bool: Spec = { Shape = Shape.scalar; DType = DType.Bool }
    requireAlike "whileLoop: the condition's result and a single Bool" test.OutputSpecs [| bool |]
    let graphs, captured = Trace.together [| test, capturedTest; step, capturedStep |]
    let op = While { Condition = graphs[0]; Body = graphs[1]; Constants = captured.Length }
    Tree.rebuild start (Tensor.Bind(op, Array.append captured xs))

/// A scan as it is staged: its body as a graph, what that closes over, its operands, and the structure of its results.
type private Staging<'C, 'Y> = {
    Name: string
    Body: Graph
    Captured: Tensor[]
    Carry: Tensor[]
    Moving: Tensor[]
    Length: int
    /// The last carry and the stacked results as trees.
    Rebuild: Tensor[] -> 'C * 'Y
}

let private stage name (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : Staging<'C, 'Y> =
    Returned.requireTensors<'Y> name
    let carry, moving = Tree.leaves start, Tree.leaves xs

    let length =
        match moving |> Array.map (fun x -> if x.Rank = 0 then -1 else x.Shape[0]) |> Array.distinct with
        | [| n |] when n >= 0 -> n
        | [||] ->
            invalidArg "xs" $"{name}: there is no tensor to loop over; give at least one, its first axis is the length"
        | sizes ->
            invalidArg
                "xs"
                $"{name}: all tensors to loop over need a first axis of one size; they have {Shape.list sizes}"

    let specs =
        Array.append
            (Array.map Tensor.specOf carry)
            (moving |> Array.map (fun x -> { Shape = x.Shape[1..]; DType = x.DType }))

    let graph, captured, (_, y) =
        traced specs (fun v ->
            body (Tree.rebuild start (Array.take carry.Length v)) (Tree.rebuild xs (Array.skip carry.Length v)))

    requireAlike
        $"{name}: the start and the carry that the body returns"
        (Array.map Tensor.specOf carry)
        (Array.take carry.Length graph.OutputSpecs)

    {
        Name = name
        Body = graph
        Captured = captured
        Carry = carry
        Moving = moving
        Length = length
        Rebuild =
            fun found ->
                Tree.rebuild start (Array.take carry.Length found), Tree.rebuild y (Array.skip carry.Length found)
    }

/// The loop over some places: the last carry and what is stacked.
let private loop fromEnd (s: Staging<'C, 'Y>) (captured: Tensor[]) (carry: Tensor[]) (moving: Tensor[]) : Tensor[] =
    let op =
        Scan {
            Body = s.Body
            Constants = captured.Length
            Carry = carry.Length
            Length = moving[0].Shape[0]
            FromEnd = fromEnd
        }

    Tensor.Bind(op, Array.concat [ captured; carry; moving ])

let private scanFrom name fromEnd body start xs =
    let s = stage name body start xs
    s.Rebuild(loop fromEnd s s.Captured s.Carry s.Moving)

/// A loop over the first axis of `xs`, with a carry: the body takes the carry and one place of `xs` to the next carry and
/// one place of the result. Returns the last carry and the results stacked. The body is traced once, so its cost to
/// compile does not grow with the length; it differentiates in both modes, batches and compiles.
/// Example: `scan (fun s x -> s + x, s + x) (scalar 0.0) xs` is the running sum.
let scan (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y = scanFrom "scan" false body start xs

/// `scan` from the last place to the first.
let scanBack (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y = scanFrom "scanBack" true body start xs

/// `scan` in a number of segments, of which the reverse pass keeps the carry at the beginning only: the inside of a
/// segment is computed again when its gradient is due. Where `scan` keeps what every step needs for its derivative, this
/// keeps a carry for each segment and the inside of one segment, at the price of a second forward pass. The segments are
/// equally long, but for a shorter one at the end. Value and derivatives are those of `scan`.
let scanCheckpointedWith (segments: int) (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y =
    let s = stage "scanCheckpointed" body start xs

    if segments < 1 then
        invalidArg "segments" $"scanCheckpointed: {segments} segments; there must be at least one"

    let count = s.Carry.Length
    /// Runs a segment; what the body closes over is an argument, so that its derivative flows.
    let segment = checkpoint (fun (captured, carry, moving) -> loop false s captured carry moving)
    // as few steps as make at most so many segments, and what is left after the last whole one
    let steps = max 1 ((s.Length + segments - 1) / segments)
    let whole = s.Length / steps
    let rest = s.Length - whole * steps

    if s.Length = 0 then
        s.Rebuild(loop false s s.Captured s.Carry s.Moving)
    else
        let cut (x: Tensor) = narrow 0 0 (whole * steps) x |> reshape (Array.append [| whole; steps |] x.Shape[1..])

        let join (y: Tensor) = reshape (Array.append [| y.Shape[0] * y.Shape[1] |] y.Shape[2..]) y

        let carry, ys =
            scan
                (fun carry moving -> segment (s.Captured, carry, moving) |> Array.splitAt count)
                s.Carry
                (Array.map cut s.Moving)

        let ys = Array.map join ys

        if rest = 0 then
            s.Rebuild(Array.append carry ys)
        else
            let last = s.Moving |> Array.map (narrow 0 (whole * steps) rest)
            let carry, end' = segment (s.Captured, carry, last) |> Array.splitAt count
            s.Rebuild(Array.append carry (Array.map2 (fun y z -> concat 0 [ y; z ]) ys end'))

/// `scanCheckpointedWith` as many segments as make memory least: the square root of the length (Chen, Xu, Zhang and
/// Guestrin, "Training deep nets with sublinear memory cost", 2016). Where `scan` keeps residuals of T steps, this keeps √T
/// carries and the residuals of √T steps.
/// Example: `scanCheckpointed (step cell) start xs` for a sequence whose gradient does not fit into memory otherwise.
let scanCheckpointed (body: 'C -> 'X -> 'C * 'Y) (start: 'C) (xs: 'X) : 'C * 'Y =
    let length =
        match Tree.leaves xs |> Array.tryHead with
        | Some x when x.Rank > 0 -> x.Shape[0]
        | _ -> 1

    scanCheckpointedWith (max 1 (int (sqrt (float length)))) body start xs
