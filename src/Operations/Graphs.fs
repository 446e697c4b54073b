/// Surgery on graphs: what is live, and a graph cut in two.
[<RequireQualifiedAccess>]
module Functional.Operations.Graphs

open System
open System.Collections.Generic
open Functional
open Functional.Kernels

/// The values an instruction reads.
let arguments (instruction: Instruction) : int[] =
    match instruction with
    | Constant _ -> [||]
    | Apply(_, a, b, c) ->
        if b < 0 then [| a |]
        elif c < 0 then [| a; b |]
        else [| a; b; c |]
    | ApplyMany(_, arguments, _) -> arguments

/// How many values an instruction makes.
let results (instruction: Instruction) =
    match instruction with
    | Constant _
    | Apply _ -> 1
    | ApplyMany(_, _, n) -> n

/// An instruction with its arguments renumbered.
let renumber (number: int -> int) (instruction: Instruction) =
    let at i = if i < 0 then i else number i

    match instruction with
    | Constant _ -> instruction
    | Apply(op, a, b, c) -> Apply(op, at a, at b, at c)
    | ApplyMany(op, arguments, n) -> ApplyMany(op, Array.map at arguments, n)

/// The first value of each instruction.
let firsts (g: Graph) : int[] =
    let mutable next = g.Inputs

    g.Instructions
    |> Array.map (fun i ->
        let at = next
        next <- next + results i
        at)

/// The values that an instruction makes, given the first of each.
let made (g: Graph) (firsts: int[]) (k: int) : int[] = Array.init (results g.Instructions[k]) (fun r -> firsts[k] + r)

/// For each value the instruction whose first result it is, by its place; −1 where there is none.
let makers (g: Graph) (firsts: int[]) : int[] =
    let makers = Array.create g.Specs.Length -1
    firsts |> Array.iteri (fun k v -> makers[v] <- k)
    makers

/// Whether an instruction of a graph is a view of its operand.
let isView (instruction: Instruction) : bool =
    match instruction with
    | Apply(op, _, _, _) -> (Facts.ofOp op).IsView
    | ApplyMany _
    | Constant _ -> false

/// The graphs that an operation holds.
let inside (op: ManyOp) : Graph list =
    match op with
    | Scan s -> [ s.Body ]
    | Cond(whenTrue, whenFalse) -> [ whenTrue; whenFalse ]
    | While w -> [ w.Condition; w.Body ]
    | Call p -> [ p.Graph ]
    | Concat _
    | Split _
    | Linear _
    | Custom _ -> []

/// Whether one of these operations, or of those in the graphs that they hold, has a property.
let rec private exists (ofOp: Op -> bool) (ofMany: ManyOp -> bool) (instruction: Instruction) : bool =
    match instruction with
    | Constant _ -> false
    | Apply(op, _, _, _) -> ofOp op
    | ApplyMany(op, _, _) ->
        ofMany op || inside op |> List.exists (fun g -> Array.exists (exists ofOp ofMany) g.Instructions)

/// Whether an instruction can fail on the values it is given: an index out of range, a matrix without a
/// factorization.
let canFail (instruction: Instruction) : bool =
    exists (fun op -> (Facts.ofOp op).CanFail) (fun op -> (Facts.ofMany op).CanFail) instruction

/// Whether an instruction may go on forever on the values it is given.
let canHang (instruction: Instruction) : bool =
    exists (fun _ -> false) (fun op -> (Facts.ofMany op).CanHang) instruction

