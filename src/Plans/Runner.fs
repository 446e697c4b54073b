namespace Functional.Plans

// A compiled program: a graph and the plans that run it. A plan serves one run at a time, so there are as many as runs
// that overlap.

open System.Collections.Concurrent
open System.Collections.Generic
open System.Threading
open Functional
open Functional.Kernels
open Functional.Operations

/// A plan whose inputs and outputs are ordinary arrays.
[<Sealed; AllowNullLiteral>]
type internal Runner(simplified: Graph, passes: Passes) =
    let graph = Pipeline.whole passes simplified
    let large (spec: Spec) = Memory.bytesOf spec >= int64 Storage.LargeLimit

    // large outputs are written where they will stay; small ones, which the collector may move, are copied out
    let outside = HashSet(Plan.Writable graph |> Seq.filter (fun v -> large graph.Specs[v]))
    let shadow = Shadow.ForPlan()
    let plan = Plan.make graph outside passes shadow

    let inputs =
        Array.init graph.Inputs (fun i ->
            if large graph.Specs[i] then
                Unchecked.defaultof<NDArray>
            else
                plan.Own graph.Specs[i])

    member _.Plan = plan

    member _.Run(given: NDArray[]) : NDArray[] =
        for i in 0 .. inputs.Length - 1 do
            if isNull inputs[i].Shape then
                plan.Put(i, given[i])
            else
                Elementwise.Cast(given[i], inputs[i])
                plan.Put(i, inputs[i])

        for v in outside do
            plan.Put(v, NDArray.Allocate(graph.Specs[v].Shape, graph.Specs[v].DType))

        if not (isNull shadow) then
            shadow.Clear()

        plan.Run()

        let outputs =
            graph.Outputs
            |> Array.map (fun v ->
                let root = plan.Schedule.Root[v]

                if root < graph.Inputs then
                    given[root].Reshape graph.Specs[v].Shape
                elif outside.Contains root then
                    plan[root].Reshape graph.Specs[v].Shape
                else
                    let y = NDArray.Allocate(graph.Specs[v].Shape, graph.Specs[v].DType)
                    Elementwise.Cast(plan[v], y)
                    y.Settle())

        // what was given and what was made belong to the caller
        for i in 0 .. inputs.Length - 1 do
            if isNull inputs[i].Shape then
                plan.Put(i, Unchecked.defaultof<NDArray>)

        for v in outside do
            plan.Put(v, Unchecked.defaultof<NDArray>)

        outputs

[<Sealed>]
type internal CompiledProgram(graph: Graph) =
    inherit Program(graph)
    let simplified = lazy (Pipeline.simplify graph)
    // Plans that no run uses: one, and more where runs overlapped. Not a bag, whose parts hang on the threads that used it: a
    // loop's program is found by the graph in it, which the thread would keep alive for ever.
    let mutable idle: Runner = null
    let others = ConcurrentStack<Runner>()

    let take () =
        match Interlocked.Exchange(&idle, null) with
        | null ->
            match others.TryPop() with
            | true, r -> r
            | _ -> Runner(simplified.Value, Passes.all)
        | r -> r

    let giveBack (runner: Runner) =
        if not (isNull (Interlocked.CompareExchange(&idle, runner, null))) then
            others.Push runner

    member _.Simplified = simplified.Value

    /// Bytes of the plans that no run uses.
    member _.Bytes =
        let one = Volatile.Read &idle
        (if isNull one then 0L else one.Plan.Bytes) + (others |> Seq.sumBy _.Plan.Bytes)

    /// A plan to look at.
    member _.Runner =
        let runner = take ()
        giveBack runner
        runner

    override _.Run inputs =
        let runner = take ()
        let outputs = runner.Run inputs
        giveBack runner
        outputs

    override _.With g = CompiledProgram g
