namespace Functional.Compile

// The last pass: kernels with their arrays, ready to run. A plan belongs to one run at a time; it owns its arena, and
// what it is given and what it fills are put in place before each run.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// One kernel, bound to places in the plan's table of arrays.
[<AbstractClass>]
type internal Step(name: string) =
    member _.Name = name
    abstract Run: values: NDArray[] -> unit
    /// Memory of the step's own.
    abstract Bytes: int
    default _.Bytes = 0

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

[<RequireQualifiedAccess>]
module internal Lower =

    let private step name (run: NDArray[] -> unit) = {
        new Step(name) with
            member _.Run values = run values
    }

    /// The operation of a fused run: its loop, the loop's function, the factor of AddScaled.
    let private fusedStep (op: Op) a b c y =
        match op with
        | Unary u -> FusedStep(FusedKind.Unary, int u, a, b, c, y, 0.0)
        | Binary o -> FusedStep(FusedKind.Binary, int o, a, b, c, y, 0.0)
        | Compare o -> FusedStep(FusedKind.Compare, int o, a, b, c, y, 0.0)
        | Select -> FusedStep(FusedKind.Select, 0, a, b, c, y, 0.0)
        | Cast _ -> FusedStep(FusedKind.Cast, 0, a, b, c, y, 0.0)
        | AddScaled scale -> FusedStep(FusedKind.AddScaled, 0, a, b, c, y, scale)
        | _ -> invalidOp $"internal: {Shapes.name op} is not elementwise"

    let private nameOf (g: Graph) (kernel: Fuse.Kernel) =
        kernel.Instructions
        |> Array.truncate 8
        |> Array.map (fun k ->
            match g.Instructions[k] with
            | Apply(op, _, _, _) -> Shapes.name op
            | Constant _
            | ApplyMany _ -> "")
        |> String.concat " "

    /// A kernel on single numbers: straight-line code.
    let scalars (g: Graph) (schedule: Fuse.Schedule) (layout: Memory.Layout) (kernel: Fuse.Kernel) : Step =
        let slots = Dictionary<int, int>()
        let types = List<DType>()
        let inputs, outputs = List<struct (int * int)>(), List<struct (int * int)>()

        let slot v =
            match slots.TryGetValue v with
            | true, s -> s
            | _ ->
                let s = types.Count
                types.Add g.Specs[v].DType
                slots[v] <- s
                s

        let steps =
            kernel.Instructions
            |> Array.map (fun k ->
                match g.Instructions[k] with
                | Apply(op, a, b, c) ->
                    let at v =
                        if v < 0 then
                            -1
                        else
                            let root = schedule.Root[v]

                            if not (slots.ContainsKey root) then
                                inputs.Add(struct (slot root, root))

                            slot root

                    let a, b, c = at a, at b, at c
                    let y = schedule.Firsts[k]
                    let target = slot y

                    match layout.Places[y] with
                    | Memory.Place.Nowhere -> ()
                    | Memory.Place.Outside
                    | Memory.Place.Constant
                    | Memory.Place.Arena _ -> outputs.Add(struct (target, y))

                    fusedStep op a b c target
                | Constant _
                | ApplyMany _ -> invalidOp "internal: not an elementwise instruction")

        let program = ScalarProgram(steps, types.ToArray(), inputs.ToArray(), outputs.ToArray())
        step (nameOf g kernel) program.Run

    /// An elementwise kernel of several operations, block by block.
    let fused (g: Graph) (schedule: Fuse.Schedule) (layout: Memory.Layout) (kernel: Fuse.Kernel) : Step =
        let firsts = schedule.Firsts
        let result = g.Specs[firsts[kernel.Instructions[0]]].Shape
        let places = List<FusedPlace>()
        let numbers = Dictionary<int, int>()
        let mutable columns = None

        let inMemory v =
            match layout.Places[schedule.Root[v]] with
            | Memory.Place.Nowhere -> false
            | Memory.Place.Outside
            | Memory.Place.Constant
            | Memory.Place.Arena _ -> true

        // registers are reused once the last operation that reads them is done
        let lastUse = Dictionary<int, int>()

        kernel.Instructions
        |> Array.iteri (fun i k ->
            for v in Graphs.arguments g.Instructions[k] do
                lastUse[v] <- i)

        let free = Stack<int>()
        let mutable registers = 0

        let place (mode: FusedMode) index dtype =
            places.Add(FusedPlace(mode, index, dtype))
            places.Count - 1

        /// A value of the result's shape, in memory.
        let whole v =
            match schedule.Windows[v] with
            | ValueSome window ->
                columns <- Some(Array.last result)

                places.Add(
                    FusedPlace(FusedMode.Window, schedule.Root[v], g.Specs[v].DType, window.Offset, window.Width)
                )

                places.Count - 1
            | ValueNone -> place FusedMode.Full schedule.Root[v] g.Specs[v].DType

        let operand v =
            match numbers.TryGetValue v with
            | true, n -> n
            | _ ->
                let spread mode = place mode schedule.Root[v] g.Specs[v].DType

                let n =
                    match Fuse.lie g.Specs[v].Shape result with
                    | Fuse.Lie.Full -> whole v
                    | Fuse.Lie.Scalar -> spread FusedMode.Scalar
                    | Fuse.Lie.Row n ->
                        columns <- Some n
                        spread FusedMode.Row
                    | Fuse.Lie.Column n ->
                        columns <- Some n
                        spread FusedMode.Column
                    | Fuse.Lie.Other -> invalidOp "internal: an operand that is not aligned was fused"

                numbers[v] <- n
                n

        let steps = List<FusedStep>()

        kernel.Instructions
        |> Array.iteri (fun i k ->
            let y = firsts[k]

            match g.Instructions[k] with
            | Apply(op, a, b, c) ->
                let at v = if v < 0 then -1 else operand v
                let a', b', c' = at a, at b, at c

                // a result may take its operand's register where the elements are equally long
                let fades sameSize =
                    for v in Graphs.arguments g.Instructions[k] |> Array.distinct do
                        let p = places[numbers[v]]

                        if
                            lastUse[v] = i
                            && p.Mode = FusedMode.Register
                            && (p.Type.Size() = g.Specs[y].DType.Size()) = sameSize
                        then
                            free.Push p.Index

                fades true

                let target =
                    if inMemory y then
                        whole y
                    else
                        let r =
                            if free.Count > 0 then
                                free.Pop()
                            else
                                registers <- registers + 1
                                registers - 1

                        place FusedMode.Register r g.Specs[y].DType

                fades false
                numbers[y] <- target

                steps.Add(fusedStep op a' b' c' target)
            | Constant _
            | ApplyMany _ -> invalidOp "internal: not an elementwise instruction")

        let size = Shape.size result
        let columns = defaultArg columns (max 1 size)
        let loop = FusedLoop(size / max 1 columns, columns, registers, places.ToArray(), steps.ToArray())
        step (nameOf g kernel) loop.Run

    /// One instruction by its kernel.
    let single (g: Graph) (firsts: int[]) (k: int) : Step =
        let y = firsts[k]

        match g.Instructions[k] with
        | Constant _
        | ApplyMany _ -> invalidOp "internal: not an operation of one result"
        | Apply(op, a, b, c) ->
            let name = Shapes.name op
            let shape v = g.Specs[v].Shape

            match op with
            | MatMul(ta, tb) -> step name (fun v -> MatMul.Run(ta, tb, v[a], v[b], v[y]))
            | Dense -> step name (fun v -> MatMul.RunAdd(v[a], v[b], v[c], v[y]))
            | Conv k ->
                let run = Convolve.conv k (shape a) (shape b) (shape y)
                step name (fun v -> run v[a] v[b] v[y])
            | ConvBias k ->
                let run = Convolve.convBias k (shape a) (shape b) (shape y)
                step name (fun v -> run v[a] v[b] v[c] v[y])
            | ConvInput(k, _) ->
                let run = Convolve.convInput k (shape a) (shape b) (shape y)
                step name (fun v -> run v[a] v[b] v[y])
            | ConvKernel(k, _) ->
                let run = Convolve.convKernel k (shape a) (shape b) (shape y)
                step name (fun v -> run v[a] v[b] v[y])
            | MaxPool w ->
                let run = Convolve.maxPool w (shape a) (shape y)
                step name (fun v -> run v[a] v[y])
            | MaxPoolPick w ->
                let run = Convolve.maxPoolPick w (shape b) (shape y)
                step name (fun v -> run v[a] v[b] v[y])
            | MaxPoolPlace w ->
                let run = Convolve.maxPoolPlace w (shape a) (shape y)
                step name (fun v -> run v[a] v[b] v[y])
            | Unary u -> step name (fun v -> Elementwise.Unary(u, v[a], v[y]))
            | Binary o -> step name (fun v -> Elementwise.Binary(o, v[a], v[b], v[y]))
            | Compare o -> step name (fun v -> Elementwise.Compare(o, v[a], v[b], v[y]))
            | Select -> step name (fun v -> Elementwise.Select(v[a], v[b], v[c], v[y]))
            | Cast _ -> step name (fun v -> Elementwise.Cast(v[a], v[y]))
            | AddScaled s -> step name (fun v -> Elementwise.AddScaled(s, v[a], v[b], v[y]))
            | SumProduct(axes, _) -> step name (fun v -> Reductions.SumProduct(v[a], v[b], axes, v[y]))
            | Reduce(r, axes, _) -> step name (fun v -> Reductions.Reduce(r, v[a], axes, v[y]))
            | ArgReduce(r, axis) -> step name (fun v -> Reductions.ArgReduce(r, v[a], axis, v[y]))
            | Cumulate(r, axis, fromEnd) -> step name (fun v -> Reductions.Cumulate(r, v[a], axis, fromEnd, v[y]))
            | Softmax axis -> step name (fun v -> Reductions.Softmax(v[a], axis, v[y]))
            | SoftmaxScale axis -> step name (fun v -> Reductions.SoftmaxScale(v[a], v[b], axis, v[y]))
            | Broadcast _ -> step name (fun v -> Layout.Broadcast(v[a], v[y]))
            | Transpose p -> step name (fun v -> Layout.Transpose(v[a], p, v[y]))
            | Slice(starts, _, steps) -> step name (fun v -> Layout.Slice(v[a], starts, steps, v[y]))
            | Pad(low, _, interior) -> step name (fun v -> Layout.Pad(v[a], low, interior, v[y]))
            | Reverse axes -> step name (fun v -> Layout.Reverse(v[a], axes, v[y]))
            | Gather axis -> step name (fun v -> Indexing.Gather(v[a], v[b], axis, v[y]))
            | ScatterAdd(axis, _) -> step name (fun v -> Indexing.ScatterAdd(v[a], v[b], axis, v[y]))
            | GatherAlong axis -> step name (fun v -> Indexing.GatherAlong(v[a], v[b], axis, v[y]))
            | ScatterAlong(axis, _) -> step name (fun v -> Indexing.ScatterAlong(v[a], v[b], axis, v[y]))
            | ArgSort(axis, descending, _) -> step name (fun v -> Sorting.ArgSort(v[a], axis, descending, v[y]))
            | Random(d, _, _) -> step name (fun v -> RandomNumbers.Draw(d, v[a], v[y]))
            | StopGradient
            | Reshape _ -> invalidOp $"internal: {name} is a view, not a kernel"

    /// What is put together of columns some of which lie in place already: the others are copied there.
    let private gathered (g: Graph) (schedule: Fuse.Schedule) (parts: int[]) (y: int) : Step =
        let shape = g.Specs[y].Shape
        let width = Array.last shape
        let offsets = parts |> Array.scan (fun at v -> at + Array.last g.Specs[v].Shape) 0
        let dtype = g.Specs[y].DType

        let copies = [|
            for i in 0 .. parts.Length - 1 do
                let v = parts[i]
                let columns = Array.last g.Specs[v].Shape

                let inPlace = schedule.Windows[v].IsSome && schedule.Root[v] = y

                if not inPlace && columns > 0 then
                    FusedLoop(
                        Shape.size shape / width,
                        columns,
                        0,
                        [|
                            match schedule.Windows[v] with
                            | ValueSome from ->
                                FusedPlace(FusedMode.Window, schedule.Root[v], dtype, from.Offset, from.Width)
                            | ValueNone -> FusedPlace(FusedMode.Full, schedule.Root[v], dtype)

                            FusedPlace(FusedMode.Window, y, dtype, offsets[i], width)
                        |],
                        [| FusedStep(FusedKind.Cast, 0, 0, -1, -1, 1, 0.0) |]
                    )
        |]

        step (if copies.Length = 0 then "concat in place" else "concat") (fun v ->
            for copy in copies do
                copy.Run v)

    /// A matrix product and what is added to it.
    let product (g: Graph) (schedule: Fuse.Schedule) (kernel: Fuse.Kernel) : Step =
        let firsts = schedule.Firsts
        let k = kernel.Instructions[0]

        let made v = if v = firsts[k] then ValueSome g.Instructions[k] else ValueNone

        match g.Instructions[k], Products.sum g (Products.reads g) made kernel.Instructions[1] with
        | Apply(MatMul(ta, tb), a, b, _), ValueSome sum ->
            let onto, y = schedule.Root[sum.Onto], firsts[kernel.Instructions[1]]
            step (nameOf g kernel) (fun v -> MatMul.RunOnto(ta, tb, v[a], v[b], v[onto], sum.Scale, v[y]))
        | _ -> invalidOp "internal: not a product and a sum"

    let private evaluated (f: NDArray[] -> NDArray[]) (arguments: int[]) (made: int[]) =
        step "evaluate" (fun v ->
            let ys = f (arguments |> Array.map (fun i -> v[i].Settle()))

            for i in 0 .. made.Length - 1 do
                Elementwise.Cast(ys[i], v[made[i]]))

    /// An operation of many inputs or results that holds no graph.
    let many (g: Graph) (schedule: Fuse.Schedule) (op: ManyOp) (arguments: int[]) (made: int[]) : Step =
        match op with
        | Concat _ when arguments |> Array.exists (fun v -> schedule.Windows[v].IsSome) ->
            gathered g schedule arguments made[0]
        | Concat axis ->
            let xs = Array.zeroCreate<NDArray> arguments.Length

            step "concat" (fun v ->
                for i in 0 .. xs.Length - 1 do
                    xs[i] <- v[arguments[i]]

                Layout.Concat(xs, axis, v[made[0]]))
        | Split(axis, _) ->
            let ys = Array.zeroCreate<NDArray> made.Length

            step "split" (fun v ->
                for i in 0 .. ys.Length - 1 do
                    ys[i] <- v[made[i]]

                Layout.Split(v[arguments[0]], axis, ys))
        // computed by evaluation, then copied to where the plan wants it
        | Linear op -> evaluated (Evaluate.linear op) arguments made
        | Custom rule -> evaluated rule.Evaluate arguments made
        | Scan _
        | Cond _
        | While _
        | Call _ -> invalidOp "internal: an operation with a graph is planned with it"

/// A graph, planned. `outside` are the values whose memory the caller provides before each run, besides the inputs'.
[<Sealed>]
type internal Plan(graph: Graph, outside: HashSet<int>, passes: Fuse.Passes) =
    let schedule = Fuse.schedule passes graph
    let layout = Memory.plan passes graph schedule outside
    let arena = Arena(max 1 layout.ArenaBytes)
    let values = Array.zeroCreate<NDArray> graph.Specs.Length

    let views = [|
        for v in 0 .. values.Length - 1 do
            if schedule.Root[v] <> v && schedule.Windows[v].IsNone then
                v
    |]

    let mutable bytes = layout.ArenaBytes

    /// Memory of this plan's own, outside the arena.
    let own (spec: Spec) =
        let size = max 1 (Memory.bytesOf spec)
        bytes <- bytes + size
        Arena(size).At(0, spec.Shape, spec.DType)

    let steps =
        schedule.Kernels
        |> Array.map (fun kernel ->
            let k = kernel.Instructions[0]

            if kernel.Elementwise && kernel.Instructions.Length > 1 && Fuse.isScalar graph schedule.Firsts k then
                Lower.scalars graph schedule layout kernel
            elif kernel.Elementwise && (kernel.Instructions.Length > 1 || Fuse.touchesWindows graph schedule k) then
                Lower.fused graph schedule layout kernel
            elif kernel.Instructions.Length > 1 then
                Lower.product graph schedule kernel
            else
                match graph.Instructions[k] with
                | ApplyMany(op, arguments, results) ->
                    let made = [| schedule.Firsts[k] .. schedule.Firsts[k] + results - 1 |]

                    match op with
                    | Scan s -> Loop(s, arguments, made) :> Step
                    | Cond(whenTrue, whenFalse) -> Branch(whenTrue, whenFalse, arguments, made)
                    | While w -> Repeat(w, arguments, made)
                    | Concat _
                    | Split _
                    | Linear _
                    | Call _
                    | Custom _ -> Lower.many graph schedule op arguments made
                | Apply _
                | Constant _ -> Lower.single graph schedule.Firsts k)

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

    member p.Run() =
        p.RefreshViews()

        for s in steps do
            s.Run values

    /// Which of the outputs can be written where the caller wants them: those a kernel makes, once each.
    static member Writable(g: Graph) : HashSet<int> =
        let firsts = Graphs.firsts g
        let made = HashSet<int>()

        g.Instructions
        |> Array.iteri (fun k instruction ->
            match instruction with
            | Constant _
            | Apply(Reshape _, _, _, _) -> ()
            | Apply _
            | ApplyMany _ ->
                for r in firsts[k] .. firsts[k] + Graphs.results instruction - 1 do
                    made.Add r |> ignore)

        let seen = HashSet<int>()
        HashSet(g.Outputs |> Array.filter (fun v -> made.Contains v && seen.Add v))

/// Another graph's plan as part of this one: inputs are looked at in place, outputs are copied out.
and [<Sealed>] internal Part(g: Graph) =
    let plan = Plan(Simplify.graph g, HashSet(), Fuse.allPasses)
    member _.Bytes = plan.Bytes

    member _.Run(values: NDArray[], arguments: int[], skip: int) =
        for i in 0 .. plan.Graph.Inputs - 1 do
            plan.Values[i] <- values[arguments[skip + i]]

        plan.Run()

    member _.CopyTo(values: NDArray[], made: int[]) =
        for i in 0 .. made.Length - 1 do
            Elementwise.Cast(plan.Values[plan.Graph.Outputs[i]], values[made[i]])

    member _.Truth = plan.Values[plan.Graph.Outputs[0]].Storage.Span<byte>()[0] <> 0uy

and [<Sealed>] internal Branch(whenTrue: Graph, whenFalse: Graph, arguments: int[], made: int[]) =
    inherit Step("cond")
    let parts = [| Part whenTrue; Part whenFalse |]
    override _.Bytes = parts[0].Bytes + parts[1].Bytes

    override _.Run values =
        let part =
            if values[arguments[0]].Storage.Span<byte>()[0] <> 0uy then
                parts[0]
            else
                parts[1]

        part.Run(values, arguments, 1)
        part.CopyTo(values, made)

and [<Sealed>] internal Repeat(w: While, arguments: int[], made: int[]) =
    inherit Step("while")
    let test, body = Part w.Condition, Part w.Body
    let constants = Array.take w.Constants arguments
    let carried = Array.append constants made
    override _.Bytes = test.Bytes + body.Bytes

    override _.Run values =
        for i in 0 .. made.Length - 1 do
            Elementwise.Cast(values[arguments[w.Constants + i]], values[made[i]])

        test.Run(values, carried, 0)

        while test.Truth do
            body.Run(values, carried, 0)
            body.CopyTo(values, made)
            test.Run(values, carried, 0)

/// A scan, or the rows of it from `first` on: the body's inputs and outputs look at the stacked arrays and move along them;
/// what is carried lies where the step before it wrote it.
and [<Sealed>] internal LoopPart(s: Scan, body: Graph, whole: Graph, division: Rows.Division option, first: int) =
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

        Plan(body, HashSet(Seq.append own (Seq.zip yOut written |> Seq.filter snd |> Seq.map fst)), Fuse.allPasses)

    /// Bytes of one place of a value in the whole loop, and of the rows before the first of this part.
    let extent v =
        let bytes = Memory.bytesOf whole.Specs[v]

        match division with
        | Some d when d.ByRow[v] -> struct (bytes, bytes / d.Batch * first)
        | _ -> struct (bytes, 0)

    let view () = Arena(1).View(0, Shape.scalar, DType.Bool)
    let views n = Array.init n (fun _ -> view ())

    let cutConstants =
        Array.init nc (fun i ->
            match division with
            | Some d when d.ByRow[i] -> view ()
            | _ -> null)

    let moving = views (body.Inputs - nc - nk)
    let results = views yOut.Length
    // a carry is read from one view while the next is written to the other
    let carried = [| views nk; views nk |]
    let ends = views nk

    /// A carry's buffers, the next step's and this one's; the same one where no step reads while it is written.
    let buffers =
        homes
        |> Array.mapi (fun i home ->
            let own () = plan.Own body.Specs[nc + i]

            match home with
            | Home.Result _ -> [||]
            | Home.Before _ -> Array.create 2 (own ())
            | Home.Copy when plan.Schedule.Root[carryOut[i]] >= body.Inputs -> Array.create 2 (own ())
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

        step <= 256 * 1024 && int64 step * int64 s.Length > 1024L * 1024L

    member _.Bytes = plan.Bytes

    member _.Run(values: NDArray[], arguments: int[], made: int[]) =
        let inline placeOf step = if s.FromEnd then s.Length - 1 - step else step
        let inline stacked j = values[made[nk + j]].Storage

        for i in 0 .. nc - 1 do
            plan.Values[i] <-
                if isNull cutConstants[i] then
                    values[arguments[i]]
                else
                    look cutConstants[i] (values[arguments[i]].Storage) 0 i

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
                Elementwise.Cast(plan.Values[nc + i], look results[j] (stacked j) (placeOf 0) yOut[j])
            | _ -> ()

        for step in 0 .. s.Length - 1 do
            let t = placeOf step
            let views, buffer = carried[step &&& 1], step &&& 1

            if asksAhead && step < s.Length - 1 then
                let next = placeOf (step + 1)

                for i in 0 .. moving.Length - 1 do
                    move moving[i] next (nc + nk + i)
                    Prefetch.Begin(moving[i], Memory.bytesOf body.Specs[nc + nk + i])

                for j in 0 .. results.Length - 1 do
                    move results[j] next yOut[j]
                    Prefetch.Begin(results[j], Memory.bytesOf body.Specs[yOut[j]])

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

            plan.Run()

            for j in 0 .. results.Length - 1 do
                if not written[j] && not filled[j] then
                    Elementwise.Cast(plan.Values[yOut[j]], show results[j] yOut[j])

            // first all copies, which may read what another carry was, then the places of the next step
            for i in 0 .. nk - 1 do
                if homes[i].IsCopy then
                    Elementwise.Cast(plan.Values[carryOut[i]], buffers[i][buffer])

            for i in 0 .. nk - 1 do
                plan.Values[nc + i] <-
                    match homes[i] with
                    | Home.Result j -> look views[i] (stacked j) t (nc + i)
                    | Home.Before _
                    | Home.Buffer -> plan.Values[carryOut[i]]
                    | Home.Copy -> buffers[i][buffer]

        for i in 0 .. nk - 1 do
            Elementwise.Cast(plan.Values[nc + i], look ends[i] (values[made[i]].Storage) 0 (nc + i))

/// A scan; where its rows have nothing to do with each other, every thread runs a part of them through all steps.
and [<Sealed>] internal Loop(s: Scan, arguments: int[], made: int[]) =
    inherit Step("scan")
    let body = Simplify.graph s.Body
    let division = Rows.divide body s.Constants

    let cut parts =
        match division with
        | Some d when parts > 1 ->
            Array.init parts (fun p ->
                let first = d.Batch * p / parts
                let rows = d.Batch * (p + 1) / parts - first
                LoopPart(s, Rows.narrow body d rows, body, division, first))
        | _ -> [| LoopPart(s, body, body, None, 0) |]

    /// How many parts are worth while: some rows in each, and enough work to wake a thread for.
    let parts threads =
        match division with
        | Some d ->
            Rows.cost body * float s.Length / 20_000.0
            |> min (float (d.Batch / 4))
            |> min (float threads)
            |> int
            |> max 1
        | None -> 1

    let mutable current = cut (parts Workers.Count)
    let mutable arrays: NDArray[] = null
    let run = System.Action<int>(fun part -> current[part].Run(arrays, arguments, made))
    override _.Bytes = current |> Array.sumBy (fun part -> part.Bytes)

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
