namespace Functional.Compiling

// A stepper's step as a plan: where the state is written.

open System.Collections.Generic
open Functional
open Functional.Plans
open Functional.Kernels
open Functional.Operations

/// One planned step for one kind of state and batch, over the stepper's state.
[<Sealed>]
type internal PlannedStep<'R>(simplified: Graph, stateCount: int, keepsPrevious: bool, result: 'R) =
    let graph = Pipeline.whole Passes.all simplified
    let outputs = graph.Outputs
    let writable = Plan.Writable graph
    let schedule = Schedule.make Passes.all graph
    /// The kernel that makes each value, and the last one that reads it or a view of it; −1 where there is none.
    let kernelOf, lastReader = Array.create graph.Specs.Length -1, Array.create graph.Specs.Length -1
    /// The last kernel that can fail: what it is given must still be whole then.
    let mutable lastFailing = -1

    do
        schedule.Kernels
        |> Array.iteri (fun i kernel ->
            for k in kernel.Instructions do
                let instruction = graph.Instructions[k]

                for r in Graphs.made graph schedule.Firsts k do
                    kernelOf[r] <- i

                for a in Graphs.arguments instruction do
                    lastReader[schedule.Root[a]] <- i

                if Graphs.canFail instruction then
                    lastFailing <- i)

    let roots = outputs |> Array.map (fun v -> schedule.Root[v])

    /// The step writes the new value of a leaf where the leaf will lie. Of several leaves with one new value that is the
    /// first; the others take copies.
    let direct =
        Array.init stateCount (fun i -> writable.Contains outputs[i] && System.Array.IndexOf(outputs, outputs[i]) = i)

    /// The new value of a state leaf can be written over the old one: its kernel is the last to read it, element for
    /// element, and nothing after it can fail.
    let inPlace =
        Array.init stateCount (fun i ->
            let y = outputs[i]

            not keepsPrevious
            && direct[i]
            && lastReader[i] >= 0
            && not (Array.contains i roots)
            && lastReader[i] = kernelOf[y]
            && kernelOf[y] > lastFailing
            && Shape.same graph.Specs[i].Shape graph.Specs[y].Shape
            && Memory.mayOverwrite graph schedule schedule.Kernels[kernelOf[y]] i y)

    let isKept =
        Array.init stateCount (fun i -> roots[i] = i && Shape.same graph.Specs[i].Shape graph.Specs[outputs[i]].Shape)

    let shadow = Shadow.ForPlan()

    let plan =
        let outside = HashSet(outputs |> Array.take stateCount |> Array.filter writable.Contains)
        Plan.scheduled graph schedule outside Passes.all shadow

    let inputs =
        Array.init (graph.Inputs - stateCount) (fun j ->
            let spec = graph.Specs[stateCount + j]

            if Memory.bytesOf spec < int64 Storage.LargeLimit then
                plan.Own spec
            else
                Unchecked.defaultof<NDArray>)

    member _.Plan = plan
    member _.InPlace = inPlace
    member _.Result = result
    /// Whether a leaf is handed on as it was.
    member _.IsKept(i: int) = isKept[i]
    /// Shape and type of a state leaf before and after the step.
    member _.Before(i: int) = graph.Specs[i]
    member _.After(i: int) = graph.Specs[outputs[i]]

    /// Runs on a batch. `now` holds the state; where a leaf is not written in place, `next` takes it and they change
    /// places.
    member _.Run(now: NDArray[], next: NDArray[], batch: Tree.Collector) =
        for i in 0 .. stateCount - 1 do
            plan.Put(i, now[i])

            if direct[i] then
                plan.Put(outputs[i], (if inPlace[i] then now[i] else next[i]))

        for j in 0 .. inputs.Length - 1 do
            let given = (batch[j] :?> Concrete).Value

            if isNull inputs[j].Shape then
                plan.Put(stateCount + j, given)
            else
                Elementwise.Cast(given, inputs[j])
                plan.Put(stateCount + j, inputs[j])

        if not (isNull shadow) then
            shadow.Clear()

        plan.Run()

        for i in 0 .. stateCount - 1 do
            if not inPlace[i] && not isKept[i] then
                if not direct[i] then
                    Shadow.copy shadow plan[outputs[i]] (next[i])

                let old = now[i]
                now[i] <- next[i]
                next[i] <- old

        if not (isNull shadow) then
            for i in 0 .. stateCount - 1 do
                shadow.Require($"leaf {i} of a stepper's state", plan.Origin(outputs[i]), now[i])

    /// Copies of what the last run returned beside the state.
    member _.Results() : NDArray[] =
        outputs[stateCount..]
        |> Array.map (fun v ->
            let spec = graph.Specs[v]
            let y = NDArray.Allocate(spec.Shape, spec.DType)
            Elementwise.Cast(plan[v], y)
            y.Settle())

    /// The single number that the last run returned beside the state, read without making anything.
    member _.Number: float =
        let y = plan[outputs[stateCount]]

        if y.DType = DType.Float32 then
            float (y.Storage.Span<float32>()[0])
        else
            y.Storage.Span<float>()[0]

/// A planned step with what it was made for, its graph as traced, and the names of that graph's inputs.
type internal Planned<'R> = {
    Signature: Signature
    Step: PlannedStep<'R>
    Graph: Graph
    Names: string[]
    Number: int
}
