/// What makes a plan of a graph, step by step: which operations are one kernel, and where every value lies; and that the numbers
/// stay what they were.
module Functional.Tests.PassTests

open System
open System.Collections.Generic
open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Operations
open Functional.Tests.Programs
open Functional.Tests.Traced

let private schedule f = Schedule.make Passes.all (Simplify.graph (one f))

let private obstacles (s: Schedule) = s.Apart |> Array.map (fun (struct (_, _, why)) -> why) |> List.ofArray

[<Tests>]
let fuse =
    testList "fuse" [
        testCase "an elementwise run, with what repeats along rows or columns, is one kernel"
        <| fun () ->
            let g =
                traced [ [ 3; 4 ]; [ 4 ]; [ 3; 1 ] ] (fun v -> [ tanh (v[0] * v[1] + 2.0) * v[2] - v[0] ])
                |> Simplify.graph

            let s = Schedule.make Passes.all g
            Expect.equal s.Kernels.Length 1 "one pass over memory"
            Expect.isEmpty s.Apart "nothing stayed out"

        testCase "what stays out says why"
        <| fun () ->
            Expect.contains (obstacles (schedule (fun x -> exp (x *@ transpose x)))) Obstacle.OtherKind "a product"

            Expect.contains
                (obstacles (schedule (fun x -> exp x + sumKeep [ 0 ] (exp x))))
                Obstacle.Waits
                "a sum between"

            let other =
                traced [ [ 4 ]; [ 3; 4 ] ] (fun v -> [ exp v[0] * v[1] ])
                |> Simplify.graph
                |> Schedule.make Passes.all

            Expect.contains (obstacles other) (Obstacle.OtherShape [| 4 |]) "another shape"
            let many x = List.fold (fun (x: Tensor) i -> sin x * float i) x [ 1..30 ]
            Expect.contains (obstacles (schedule many)) Obstacle.Full "too many"

        testCase "every operation is in one kernel, after all it needs"
        <| fun () ->
            for seed in seeds do
                let g = Simplify.graph (random seed)
                let s = Schedule.make Passes.all g
                let made = HashSet<int>(seq { 0 .. g.Inputs - 1 })

                let isView k =
                    (match g.Instructions[k] with
                     | Apply(Reshape _, _, _, _) -> true
                     | _ -> false)

                let isConstant k =
                    (match g.Instructions[k] with
                     | Constant _ -> true
                     | _ -> false)

                for k in 0 .. g.Instructions.Length - 1 do
                    if isConstant k then
                        made.Add s.Firsts[k] |> ignore

                let seen = List<int>()

                for kernel in s.Kernels do
                    for k in kernel.Instructions do
                        seen.Add k

                        for a in Graphs.arguments g.Instructions[k] do
                            Expect.isTrue
                                (made.Contains s.Root[a])
                                $"program {seed}: %%{a} is there before instruction {k}"

                        for r in s.Firsts[k] .. s.Firsts[k] + Graphs.results g.Instructions[k] - 1 do
                            made.Add r |> ignore

                let expected =
                    [ 0 .. g.Instructions.Length - 1 ] |> List.filter (fun k -> not (isView k || isConstant k))

                Expect.equal (List.ofSeq seen |> List.sort) expected $"program {seed}: each once"
    ]

/// A value's life in the arena: where it lies, and from which kernel to which.
type private Life = { Value: int; Offset: int64; Bytes: int64; Born: int; Dies: int }

let private lives (g: Graph) (s: Schedule) (layout: Memory.Layout) =
    let dies = Array.create g.Specs.Length -1

    layout.Reads
    |> Array.iteri (fun i vs ->
        for v in vs do
            dies[v] <- i)

    for v in g.Outputs do
        dies[s.Root[v]] <- s.Kernels.Length

    [
        for i in 0 .. s.Kernels.Length - 1 do
            for y in layout.Writes[i] do
                match layout.Places[y] with
                | Memory.Place.Arena offset -> {
                    Value = y
                    Offset = offset
                    Bytes = Memory.bytesOf g.Specs[y]
                    Born = i
                    Dies = max i dies[y]
                  }
                | Memory.Place.Outside
                | Memory.Place.Constant
                | Memory.Place.Nowhere -> ()
    ]