/// A graph of chosen values: `inputs` become its inputs in that order, and of the instructions only those stay that the
/// outputs need.
let extract (g: Graph) (inputs: int[]) (outputs: int[]) : Graph =
    let firsts = firsts g
    let needed = Array.create g.Specs.Length false
    let given = Array.create g.Specs.Length false

    for i in inputs do
        given[i] <- true

    for i in outputs do
        needed[i] <- true

    let keep = Array.create g.Instructions.Length false

    for k in g.Instructions.Length - 1 .. -1 .. 0 do
        let instruction = g.Instructions[k]
        let mutable wanted = false

        for r in made g firsts k do
            if needed[r] && not given[r] then
                wanted <- true

        if wanted then
            keep[k] <- true

            for a in arguments instruction do
                needed[a] <- true

    let number = Array.create g.Specs.Length -1
    inputs |> Array.iteri (fun i v -> number[v] <- i)
    let specs = ResizeArray(inputs |> Array.map (fun i -> g.Specs[i]))
    let instructions = ResizeArray<Instruction>()

    for k in 0 .. g.Instructions.Length - 1 do
        if keep[k] then
            let instruction = g.Instructions[k]

            instructions.Add(
                renumber
                    (fun i ->
                        if number[i] < 0 then
                            invalidOp $"internal: value {i} is read but not among the inputs of the extracted graph"

                        number[i])
                    instruction
            )

            for r in made g firsts k do
                // a given value keeps its input's number, also where its instruction stays for another result
                if not given[r] then
                    number[r] <- specs.Count

                specs.Add g.Specs[r]

    Graph(inputs.Length, instructions.ToArray(), specs.ToArray(), outputs |> Array.map (fun i -> number[i]))

/// The graph without the instructions that its outputs do not need.
let live (g: Graph) : Graph = extract g [| 0 .. g.Inputs - 1 |] g.Outputs

/// Equality of graphs by what they compute.
let private alike =
    let sameBytes (x: Storage) (y: Storage) =
        (isNull x && isNull y)
        || (not (isNull x)
            && not (isNull y)
            && (let (a: ReadOnlySpan<byte>) = Span.op_Implicit (x.Span<byte>())
                let (b: ReadOnlySpan<byte>) = Span.op_Implicit (y.Span<byte>())
                MemoryExtensions.SequenceEqual(a, b)))

    let sameConstant (x: NDArray) (y: NDArray) =
        x.Bits = y.Bits && x.DType = y.DType && Shape.same x.Shape y.Shape && sameBytes x.Storage y.Storage

    let sameInstruction a b =
        match a, b with
        | Constant x, Constant y -> sameConstant x y
        | Apply(op, a, b, c), Apply(other, d, e, f) -> a = d && b = e && c = f && op.Equals other
        | ApplyMany(op, xs, n), ApplyMany(other, ys, m) -> n = m && Shape.same xs ys && op.Equals other
        | (Constant _ | Apply _ | ApplyMany _), _ -> false

    let sameSpec (a: Spec) (b: Spec) = a.DType = b.DType && Shape.same a.Shape b.Shape

    {
        new IEqualityComparer<Graph> with
            member _.Equals(a, b) =
                a.Inputs = b.Inputs
                && a.Instructions.Length = b.Instructions.Length
                && a.Specs.Length = b.Specs.Length
                && Array.forall2 sameInstruction a.Instructions b.Instructions
                && Array.forall2 sameSpec a.Specs b.Specs
                && Shape.same a.Outputs b.Outputs

            member _.GetHashCode g =
                let mutable h = HashCode()
                h.Add g.Inputs

                for instruction in g.Instructions do
                    match instruction with
                    | Constant c -> h.Add c.Bits
                    | Apply(op, a, b, c) -> h.Add(HashCode.Combine(op, a, b, c))
                    | ApplyMany(op, _, n) -> h.Add(HashCode.Combine(op, n))

                for spec in g.Specs do
                    for size in spec.Shape do
                        h.Add size

                h.ToHashCode()
    }

let private known = Dictionary<Graph, Graph>(alike)

/// This graph, or one like it that was met before: what is kept for a graph, its derivative and its plan, is then found
/// again by the next function that is traced to the same. Few are remembered, and none that holds a large array.
let intern (g: Graph) : Graph =
    let isLarge =
        g.Instructions
        |> Array.exists (fun instruction ->
            match instruction with
            | Constant c -> not (isNull c.Storage) && c.Storage.ByteLength >= Storage.LargeLimit
            | Apply _
            | ApplyMany _ -> false)

    if isLarge then
        g
    else
        lock known (fun () ->
            match known.TryGetValue g with
            | true, same -> same
            | _ ->
                if known.Count >= 256 then
                    known.Clear()

                known[g] <- g
                g)
