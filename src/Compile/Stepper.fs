namespace Functional

// A training step that owns its state: compiled once, run in place, allocating nothing.

open System
open System.Collections.Generic
open Functional.Compile
open Functional.Kernels
open Functional.Levels
open Functional.Operations

/// One planned step for one kind of batch, over the stepper's state.
[<Sealed>]
type internal PlannedStep<'R>(graph: Graph, stateCount: int, result: 'R) =
    let outputs = graph.Outputs
    let writable = Plan.Writable graph
    let schedule = Fuse.schedule Fuse.allPasses graph

    let kernelOf v =
        schedule.Kernels
        |> Array.findIndex (fun kernel ->
            kernel.Instructions
            |> Array.exists (fun k ->
                v >= schedule.Firsts[k] && v < schedule.Firsts[k] + Graphs.results graph.Instructions[k]))

    /// The last kernel that reads a value.
    let lastReader v =
        schedule.Kernels
        |> Array.findIndexBack (fun kernel ->
            kernel.Instructions
            |> Array.exists (fun k ->
                Graphs.arguments graph.Instructions[k] |> Array.exists (fun a -> schedule.Root[a] = v)))

    let isRead v =
        graph.Instructions
        |> Array.exists (fun i -> Graphs.arguments i |> Array.exists (fun a -> schedule.Root[a] = v))

    /// The new value of a state leaf can be written over the old one: its kernel is the last to read it, element for
    /// element.
    let inPlace =
        Array.init stateCount (fun i ->
            let y = outputs[i]

            writable.Contains y
            && isRead i
            && not (Array.contains i (outputs |> Array.map (fun o -> schedule.Root[o])))
            && lastReader i = kernelOf y
            && Memory.mayOverwrite graph schedule schedule.Kernels[kernelOf y] i y)

    let direct = Array.init stateCount (fun i -> writable.Contains outputs[i])

    let plan =
        Plan(graph, HashSet(outputs |> Array.take stateCount |> Array.filter writable.Contains), Fuse.allPasses)

    let inputs =
        Array.init (graph.Inputs - stateCount) (fun j ->
            let spec = graph.Specs[stateCount + j]

            if Memory.bytesOf spec < Storage.LargeLimit then
                plan.Own spec
            else
                Unchecked.defaultof<NDArray>)

    member _.Plan = plan
    member _.InPlace = inPlace
    member _.Result = result

    /// Runs on a batch. `now` holds the state; where a leaf is not written in place, `next` takes it and they change
    /// places.
    member _.Run(now: NDArray[], next: NDArray[], batch: Tree.Collector) =
        for i in 0 .. stateCount - 1 do
            plan.Values[i] <- now[i]

            if direct[i] then
                plan.Values[outputs[i]] <- if inPlace[i] then now[i] else next[i]

        for j in 0 .. inputs.Length - 1 do
            let given = (batch[j] :?> Concrete).Value

            if isNull inputs[j].Shape then
                plan.Values[stateCount + j] <- given
            else
                Elementwise.Cast(given, inputs[j])
                plan.Values[stateCount + j] <- inputs[j]

        plan.Run()

        for i in 0 .. stateCount - 1 do
            if not inPlace[i] && schedule.Root[outputs[i]] <> i then
                if not direct[i] then
                    Elementwise.Cast(plan.Values[outputs[i]], next[i])

                let old = now[i]
                now[i] <- next[i]
                next[i] <- old

    /// Copies of what the last run returned beside the state.
    member _.Results() : NDArray[] =
        outputs[stateCount..]
        |> Array.map (fun v ->
            let spec = graph.Specs[v]
            let y = NDArray.Allocate(spec.Shape, spec.DType)
            Elementwise.Cast(plan.Values[v], y)
            y.Settle())

