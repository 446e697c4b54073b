namespace Functional.Compile

// The last pass: kernels with their arrays, ready to run. A plan belongs to one run at a time; it owns its arena, and
// what it is given and what it fills are put in place before each run. Loops and branches are plans of their own.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Where a step of a loop writes what it carries.
[<Struct; RequireQualifiedAccess>]
type internal Home =
    /// In its place of a stacked result that it is as well.
    | Result of result: int
    /// In the next place of a stacked result, which is what the carry was before each step.
    | Before of before: int
    /// In a buffer of the loop's own.
    | Buffer
    /// Wherever it is made; it is copied to a buffer.
    | Copy

/// Pieces of work by their numbers, for the workers.
[<Struct>]
type internal EachOf(run: System.Action<int>) =
    interface IChunks with
        member _.Run piece = run.Invoke piece

/// A graph, planned. `outside` are the values whose memory the caller provides before each run, besides the inputs'. The
/// first inputs, so many as `still` says, stay the same for many runs, before which `Prepare` is called. A debug plan has a
/// shadow, which it shares with the plans inside it.
[<Sealed>]
type internal Plan(graph: Graph, outside: HashSet<int>, passes: Fuse.Passes, still: int, shadow: Shadow) =
    let schedule = Fuse.schedule passes graph
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

            if kernel.Elementwise && kernel.Instructions.Length > 1 && Fuse.isScalar graph schedule.Firsts k then
                Lower.scalars graph schedule layout kernel
            elif kernel.Elementwise && (kernel.Instructions.Length > 1 || Fuse.touchesWindows graph schedule k) then
                Lower.fused graph schedule layout kernel
            elif kernel.Instructions.Length > 1 then
                Lower.product graph schedule kernel (packed k)
            else
                match graph.Instructions[k] with
                | ApplyMany(op, arguments, results) ->
                    let made = [| schedule.Firsts[k] .. schedule.Firsts[k] + results - 1 |]

                    match op with
                    | Scan s -> Loop(s, arguments, made, passes, shadow) :> Step
                    | Cond(whenTrue, whenFalse) -> Branch(whenTrue, whenFalse, arguments, made, passes, shadow)
                    | While w -> Repeat(w, arguments, made, passes, shadow)
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
    /// The arrays, by value; inputs and outside outputs are put here before a run.
    member _.Values = values
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
                for r in firsts[k] .. firsts[k] + Graphs.results instruction - 1 do
                    made.Add r |> ignore)

        let rec source v =
            match views.TryGetValue v with
            | true, a -> source a
            | _ -> v

        HashSet(g.Outputs |> Seq.map source |> Seq.filter made.Contains)

/// Another graph's plan as part of this one: inputs are looked at in place, outputs are copied out.
and [<Sealed>] internal Part(g: Graph, passes: Fuse.Passes, shadow: Shadow) =
    let plan = Plan(Simplify.graph g, HashSet(), passes, 0, shadow)
    member _.Bytes = plan.Bytes

    member _.Run(given: NDArray[]) =
        System.Array.Copy(given, plan.Values, plan.Graph.Inputs)
        plan.Run()

    /// Copies the results to places that are none of what was given.
    member _.CopyTo(places: NDArray[]) =
        for i in 0 .. places.Length - 1 do
            Shadow.copy shadow (plan.Values[plan.Graph.Outputs[i]]) (places[i])

        if not (isNull shadow) then
            for i in 0 .. places.Length - 1 do
                shadow.Require($"result {i} of a branch or a while loop", plan.Origin(plan.Graph.Outputs[i]), places[i])

    member _.Truth = plan.Values[plan.Graph.Outputs[0]].Storage.Span<byte>()[0] <> 0uy

