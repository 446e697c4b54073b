/// The interpreter of graphs: instruction by instruction, by the evaluator. Loops are planned, as compiled ones are, since
/// their bodies run often; a plan is made once for each body.
[<RequireQualifiedAccess>]
module internal Functional.Interpret

open System.Runtime.CompilerServices
open Functional
open Functional.Plans
open Functional.Kernels
open Functional.Operations

/// For each instruction, the values whose storage nothing reads after it. Views (a reshape shares its operand's storage)
/// live as long as the last of them; inputs, constants and outputs are not the graph's to give back.
let private deaths (g: Graph) : int[][] =
    let count = g.Specs.Length
    let root = Array.init count id
    let lastUse = Array.create count -1
    let mortal = Array.create count false
    let mutable next = g.Inputs

    let first =
        g.Instructions
        |> Array.mapi (fun i instruction ->
            let at = next

            match instruction with
            | Constant _ -> next <- next + 1
            | Apply(op, a, b, c) ->
                for x in [| a; b; c |] do
                    if x >= 0 then
                        lastUse[root[x]] <- i

                if (Facts.ofOp op).MayAlias then root[at] <- root[a] else mortal[at] <- true

                next <- next + 1
            | ApplyMany(op, arguments, results) ->
                for x in arguments do
                    lastUse[root[x]] <- i

                    if (Facts.ofMany op).MayAlias then
                        mortal[root[x]] <- false

                next <- next + results

            at)

    for x in g.Outputs do
        mortal[root[x]] <- false

    let dying = Array.init g.Instructions.Length (fun _ -> ResizeArray<int>())

    for i in 0 .. first.Length - 1 do
        let x = first[i]

        if mortal[x] then
            dying[max i lastUse[x]].Add x

    dying |> Array.map (fun d -> d.ToArray())

let private schedules = ConditionalWeakTable<Graph, int[][]>()

/// The programs of the loops that ran last, by their bodies, lengths and counts: an eighth of the memory at most.
let private loops =
    Recent<Scan, CompiledProgram>(
        256,
        System.GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8L,
        (fun program -> program.Bytes)
    )

/// The program of a loop: a graph of one instruction.
let private program (s: Scan) (inputs: Spec[]) : CompiledProgram =
    let s = { s with Body = Graphs.intern s.Body }

    // an equal loop has a body, counts and a length that leave its inputs only one shape
    match loops.TryFind s with
    | ValueSome program -> program
    | ValueNone ->
        let results = Shapes.inferMany (Scan s) inputs
        let n = inputs.Length
        let loop = ApplyMany(Scan s, [| 0 .. n - 1 |], results.Length)
        let graph = Graph(n, [| loop |], Array.append inputs results, [| n .. n + results.Length - 1 |])
        loops.Add(s, CompiledProgram graph)

/// The values of an operation with many inputs or results.
let rec many (op: ManyOp) (xs: NDArray[]) : NDArray[] =
    match op with
    | Concat axis -> Evaluate.concat axis xs
    | Split(axis, sizes) -> Evaluate.split axis sizes xs[0]
    | Linear(op, onFailure) -> Evaluate.linear op onFailure xs
    | Scan s -> (program s (xs |> Array.map (fun x -> { Shape = x.Shape; DType = x.DType }))).Run xs
    | Cond(whenTrue, whenFalse) -> graph (if xs[0].Bits <> 0L then whenTrue else whenFalse) xs[1..]
    | While w -> repeat w xs
    | Call p -> p.Run xs
    | Custom e -> e.Evaluate xs

/// A graph's outputs, instruction by instruction; what is made on the way is given back as soon as nothing reads it.
and graph (g: Graph) (inputs: NDArray[]) : NDArray[] =
    let dying = schedules.GetValue(g, (fun g -> deaths g))
    let values = Array.zeroCreate<NDArray> g.Specs.Length
    System.Array.Copy(inputs, values, inputs.Length)
    let mutable next = g.Inputs
    let at i = if i < 0 then Unchecked.defaultof<NDArray> else values[i]

    for i in 0 .. g.Instructions.Length - 1 do
        match g.Instructions[i] with
        | Constant c ->
            values[next] <- c
            next <- next + 1
        | Apply(op, a, b, c) ->
            values[next] <- Evaluate.evaluate op values[a] (at b) (at c)
            next <- next + 1
        | ApplyMany(op, arguments, results) ->
            let ys = many op (arguments |> Array.map (fun i -> values[i]))
            System.Array.Copy(ys, 0, values, next, results)
            next <- next + results

        for dead in dying[i] do
            if not (isNull values[dead].Storage) then
                values[dead].Storage.Release()

    g.Outputs |> Array.map (fun i -> values[i])

and private repeat (w: While) (xs: NDArray[]) : NDArray[] =
    let constants, first = Array.splitAt w.Constants xs
    let mutable carry = first

    while (Array.head (graph w.Condition (Array.append constants carry))).Bits <> 0L do
        carry <- graph w.Body (Array.append constants carry)

    carry