/// A step with state it owns: `step state batch` returns the next state and a result. The step is compiled once for each
/// kind of batch; running it allocates nothing and writes the state in place where that is safe. What the outside sees,
/// `Snapshot` and `Result`, are copies that later steps do not touch.
///
/// Example:
///
///     use stepper = new Stepper<_, _, _>((fun net (x, y) -> let loss, g = valueAndGrad (lossOf x y) net in update net g, loss), net)
///     for batch in batches do stepper.Step batch
///     let trained = stepper.Snapshot()
[<Sealed>]
type Stepper<'S, 'B, 'R>(step: 'S -> 'B -> 'S * 'R, state: 'S) =
    let leaves = Tree.leaves state
    let collector = Tree.Collector()
    let plans = List<struct (Spec[] * PlannedStep<'R>)>()
    let structure = Tree.map (fun _ -> scalar 0.0) state
    let mutable last: PlannedStep<'R> = Unchecked.defaultof<_>
    let mutable disposed = false

    let buffer (t: Tensor) = Arena(max 1 (Shape.size t.Shape * t.DType.Size())).At(0, t.Shape, t.DType)

    let now = leaves |> Array.map buffer
    let next = leaves |> Array.map buffer

    do
        for i in 0 .. leaves.Length - 1 do
            Elementwise.Cast(Tensor.value "Stepper" leaves[i], now[i])

    let isKind (specs: Spec[]) =
        let mutable same = specs.Length = collector.Count

        for i in 0 .. specs.Length - 1 do
            if same then
                let t = collector[i]
                same <- specs[i].DType = t.DType && Shape.same specs[i].Shape t.Shape

        same

    let make (batch: 'B) =
        let given = collector.Tensors
        let specs = Array.map Tensor.specOf given
        let result = ref Unchecked.defaultof<'R>

        let graph, captured =
            Trace.closed (Array.append (Array.map Tensor.specOf leaves) specs) (fun v ->
                let s, r =
                    step
                        (Tree.rebuild structure (Array.take leaves.Length v))
                        (Tree.rebuild batch (Array.skip leaves.Length v))

                result.Value <- r
                let next = Tree.leaves s

                for i in 0 .. leaves.Length - 1 do
                    if
                        next.Length <> leaves.Length
                        || not (Shape.same next[i].Shape leaves[i].Shape)
                        || next[i].DType <> leaves[i].DType
                    then
                        invalidArg
                            "step"
                            "Stepper: the state that the step returns must have the shapes and types of the one it was given"

                Array.append next (Tree.leaves r))

        if captured.Length > 0 then
            invalidOp
                "Stepper: the step closes over a tensor that is being transformed; pass it as part of the state or the batch"

        PlannedStep(Simplify.graph graph, leaves.Length, Tree.map (fun _ -> scalar 0.0) result.Value), specs

    let check () =
        if disposed then
            raise (ObjectDisposedException("Stepper", "the stepper was disposed; take a Snapshot before that"))

    /// Runs one step.
    member _.Step(batch: 'B) =
        check ()
        Tree.collectInto collector batch
        let mutable found: PlannedStep<'R> = Unchecked.defaultof<_>

        for i in 0 .. plans.Count - 1 do
            let struct (specs, plan) = plans[i]

            if isNull (box found) && isKind specs then
                found <- plan

        if isNull (box found) then
            let plan, specs = make batch
            plans.Add(struct (specs, plan))
            found <- plan

        found.Run(now, next, collector)
        last <- found
        collector.Clear()

    /// What the last step returned beside the state, copied.
    member _.Result: 'R =
        check ()

        if isNull (box last) then
            invalidOp "Stepper: there is no result before the first step"

        Tree.rebuild last.Result (last.Results() |> Array.map (fun v -> Concrete v :> Tensor))

    /// The state, copied.
    member _.Snapshot() : 'S =
        check ()

        let copy (v: NDArray) : Tensor =
            let y = NDArray.Allocate(v.Shape, v.DType)
            Elementwise.Cast(v, y)
            Concrete(y.Settle())

        Tree.rebuild structure (Array.map copy now)

    /// Replaces the state, by a copy.
    member _.Restore(state: 'S) =
        check ()
        let given = Tree.leaves state

        for i in 0 .. leaves.Length - 1 do
            if
                given.Length <> leaves.Length
                || not (Shape.same given[i].Shape leaves[i].Shape)
                || given[i].DType <> leaves[i].DType
            then
                invalidArg
                    "state"
                    "Stepper.Restore: the state must have the shapes and types of the one the stepper was made with"

            Elementwise.Cast(Tensor.value "Stepper.Restore" given[i], now[i])

    /// Bytes of the state, the arenas and the small constants of all plans.
    member _.Bytes =
        let state = Array.append now next |> Array.sumBy (fun v -> v.Storage.ByteLength)
        state + (plans |> Seq.sumBy (fun (struct (_, p)) -> p.Plan.Bytes))

    /// What became of the step, for every kind of batch so far: kernels, bytes, and which state is written in place.
    member s.Explain() : string =
        let paths = Tree.paths state
        let text = System.Text.StringBuilder()

        for struct (specs, p) in plans do
            let batch = specs |> Array.map (fun b -> $"{b.DType} {Shape.show b.Shape}") |> String.concat ", "
            let kept = Array.zip paths p.InPlace |> Array.filter (snd >> not) |> Array.map fst |> String.concat ", "

            text.AppendLine $"batch {batch}: {p.Plan.Steps.Length} kernels, {p.Plan.Bytes} bytes of working memory"
            |> ignore

            text.AppendLine(
                if kept = "" then
                    "  the state is written in place"
                else
                    $"  written to a second buffer: {kept}"
            )
            |> ignore

            text.AppendLine(Explain.kernels p.Plan) |> ignore

        text.ToString()

    member internal _.Plans = plans |> Seq.map (fun (struct (_, p)) -> p.Plan) |> Array.ofSeq

    interface IDisposable with
        member _.Dispose() =
            disposed <- true
            plans.Clear()