and [<Sealed>] internal Branch
    (whenTrue: Graph, whenFalse: Graph, arguments: int[], made: int[], passes: Fuse.Passes, shadow: Shadow) =
    inherit Step("cond")
    let parts = [| Part(whenTrue, passes, shadow); Part(whenFalse, passes, shadow) |]
    let given = Array.zeroCreate<NDArray>(arguments.Length - 1)
    let places = Array.zeroCreate<NDArray> made.Length
    override _.Bytes = parts[0].Bytes + parts[1].Bytes

    override _.Run values =
        let part =
            if values[arguments[0]].Storage.Span<byte>()[0] <> 0uy then
                parts[0]
            else
                parts[1]

        for i in 0 .. given.Length - 1 do
            given[i] <- values[arguments[i + 1]]

        for i in 0 .. places.Length - 1 do
            places[i] <- values[made[i]]

        part.Run given
        part.CopyTo places

and [<Sealed>] internal Repeat(w: While, arguments: int[], made: int[], passes: Fuse.Passes, shadow: Shadow) =
    inherit Step("while")
    let test, body = Part(w.Condition, passes, shadow), Part(w.Body, passes, shadow)
    let specs = w.Body.InputSpecs[w.Constants ..]
    // A step's results are assigned all at once: it reads the carry from one of two places and writes it to the other,
    // since any of its results may be a part of the carry that was.
    let carries = Array.init 2 (fun _ -> Array.map (Memory.own "whileLoop") specs)
    let given = Array.zeroCreate<NDArray>(w.Constants + made.Length)
    override _.Bytes = test.Bytes + body.Bytes + 2L * Array.sumBy (fun s -> max 1L (Memory.bytesOf s)) specs

    override _.Run values =
        for i in 0 .. given.Length - 1 do
            given[i] <- values[arguments[i]]

        let mutable next = 0
        test.Run given

        while test.Truth do
            body.Run given
            body.CopyTo carries[next]
            System.Array.Copy(carries[next], 0, given, w.Constants, made.Length)
            next <- 1 - next
            test.Run given

        for i in 0 .. made.Length - 1 do
            Shadow.copy shadow (given[w.Constants + i]) (values[made[i]])

