namespace Functional.Plans

// The last pass: kernels with their arrays, ready to run. A plan belongs to one run at a time; it owns its arena, and
// what it is given and what it fills are put in place before each run.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Makes the step of a loop or a branch, which holds plans of its own.
type internal Nested = delegate of op: ManyOp * arguments: int[] * made: int[] * passes: Passes * shadow: Shadow -> Step

/// A graph, planned. `outside` are the values whose memory the caller provides before each run, besides the inputs'. The
/// first inputs, so many as `still` says, stay the same for many runs, before which `Prepare` is called. A debug plan has a
/// shadow, which it shares with the plans inside it.
[<Sealed>]
type internal Plan
    (graph: Graph, schedule: Schedule, outside: HashSet<int>, passes: Passes, still: int, shadow: Shadow, nested: Nested)
    =
    let layout = Memory.plan passes graph schedule outside
    let arena = Arena(max 1L layout.ArenaBytes, layout.Block)
    let values = Array.zeroCreate<NDArray> graph.Specs.Length

    let views = [|
        for v in 0 .. values.Length - 1 do
            if schedule.Root[v] <> v && schedule.Windows[v].IsNone then
                v
    |]

    let mutable bytes = layout.ArenaBytes

    /// Memory of this plan's own, outside the arena.
    let own (spec: Spec) =
        bytes <- bytes + max 1L (Memory.bytesOf spec)
        Memory.own "compile" spec

    let mutable runs = 0
    let origins = if isNull shadow then null else Array.create<Origin> values.Length [||]
    let packs = Dictionary<struct (int * bool), PackedMatrix>()

    /// The right factor of an instruction's product, if many runs share it.
    let shared k = if passes.Pack then Products.sharedFactor graph still k else ValueNone

    /// The copy of it that they read, or null.
    let packed k =
        match shared k with
        | ValueNone -> null
        | ValueSome(struct (b, transposed)) ->
            match packs.TryGetValue(struct (b, transposed)) with
            | true, copy -> copy
            | _ ->
                let copy = PackedMatrix(graph.Specs[b].Shape, transposed, graph.Specs[b].DType)
                packs[struct (b, transposed)] <- copy
                bytes <- bytes + copy.Bytes
                copy

    let steps =
        schedule.Kernels
        |> Array.map (fun kernel ->
            let k = kernel.Body[0]

            if kernel.Elementwise && kernel.Instructions.Length > 1 && Candidates.isScalar graph schedule.Firsts k then
                LowerFused.scalars graph schedule layout kernel
            elif
                kernel.Elementwise && (kernel.Instructions.Length > 1 || Schedule.touchesWindows graph schedule k)
            then
                LowerFused.loop graph schedule layout kernel
            elif kernel.Instructions.Length > 1 then
                Lower.product graph schedule kernel (packed k)
            else
                match graph.Instructions[k] with
                | ApplyMany(op, arguments, _) ->
                    let made = Graphs.made graph schedule.Firsts k

                    match op with
                    | Scan _
                    | Cond _
                    | While _ -> nested.Invoke(op, arguments, made, passes, shadow)
                    | Concat _
                    | Split _
                    | Linear _
                    | Call _
                    | Custom _ -> Lower.many graph schedule op arguments made
                | Apply _
                | Constant _ -> Lower.single graph schedule.Firsts k (packed k))

    do
        graph.Instructions
        |> Array.iteri (fun k instruction ->
            match instruction with
            | Constant c ->
                let v = schedule.Firsts[k]
                let c = c.InStorage()

                // kernels want arrays that stay in place, and the collector may move small ones
                if c.Storage.ByteLength < Storage.LargeLimit then
                    values[v] <- own graph.Specs[v]
                    Elementwise.Cast(c, values[v])
                else
                    values[v] <- c
            | Apply _
            | ApplyMany _ -> ())

        layout.Places
        |> Array.iteri (fun v place ->
            match place with
            | Memory.Place.Arena offset -> values[v] <- arena.At(offset, graph.Specs[v].Shape, graph.Specs[v].DType)
            | Memory.Place.Outside
            | Memory.Place.Constant
            | Memory.Place.Nowhere -> ())

    member _.Graph = graph
    member _.Schedule = schedule
    member _.Layout = layout
    member _.Steps = steps

    /// The array of a value.
    member _.Item
        with get (v: int) = values[v]

    /// Puts an array in the place of an input or of an outside value, before a run.
    member _.Put(v: int, x: NDArray) =
        match layout.Places[v] with
        | Memory.Place.Outside -> values[v] <- x
        | Memory.Place.Constant
        | Memory.Place.Arena _
        | Memory.Place.Nowhere -> invalidOp $"internal: %%{v} has its place in the plan"

    /// Runs one step alone, as a profile does.
    member _.RunStep(i: int) = steps[i].Run values

    /// Bytes of the arena and of small constants and buffers, those of loops' bodies included.
    member _.Bytes = bytes + (steps |> Array.sumBy (fun s -> s.Bytes))
    member _.Own spec = own spec

    /// A reshape looks at its root's memory.
    member _.RefreshViews() =
        for v in views do
            let root = values[schedule.Root[v]]

            if not (isNull root.Storage) then
                values[v] <- NDArray(graph.Specs[v].Shape, root.Storage, root.DType)

    /// Whether a kernel is a product that reads a copy of its right factor.
    member _.IsPacked kernel = (shared schedule.Kernels[kernel].Instructions[0]).IsSome

    /// Before many runs, the inputs that stay the same being in place.
    member _.Prepare() =
        for KeyValue(struct (b, _), copy) in packs do
            copy.Copy values[b]

    member p.Run() =
        p.RefreshViews()

        if isNull shadow then
            for s in steps do
                s.Run values
        else
            p.RunShadowed()

    /// Runs, and sees to it that every kernel reads what the right kernel wrote, and that the outputs are whole at the end.
    member private _.RunShadowed() =
        runs <- runs + 1

        for v in 0 .. values.Length - 1 do
            origins[v] <-
                match layout.Places[v] with
                | Memory.Place.Outside when v >= graph.Inputs -> [||]
                | Memory.Place.Outside
                | Memory.Place.Constant -> shadow.Read values[v]
                | Memory.Place.Arena _
                | Memory.Place.Nowhere -> [||]

        for i in 0 .. steps.Length - 1 do
            // what it makes itself it reads again from its registers
            for v in layout.Reads[i] |> Array.except layout.Writes[i] do
                shadow.Require($"%%{v}, read by kernel {i} ({steps[i].Name})", origins[v], values[v])

            steps[i].Run values

            for v in layout.Writes[i] do
                let written = Written $"kernel {i} ({steps[i].Name}) of run {runs}: %%{v}"
                shadow.Write(values[v], written)
                origins[v] <- shadow.Read values[v]

        for v in graph.Outputs do
            shadow.Require($"the output %%{v}", origins[schedule.Root[v]], values[v])

    /// Who wrote a value that the last run of a debug plan returned; of an input, who had written it before.
    member _.Origin(v: int) : Origin = origins[schedule.Root[v]]

    /// Which values can be written where the caller wants an output: those a kernel makes that are outputs, or what an
    /// output is a view of, once each.
    static member Writable(g: Graph) : HashSet<int> =
        let firsts = Graphs.firsts g
        let made = HashSet<int>()
        let views = Dictionary<int, int>()

        g.Instructions
        |> Array.iteri (fun k instruction ->
            match instruction with
            | Constant _ -> ()
            | Apply(Reshape _, a, _, _) -> views[firsts[k]] <- a
            | Apply _
            | ApplyMany _ ->
                for r in Graphs.made g firsts k do
                    made.Add r |> ignore)

        let rec source v =
            match views.TryGetValue v with
            | true, a -> source a
            | _ -> v

        HashSet(g.Outputs |> Seq.map source |> Seq.filter made.Contains)
