namespace Functional

// A training step that owns its state: compiled once, run in place, allocating nothing.

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Functional.Plans
open Functional.Compiling
open Functional.Kernels
open Functional.Levels
open Functional.Tracing
open Functional.Operations

/// A step with state it owns: `step state batch` returns the next state and a result. The step is compiled once for each
/// kind of batch; running it allocates nothing and writes the state in place where that is safe. What the outside sees,
/// `Snapshot` and `Result`, are copies that later steps do not touch. A step that fails leaves the state as it was.
///
/// Example:
///
///     use stepper = new Stepper<_, _, _>((fun net (x, y) -> let loss, g = valueAndGrad (lossOf x y) net in update net g, loss), net)
///     for batch in batches do stepper.Step batch
///     let trained = stepper.Snapshot()
[<Sealed>]
type Stepper<'S, 'B, 'R> internal (step: 'S -> 'B -> 'S * 'R, state: 'S, keepsPrevious: bool, mayChangeShape: bool[]) =
    do Returned.requireTensors<'R> "Stepper"
    let leaves = Tree.leaves state
    let paths = Tree.paths state
    let statics = Tree.statics state
    let collector = Tree.Collector()
    /// The plans, the one used last first; those not used for long are let go.
    let plans = List<Planned<'R>>()
    let history = TraceHistory "Stepper"
    let mutable made = 0
    let bytesOf (planned: Planned<'R>) = planned.Step.Plan.Bytes
    let inOrder () = plans.ToArray() |> Array.sortBy _.Number
    let structure = Tree.map (fun _ -> scalar 0.0) state
    let everything = Array.create leaves.Length true
    let flexible = [| 0 .. leaves.Length - 1 |] |> Array.filter (fun i -> mayChangeShape[i])
    let mutable last: PlannedStep<'R> = Unchecked.defaultof<_>
    let mutable disposed = false
    /// 1 while a call reads or writes the state.
    let mutable occupied = 0
    /// Whether batches of this type hold settings beside their tensors; a type always or never does.
    let mutable hasSettings = false

    let now = leaves |> Array.map (Tensor.specOf >> Memory.own "Stepper")
    let next = leaves |> Array.map (Tensor.specOf >> Memory.own "Stepper")

    do
        for i in 0 .. leaves.Length - 1 do
            Elementwise.Cast(Tensor.value "Stepper" leaves[i], now[i])

    let fits (spec: Spec) (array: NDArray) = spec.DType = array.DType && Shape.same spec.Shape array.Shape

    let hasSignature (signature: Signature) (plan: PlannedStep<'R>) (batch: 'B) =
        let mutable same = signature.Specs.Length = collector.Count

        for i in 0 .. signature.Specs.Length - 1 do
            if same then
                let t = collector[i]
                same <- signature.Specs[i].DType = t.DType && Shape.same signature.Specs[i].Shape t.Shape

        for i in flexible do
            same <- same && fits (plan.Before i) now[i]

        same
        && (not hasSettings
            || Array.forall2 (fun (a: obj) (b: obj) -> Object.Equals(a, b)) signature.Statics (Tree.statics batch))

    /// What differs between the state given and the state returned, in the user's words.
    let requireAlike (returned: 'S) (found: Tensor[]) =
        if found.Length <> leaves.Length then
            invalidArg
                "step"
                $"Stepper: the state has {leaves.Length} tensors, the one that the step returns {found.Length}"

        for i in 0 .. leaves.Length - 1 do
            if
                not (mayChangeShape[i])
                && not (found[i].DType = leaves[i].DType && Shape.same found[i].Shape leaves[i].Shape)
            then
                let path = if paths[i] = "" then "the state" else paths[i]

                invalidArg
                    "step"
                    $"Stepper: {path} is {leaves[i].DType} {Shape.show leaves[i].Shape}, but {found[i].DType} {Shape.show found[i].Shape} in the state that the step returns; shapes and types must stay"

        if not (Array.forall2 (fun (a: obj) (b: obj) -> Object.Equals(a, b)) statics (Tree.statics returned)) then
            invalidArg
                "step"
                "Stepper: the state that the step returns has other settings than the one it was given; what changes must be a tensor"

    let make (batch: 'B) =
        let start = Stopwatch.GetTimestamp()
        let signature = Signature(Array.map Tensor.specOf collector.Tensors, Tree.statics batch)
        let result = ref Unchecked.defaultof<'R>
        let state = now |> Array.map (fun v -> { Shape = v.Shape; DType = v.DType })

        let graph, captured =
            Trace.closed (Array.append state signature.Specs) (fun v ->
                let s, r =
                    step
                        (Tree.rebuild structure (Array.take leaves.Length v))
                        (Tree.rebuild batch (Array.skip leaves.Length v))

                result.Value <- r
                let found = Tree.leaves s
                requireAlike s found
                Array.append found (Tree.leaves r))

        if captured.Length > 0 then
            invalidOp
                "Stepper: the step closes over a tensor that is being transformed; pass it as part of the state or the batch"

        let held = Traced.held graph

        let parts =
            Array.append
                (flexible |> Array.map (fun i -> struct (paths[i], $"{now[i].DType} {Shape.show now[i].Shape}")))
                (Tree.describe batch)

        let plan =
            PlannedStep(
                Pipeline.simplify graph,
                leaves.Length,
                keepsPrevious,
                Tree.map (fun _ -> scalar 0.0) result.Value
            )

        history.Add(parts, null, Stopwatch.GetElapsedTime start, held)
        hasSettings <- signature.Statics.Length > 0

        made <- made + 1

        plans.Insert(
            0,
            {
                Signature = signature
                Step = plan
                Graph = graph
                Number = made
                Names = Array.append paths (Tree.paths batch |> Array.map (fun path -> "batch " + path))
            }
        )

        while plans.Count > 1 && (plans.Count > Traced.Kept || Seq.sumBy bytesOf plans > Traced.keptBytes ()) do
            plans.RemoveAt(plans.Count - 1)

        plan

    let check () =
        if disposed then
            raise (ObjectDisposedException("Stepper", "the stepper was disposed; take a Snapshot before that"))

    /// Begins a call that reads or writes the state: what two threads write at once is nobody's state.
    let enter (operation: string) =
        check ()

        if Interlocked.CompareExchange(&occupied, 1, 0) <> 0 then
            invalidOp
                $"Stepper.{operation}: another call of this stepper is under way, on another thread or around this one; a stepper owns one state and takes one step after another: give each thread a stepper of its own"

    let leave () = Volatile.Write(&occupied, 0)

    let alone (operation: string) (work: unit -> 'T) : 'T =
        enter operation

        try
            work ()
        finally
            leave ()

    let copy (v: NDArray) : Tensor =
        let y = NDArray.Allocate(v.Shape, v.DType)
        Elementwise.Cast(v, y)
        Concrete(y.Settle())

    new(step: 'S -> 'B -> 'S * 'R, state: 'S) =
        new Stepper<'S, 'B, 'R>(step, state, false, Array.zeroCreate (Tree.leaves state).Length)

    /// Runs one step. A stepper is for one thread at a time; a second call meanwhile is an InvalidOperationException.
    member s.Step(batch: 'B) : unit =
        enter "Step"

        try
            s.Run batch
        finally
            leave ()

    member private _.Run(batch: 'B) : unit =
        Tree.collectInto collector batch
        let mutable found: PlannedStep<'R> = Unchecked.defaultof<_>

        let mutable i = 0

        while isNull (box found) && i < plans.Count do
            let planned = plans[i]

            if hasSignature planned.Signature planned.Step batch then
                found <- planned.Step

                if i > 0 then
                    plans.RemoveAt i
                    plans.Insert(0, planned)

            i <- i + 1

        if isNull (box found) then
            found <- make batch

        for i in flexible do
            if not (fits (found.After i) next[i]) then
                next[i] <- Memory.own "Stepper" (found.After i)

        // a step that fails has no result
        last <- Unchecked.defaultof<_>
        found.Run(now, next, collector)
        last <- found
        collector.Clear()

    member private _.Last =
        check ()

        if isNull (box last) then
            invalidOp "Stepper: there is no result before the first step, nor after one that failed or a Restore"

        last

    /// What the last step returned beside the state, copied.
    member s.Result: 'R =
        alone "Result" (fun () ->
            let last = s.Last
            Tree.rebuild last.Result (last.Results() |> Array.map (fun v -> Concrete v :> Tensor)))

    /// The result of the last step, where it is a single float, without allocating anything.
    member internal s.Number: float = s.Last.Number

    /// The state, copied.
    member s.Snapshot() : 'S = s.SnapshotOf everything

    /// The state with copies of some leaves (`Select`), and single zeros at the others.
    member internal _.SnapshotOf(wanted: bool[]) : 'S =
        alone "Snapshot" (fun () ->
            Tree.rebuild structure (Array.init leaves.Length (fun i -> if wanted[i] then copy now[i] else scalar 0.0)))

    /// The state before the last step, copied: for steppers that keep it.
    member internal s.Previous() : 'S =
        alone "Previous" (fun () ->
            let last = s.Last

            Tree.rebuild
                structure
                (Array.init leaves.Length (fun i -> copy (if last.IsKept i then now[i] else next[i]))))

    /// Replaces the state, by a copy. There is no result until the next step.
    member s.Restore(state: 'S) : unit = s.RestoreAt(everything, state)

    /// Replaces some leaves, by copies.
    member internal s.RestoreAt(wanted: bool[], state: 'S) : unit = alone "Restore" (fun () -> s.Replace(wanted, state))

    member private _.Replace(wanted: bool[], state: 'S) : unit =
        let given = Tree.leaves state

        if given.Length <> leaves.Length then
            invalidArg
                "state"
                $"Stepper.Restore: the stepper's state has {leaves.Length} tensors, the one given {given.Length}"

        let places = [| 0 .. leaves.Length - 1 |] |> Array.filter (fun i -> wanted[i])

        for i in places do
            let spec = Tensor.specOf given[i]

            if not (fits spec now[i] || mayChangeShape[i]) then
                invalidArg
                    "state"
                    $"Stepper.Restore: {paths[i]} is {now[i].DType} {Shape.show now[i].Shape} in the stepper and {spec.DType} {Shape.show spec.Shape} in the state given; they must agree"

        let values = places |> Array.map (fun i -> Tensor.value "Stepper.Restore" given[i])
        // what the last step returned may lie in the state
        last <- Unchecked.defaultof<_>

        for i, value in Array.zip places values do
            if not (fits (Tensor.specOf given[i]) now[i]) then
                now[i] <- Memory.own "Stepper" (Tensor.specOf given[i])

            Elementwise.Cast(value, now[i])

    /// Bytes of the state, the arenas and the small constants of all plans.
    member _.Bytes =
        let state = Array.append now next |> Array.sumBy (fun v -> int64 v.Storage.ByteLength)
        state + Seq.sumBy bytesOf plans

    /// The last traces in order: why each was needed, and for what batch.
    member _.Traces: string[] = history.Traces |> Array.map Traced.line

    /// What became of the step, for every kind of batch so far: why it was traced, the graphs before and after, the
    /// kernels, what was not fused and why, the bytes, and which state is written in place. Plain text.
    member _.Explain() : string =
        inOrder ()
        |> Array.map (fun planned ->
            let p = planned.Step

            let kept =
                paths
                |> Array.indexed
                |> Array.filter (fun (i, _) -> not p.InPlace[i] && not (p.IsKept i))
                |> Array.map (fun (_, path) -> if path = "" then "all of it" else path)
                |> String.concat ", "

            let state =
                if kept = "" then
                    "  the state is written in place"
                else
                    $"  written to a second buffer: {kept}"

            Explain.program planned.Names planned.Graph p.Plan + state + Environment.NewLine)
        |> Explain.report "stepper" history.Traces

    /// The simplified graphs as Mermaid diagrams, kernels as boxes.
    member _.Mermaid() : string[] =
        inOrder () |> Array.map (fun planned -> Explain.mermaid planned.Names planned.Step.Plan)

    member internal _.Plans = inOrder () |> Array.map _.Step.Plan

    interface IDisposable with
        member _.Dispose() =
            disposed <- true
            plans.Clear()