/// A scan, or the rows of it from `first` on: the body's inputs and outputs look at the stacked arrays and move along them;
/// what is carried lies where the step before it wrote it.
and [<Sealed>] internal LoopPart
    (s: Scan, body: Graph, whole: Graph, division: Rows.Division option, first: int, passes: Fuse.Passes, shadow: Shadow)
    =
    let nc, nk = s.Constants, s.Carry
    let carryOut, yOut = Array.splitAt nk body.Outputs
    let writable = Plan.Writable body
    let single v = writable.Contains v && (carryOut |> Array.filter ((=) v)).Length = 1
    // a result that stands twice is written once, and copied to its other place
    let written = yOut |> Array.mapi (fun j v -> writable.Contains v && System.Array.IndexOf(yOut, v) = j)

    /// Where a step writes a carry so that the next one finds it.
    let homes =
        carryOut
        |> Array.mapi (fun i v ->
            match System.Array.IndexOf(yOut, v), System.Array.IndexOf(yOut, nc + i) with
            | j, _ when j >= 0 && written[j] -> Home.Result j
            | -1, j when j >= 0 && single v -> Home.Before j
            | -1, _ when single v -> Home.Buffer
            | _ -> Home.Copy)

    /// Stacked results that are what a carry was before the step: the step before has written them.
    let filled = yOut |> Array.mapi (fun j _ -> homes |> Array.exists (fun home -> home = Home.Before j))

    let plan =
        let own =
            Seq.zip carryOut homes
            |> Seq.filter (fun (_, home) -> home = Home.Buffer || home.IsBefore)
            |> Seq.map fst

        let outside = HashSet(Seq.append own (Seq.zip yOut written |> Seq.filter snd |> Seq.map fst))
        // a copy for each thread: it lies in its own caches
        Plan(body, outside, passes, (if s.Length >= Products.StepsWorthPacking then nc else 0), shadow)

    // all places of a value, one behind another, are one array: its bytes and every offset in it fit in 32 bits
    let storedBytes (g: Graph) v = Memory.stored "scan" g.Specs[v]

    /// Bytes of one place of a value in the whole loop, and of the rows before the first of this part.
    let extent v =
        let bytes = storedBytes whole v

        match division with
        | Some d when d.ByRow[v] -> struct (bytes, bytes / d.Batch * first)
        | _ -> struct (bytes, 0)

    let view v = StorageView.Nowhere(storedBytes body v)
    let views first n = Array.init n (fun i -> view (first + i))

    let cutConstants =
        Array.init nc (fun i ->
            match division with
            | Some d when d.ByRow[i] -> view i
            | _ -> null)

    let moving = views (nc + nk) (body.Inputs - nc - nk)
    let results = yOut |> Array.map view
    // a carry is read from one view while the next is written to the other
    let carried = [| views nc nk; views nc nk |]
    let ends = views nc nk

    /// A carry's buffers: a step reads one and writes the other, since what a carry was may be another's next value, or a
    /// result. What lies in a stacked result needs one, for the last step.
    let buffers =
        homes
        |> Array.mapi (fun i home ->
            let own () = plan.Own body.Specs[nc + i]

            match home with
            | Home.Result _ -> [||]
            | Home.Before _ -> Array.create 2 (own ())
            | Home.Copy
            | Home.Buffer -> [| own (); own () |])

    let show (view: StorageView) v = NDArray(body.Specs[v].Shape, view, body.Specs[v].DType)

    let look (view: StorageView) (storage: Storage) t v =
        let struct (bytes, offset) = extent v
        view.Rebase storage
        view.MoveTo(t * bytes + offset)
        show view v

    let move (view: StorageView) t v =
        let struct (bytes, offset) = extent v
        view.MoveTo(t * bytes + offset)

    /// Whether the places of the next step are asked for while this one runs: where all places together do not stay in
    /// the second-level cache, but those of two steps do.
    let asksAhead =
        let step =
            Seq.append (seq { nc + nk .. body.Inputs - 1 }) yOut
            |> Seq.sumBy (fun v -> Memory.bytesOf body.Specs[v])

        step <= 256L * 1024L && step * int64 s.Length > 1024L * 1024L

    // of a debug plan: who should have written what is carried, and each place of what is stacked
    let carriedBy = if isNull shadow then [||] else Array.create<Origin> nk [||]
    let stackedBy = if isNull shadow then null else List<struct (int * int * Origin)>()

    let requireCarried () =
        for i in 0 .. carriedBy.Length - 1 do
            shadow.Require($"carry {i} of a scan", carriedBy[i], plan.Values[nc + i])

    let requireStacked () =
        for struct (j, t, origin) in stackedBy do
            move results[j] t yOut[j]
            shadow.Require($"place {t} of result {j} of a scan", origin, show results[j] yOut[j])

    member _.Plan = plan

    member _.Run(values: NDArray[], arguments: int[], made: int[]) =
        let inline placeOf step = if s.FromEnd then s.Length - 1 - step else step
        let inline stacked j = values[made[nk + j]].Storage

        for i in 0 .. nc - 1 do
            plan.Values[i] <-
                if isNull cutConstants[i] then
                    values[arguments[i]]
                else
                    look cutConstants[i] (values[arguments[i]].Storage) 0 i

        plan.Prepare()

        for i in 0 .. moving.Length - 1 do
            plan.Values[nc + nk + i] <- look moving[i] (values[arguments[nc + nk + i]].Storage) 0 (nc + nk + i)

        for j in 0 .. results.Length - 1 do
            let place = look results[j] (stacked j) 0 yOut[j]

            if written[j] then
                plan.Values[yOut[j]] <- place

        for i in 0 .. nk - 1 do
            plan.Values[nc + i] <- look (carried[1][i]) (values[arguments[nc + i]].Storage) 0 (nc + i)

            match homes[i] with
            | Home.Before j when s.Length > 0 ->
                Shadow.copy shadow (plan.Values[nc + i]) (look results[j] (stacked j) (placeOf 0) yOut[j])
            | _ -> ()

        if not (isNull shadow) then
            stackedBy.Clear()

            for i in 0 .. nk - 1 do
                carriedBy[i] <- shadow.Read plan.Values[nc + i]

        for step in 0 .. s.Length - 1 do
            let t = placeOf step
            let views, buffer = carried[step &&& 1], step &&& 1

            if asksAhead && step < s.Length - 1 then
                let next = placeOf (step + 1)

                for i in 0 .. moving.Length - 1 do
                    move moving[i] next (nc + nk + i)
                    Prefetch.Soon(moving[i], storedBytes body (nc + nk + i))

                for j in 0 .. results.Length - 1 do
                    move results[j] next yOut[j]
                    Prefetch.Soon(results[j], storedBytes body yOut[j])

            for i in 0 .. moving.Length - 1 do
                move moving[i] t (nc + nk + i)

            for j in 0 .. results.Length - 1 do
                move results[j] t yOut[j]

            for i in 0 .. nk - 1 do
                match homes[i] with
                | Home.Before j when step < s.Length - 1 ->
                    plan.Values[carryOut[i]] <- look views[i] (stacked j) (placeOf (step + 1)) (nc + i)
                | Home.Before _
                | Home.Buffer -> plan.Values[carryOut[i]] <- buffers[i][buffer]
                | Home.Result _
                | Home.Copy -> ()

            if not (isNull shadow) then
                requireCarried ()

            plan.Run()

            if not (isNull shadow) then
                carryOut |> Array.iteri (fun i v -> carriedBy[i] <- plan.Origin v)
                yOut |> Array.iteri (fun j v -> stackedBy.Add(struct (j, t, plan.Origin v)))

            if asksAhead then
                Prefetch.Rest()

            for j in 0 .. results.Length - 1 do
                if not written[j] && not filled[j] then
                    Shadow.copy shadow (plan.Values[yOut[j]]) (show results[j] yOut[j])

            // no copy goes where another reads: what was carried lies in the other buffers
            for i in 0 .. nk - 1 do
                if homes[i].IsCopy then
                    Shadow.copy shadow (plan.Values[carryOut[i]]) (buffers[i][buffer])

            for i in 0 .. nk - 1 do
                plan.Values[nc + i] <-
                    match homes[i] with
                    | Home.Result j -> look views[i] (stacked j) t (nc + i)
                    | Home.Before _
                    | Home.Buffer -> plan.Values[carryOut[i]]
                    | Home.Copy -> buffers[i][buffer]

        if not (isNull shadow) then
            requireCarried ()
            requireStacked ()

        for i in 0 .. nk - 1 do
            Shadow.copy shadow (plan.Values[nc + i]) (look ends[i] (values[made[i]].Storage) 0 (nc + i))