[<Tests>]
let memory =
    testList "memory" [
        testCase "values that are alive at once never overlap, and an operand is overwritten by its last reader only"
        <| fun () ->
            for seed in seeds do
                let g = Simplify.graph (random seed)
                let s = Schedule.make Passes.all g
                let layout = Memory.plan Passes.all g s (HashSet())
                let all = lives g s layout

                for a in all do
                    Expect.equal (a.Offset % int64 Arena.Alignment) 0L "aligned"
                    Expect.isLessThanOrEqual (a.Offset + a.Bytes) layout.ArenaBytes "inside"

                    for b in all do
                        let together = a.Born <= b.Dies && b.Born <= a.Dies
                        let overlap = a.Offset < b.Offset + b.Bytes && b.Offset < a.Offset + a.Bytes

                        if a.Value < b.Value && together && overlap then
                            let first, second = if a.Born <= b.Born then a, b else b, a

                            Expect.isTrue
                                (first.Dies = second.Born
                                 && first.Born < second.Born
                                 && first.Offset = second.Offset
                                 && Memory.mayOverwrite g s s.Kernels[second.Born] first.Value second.Value)
                                $"program {seed}: %%{a.Value} and %%{b.Value} overlap"

        testCase "an arena in blocks: no value lies in two of them, and it reaches no further than it has to"
        <| fun () ->
            for seed in seeds do
                let g = Simplify.graph (random seed)
                let s = Schedule.make Passes.all g
                let whole = Memory.plan Passes.all g s (HashSet())
                let cut = Memory.plan { Passes.all with Block = 64 } g s (HashSet())
                let all = lives g s cut
                Expect.isGreaterThanOrEqual cut.ArenaBytes whole.LiveBytes $"program {seed}: no less than lives"

                for a in all do
                    let block offset = offset / int64 cut.Block
                    let last = a.Offset + max 1L a.Bytes - 1L
                    Expect.equal (block last) (block a.Offset) $"program {seed}: %%{a.Value} lies in one block"

        testCase "a large output that is a view of what a kernel makes is written where it stays"
        <| fun () ->
            let x = normal 90 [ 300; 400 ]
            let c = compiled (fun x -> reshape [ 400; 300 ] (sin x))
            Expect.equal (Tensor.toFloats (c.Invoke x)) (Tensor.toFloats (sin x)) "the sines"
            Expect.isLessThan c.Programs[0].Runner.Plan.Bytes 1000L "not in the arena, from where it would be copied"

        testCase "the arena is close to what is alive at once"
        <| fun () ->
            let sizes =
                seeds
                |> List.map (fun seed ->
                    let g = Simplify.graph (random seed)
                    let s = Schedule.make Passes.all g
                    let layout = Memory.plan Passes.all g s (HashSet())

                    Expect.isGreaterThanOrEqual
                        layout.ArenaBytes
                        layout.LiveBytes
                        $"program {seed}: no less than lives"

                    float layout.ArenaBytes / float layout.LiveBytes)

            Expect.isLessThan (List.max sizes) 1.15 "the worst"
            Expect.isLessThan (List.average sizes) 1.01 "on average"

        testCase "a chain of operations on one array needs one array"
        <| fun () ->
            let g =
                Simplify.graph (
                    traced [ [ 64; 64 ] ] (fun v -> [ List.fold (fun x _ -> cumsum 1 (sin x)) v[0] [ 1..6 ] ])
                )

            let s = Schedule.make Passes.all g
            let bytes passes = (Memory.plan passes g s (HashSet())).ArenaBytes / (64L * 64L * 8L)
            // the sine is written over the sum before it, and a sum needs its operand beside it
            Expect.equal (bytes Passes.all) 2L "shared"
            Expect.equal (bytes { Passes.all with Share = false }) 12L "each its own"

        testCase "with any passes, the numbers are those of the graph"
        <| fun () ->
            for seed in seeds do
                let g = Simplify.graph (random seed)
                let expected = numbers (Interpret.graph g (arrays g))

                // an arena in blocks as small as the largest value of each program
                for fused, share, block in
                    [
                        true, true, Arena.LargestBlock
                        true, false, Arena.LargestBlock
                        false, true, Arena.LargestBlock
                        false, false, Arena.LargestBlock
                        true, true, 64
                        false, false, 64
                    ] do
                    let runner = Runner(g, { Passes.all with Fuse = fused; Share = share; Block = block })

                    for _ in 1..2 do
                        let found = numbers (runner.Run(arrays g))

                        Array.iter2
                            (Array.iter2 (fun a b ->
                                if not (a = b || Double.IsNaN a && Double.IsNaN b) then
                                    Expect.isLessThan (abs (a - b) / max 1.0 (abs a)) 1e-13 $"program {seed}"))
                            expected
                            found
    ]
