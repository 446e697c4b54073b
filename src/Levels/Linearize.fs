namespace Functional.Levels

// The derivative of a graph, as graphs: recorded and swept while being traced, then cut in two where the cotangents
// come in. What the second half reads of the first are the residuals.

open System.Collections.Concurrent
open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Tracing

/// Where the backward graph's residuals come from: the graph's own inputs, or further outputs of the forward graph.
[<Struct>]
type internal Residual =
    | OfInput of input: int
    | Computed of place: int

/// A graph with its pullback.
[<Sealed; AllowNullLiteral>]
type internal Linearized(forward: Graph, residuals: Residual[], backward: Graph, floats: int[], gradients: int[]) =
    /// inputs ↦ outputs ++ computed residuals
    member _.Forward = forward
    member _.Residuals = residuals
    /// residuals ++ cotangents of the float outputs ↦ cotangents of the inputs named in `Gradients`
    member _.Backward = backward
    /// The outputs that take a cotangent.
    member _.Floats = floats
    /// The inputs that get one.
    member _.Gradients = gradients

[<RequireQualifiedAccess>]
module internal Linearize =

    type Record = RecordLevel -> ManyOp -> Tensor[] -> Node[] -> Tensor[]

    /// Values that are cheaper to make again than to keep.
    let private remade (g: Graph) =
        let firsts = Graphs.firsts g
        let source = Array.create g.Specs.Length -1
        let constant = Array.create g.Specs.Length false

        g.Instructions
        |> Array.iteri (fun k instruction ->
            match instruction with
            | Constant _ -> constant[firsts[k]] <- true
            | Apply(Broadcast _, a, _, _) -> source[firsts[k]] <- a
            | Apply _
            | ApplyMany _ -> ())

        source, constant

    /// The values that depend on those from `first` to `last`.
    let private dependents (g: Graph) first last =
        let depends = Array.init g.Specs.Length (fun i -> i >= first && i <= last)
        let firsts = Graphs.firsts g

        g.Instructions
        |> Array.iteri (fun k instruction ->
            if Graphs.arguments instruction |> Array.exists (fun a -> depends[a]) then
                for r in Graphs.made g firsts k do
                    depends[r] <- true)

        depends

    /// The values outside `depends` that the gradients' instructions read.
    let private frontier (g: Graph) (depends: bool[]) (gradients: int[]) =
        let source, constant = remade g
        let firsts = Graphs.firsts g
        let needed = Array.create g.Specs.Length false
        let found = System.Collections.Generic.SortedSet<int>()

        let rec read v =
            if depends[v] then needed[v] <- true
            elif constant[v] then ()
            elif source[v] >= 0 then read source[v]
            else found.Add v |> ignore

        for v in gradients do
            read v

        for k in g.Instructions.Length - 1 .. -1 .. 0 do
            let made = Graphs.made g firsts k

            if made |> Seq.exists (fun r -> needed[r]) then
                for a in Graphs.arguments g.Instructions[k] do
                    read a

        Array.ofSeq found

    let private make (record: Record) (g: Graph) (active: bool[]) : Linearized =
        let inputs = g.Inputs
        let specs = g.OutputSpecs

        let floats = [|
            for i in 0 .. specs.Length - 1 do
                if specs[i].DType.IsFloat() then
                    i
        |]

        let mutable gradients = [||]

        let joint =
            Trace.graph (Array.append g.InputSpecs (floats |> Array.map (fun i -> specs[i]))) (fun staged ->
                let xs, cts = Array.splitAt inputs staged
                let level = RecordLevel("grad", false, record)
                let live = Array.init inputs (fun i -> active[i] && xs[i].DType.IsFloat())

                let ys =
                    try
                        Trace.replay g (Array.mapi (fun i x -> if live[i] then level.Input x else x) xs)
                    finally
                        level.Close()

                let outputs = [|
                    for k in 0 .. floats.Length - 1 do
                        let n = level.NodeOf ys[floats[k]]

                        if not (isNull n) then
                            struct (n, cts[k])
                |]

                let fed = [|
                    for i in 0 .. inputs - 1 do
                        if live[i] then
                            i
                |]

                let found = Sweep.run outputs fed.Length null

                gradients <- [|
                    for k in 0 .. fed.Length - 1 do
                        if not (isNull found[k]) then
                            fed[k]
                |]

                Array.append (Array.map level.PrimalOf ys) (found |> Array.filter (isNull >> not)))

        let outs, grads = Array.splitAt specs.Length joint.Outputs
        let depends = dependents joint inputs (inputs + floats.Length - 1)
        let kept = frontier joint depends grads
        let computed = kept |> Array.filter (fun v -> v >= inputs)

        let residuals =
            kept
            |> Array.map (fun v -> if v < inputs then OfInput v else Computed(System.Array.IndexOf(computed, v)))

        let forward = Graphs.extract joint [| 0 .. inputs - 1 |] (Array.append outs computed)
        let cotangents = [| inputs .. inputs + floats.Length - 1 |]
        let backward = Graphs.extract joint (Array.append kept cotangents) grads
        Linearized(forward, residuals, backward, floats, gradients)

    let private cache = ConditionalWeakTable<Graph, ConcurrentDictionary<bool[], Linearized>>()

    /// The derivative of a graph in its active inputs, made once.
    let graph (record: Record) (g: Graph) (active: bool[]) : Linearized =
        let g = Graphs.intern g
        let byMask = cache.GetValue(g, (fun _ -> ConcurrentDictionary HashIdentity.Structural))
        byMask.GetOrAdd(active, (fun _ -> make record g active))