/// A scan; where its rows have nothing to do with each other, every thread runs a part of them through all steps.
and [<Sealed>] internal Loop(s: Scan, arguments: int[], made: int[], passes: Fuse.Passes, shadow: Shadow) =
    inherit Step("scan")
    let body = Simplify.graph s.Body
    let division = Rows.divide body s.Constants

    let cut parts =
        match division with
        | Some d when parts > 1 ->
            Array.init parts (fun p ->
                let cut p = int (int64 d.Batch * int64 p / int64 parts)
                let first = cut p
                let rows = cut (p + 1) - first
                LoopPart(s, Rows.narrow body d rows, body, division, first, passes, shadow))
        | _ -> [| LoopPart(s, body, body, None, 0, passes, shadow) |]

    /// How many parts are worth while: some rows in each, and enough work to wake a thread for.
    let parts threads =
        match division with
        | Some d ->
            Rows.cost body * float s.Length / 10_000.0
            |> min (float (d.Batch / 4))
            |> min (float threads)
            |> int
            |> max 1
        | None -> 1

    let mutable current = cut (parts Workers.Count)
    let mutable arrays: NDArray[] = null
    let run = System.Action<int>(fun part -> current[part].Run(arrays, arguments, made))
    /// The plans of its parts.
    member _.Parts = current |> Array.map (fun part -> part.Plan)
    override _.Bytes = current |> Array.sumBy (fun part -> part.Plan.Bytes)

    override _.Run values =
        let wanted = parts Workers.Count

        if wanted <> current.Length then
            current <- cut wanted

        if current.Length = 1 then
            current[0].Run(values, arguments, made)
        else
            arrays <- values
            let mutable work = EachOf run
            Workers.Run(current.Length, &work)
            arrays <- null
