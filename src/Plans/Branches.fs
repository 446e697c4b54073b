namespace Functional.Plans

// Branches and loops of unknown length: plans inside a plan.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Another graph's plan as part of this one: inputs are looked at in place, outputs are copied out.
[<Sealed>]
type internal Part(g: Graph, passes: Passes, shadow: Shadow, nested: Nested) =
    let plan =
        let g = Pipeline.simplify g
        Plan(g, Schedule.make passes g, HashSet(), passes, 0, shadow, nested)

    member _.Bytes = plan.Bytes

    member _.Run(given: NDArray[]) =
        for i in 0 .. given.Length - 1 do
            plan.Put(i, given[i])

        plan.Run()

    /// Copies the results to places that are none of what was given.
    member _.CopyTo(places: NDArray[]) =
        for i in 0 .. places.Length - 1 do
            Shadow.copy shadow plan[plan.Graph.Outputs[i]] (places[i])

        if not (isNull shadow) then
            for i in 0 .. places.Length - 1 do
                shadow.Require($"result {i} of a branch or a while loop", plan.Origin(plan.Graph.Outputs[i]), places[i])

    member _.Truth = plan[plan.Graph.Outputs[0]].Storage.Span<byte>()[0] <> 0uy

/// One of two graphs, by a truth.
[<Sealed>]
type internal Branch
    (whenTrue: Graph, whenFalse: Graph, arguments: int[], made: int[], passes: Passes, shadow: Shadow, nested: Nested) =
    inherit Step("cond")
    let parts = [| Part(whenTrue, passes, shadow, nested); Part(whenFalse, passes, shadow, nested) |]
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

/// A graph again and again, while another says so.
[<Sealed>]
type internal Repeat(w: While, arguments: int[], made: int[], passes: Passes, shadow: Shadow, nested: Nested) =
    inherit Step("while")
    let test, body = Part(w.Condition, passes, shadow, nested), Part(w.Body, passes, shadow, nested)
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
