/// Each pass of the compiler by itself: what it does to a graph, and that the numbers stay what they were.
module Functional.Tests.PassTests

open System
open System.Collections.Generic
open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Levels
open Functional.Tracing
open Functional.Operations
open Functional.Tests.Programs

let private spec (shape: int list) : Spec = { Shape = Array.ofList shape; DType = DType.Float64 }

/// The graph of a function of tensors of some shapes.
let private traced (shapes: int list list) (f: Tensor[] -> Tensor list) : Graph =
    Trace.graph (shapes |> List.map spec |> Array.ofList) (f >> Array.ofList)

let private one f = traced [ [ 3; 4 ] ] (fun v -> [ f v[0] ])

/// The names of a graph's operations, in order.
let private operations (g: Graph) =
    g.Instructions
    |> Array.choose (fun instruction ->
        match instruction with
        | Apply(op, _, _, _) -> Some(Facts.name op)
        | ApplyMany _ -> Some "many"
        | Constant _ -> None)
    |> List.ofArray

let private simplified f = operations (Simplify.graph (one f))

let private arrays (g: Graph) =
    g.InputSpecs
    |> Array.mapi (fun i s -> Tensor.value "test" (normal (100 + i) (List.ofArray s.Shape)))

let private numbers (results: NDArray[]) = results |> Array.map (fun v -> Tensor.toFloats (Concrete v))

/// A random program, its value and its gradient, as one graph.
let private random seed =
    Trace.graph [| spec [ 4; 4 ]; spec [ 4; 4 ] |] (fun v ->
        let y, (a, b) = valueAndGrad (randomProgram DType.Float64 seed) (v[0], v[1])
        [| y; a; b |])

let private seeds = [ 1..40 ]

let private overlapping = { Pool.window [ 3 ] with Strides = [ 1 ]; Padding = Padding.Same }

/// Some of these windows lie around the image, and see nothing of it.
let private aroundTheImage = {
    Pool.window [ 2 ] with
        Dilations = [ 6 ]
        Strides = [ 1 ]
        Padding = Padding.Same
}

[<Tests>]
let simplify =
    testList "simplify" [
        testCase "rules that leave nothing to do"
        <| fun () ->
            let nothing: (string * (Tensor -> Tensor)) list = [
                "x + 0", (fun x -> x + 0.0)
                "0 + x", (fun x -> 0.0 + x)
                "x - 0", (fun x -> x - 0.0)
                "x * 1", (fun x -> x * 1.0)
                "1 * x", (fun x -> 1.0 * x)
                "x / 1", (fun x -> x / 1.0)
                "-(-x)", (fun x -> -(-x))
                "a transpose there and back", (fun x -> transpose (transpose x))
                "a reshape there and back", (fun x -> reshape [ 3; 4 ] (reshape [ 12 ] x))
                "a cast to the same type", cast DType.Float64
                "a whole slice", narrow 0 0 3
                "a permutation that permutes nothing", permute [ 0; 1 ]
                "stopGradient", stopGradient
            ]

            for name, f in nothing do
                Expect.isEmpty (simplified f) name

        testCase "rules that leave less to do"
        <| fun () ->
            Expect.equal (simplified (fun x -> x + -(exp x))) [ "exp"; "sub" ] "a + (-b)"
            Expect.equal (simplified (fun x -> transpose x *@ x)) [ "matmul" ] "a transposed operand"

            Expect.equal
                (simplified (fun x -> x + broadcastTo [| 3; 4 |] (sumKeep [ 0 ] x)))
                [ "sum"; "add" ]
                "a spread operand"

        testCase "relu and max-pooling: the one with fewer elements last, in the gradient first"
        <| fun () ->
            let gradient window =
                traced [ [ 2; 6; 5; 3 ]; [ 2; 6; 5; 3 ] ] (fun v ->
                    let pooled x = maxPool window (relu x)
                    let y, pullback = vjp pooled v[0]
                    [ y; pullback (y * y) ])

            for window, commutes in [ Pool.window [ 2 ], true; overlapping, true; aroundTheImage, false ] do
                let before = gradient window
                let after = Simplify.graph before

                if commutes then
                    Expect.equal
                        (operations after)
                        [ "maxPool"; "relu"; "mul"; "reluscale"; "maxPoolPlace" ]
                        $"%A{window}"

                let image = arrays before

                Expect.equal
                    (numbers (Interpret.graph after image))
                    (numbers (Interpret.graph before image))
                    $"%A{window}"

        testCase "the sum of a gradient that came through max-pooling is that of what went into it"
        <| fun () ->
            let gradients axes window =
                traced [ [ 2; 6; 5; 3 ] ] (fun v ->
                    let y, pullback = vjp (maxPool window) v[0]
                    [ sumOver axes (pullback (y * y)) ])

            for axes, window, skips in
                [
                    [ 0; 1; 2 ], Pool.window [ 2 ], true
                    [ 1; 2; 3 ], overlapping, true
                    [ 0; 1 ], Pool.window [ 2 ], false
                    [ 0; 1; 2 ], aroundTheImage, false
                ] do
                let before = gradients axes window
                let after = Simplify.graph before
                Expect.equal (List.contains "maxPoolPlace" (operations after)) (not skips) $"{axes} %A{window}"
                let image = arrays before

                let sums g = Array.concat (numbers (Interpret.graph g image))

                for x, y in Seq.zip (sums after) (sums before) do
                    Expect.floatClose Accuracy.high x y $"{axes} %A{window}"

        testCase "constants are folded, large ones are not"
        <| fun () ->
            let small = Tensor.ofSeq [ 1.0; 2.0; 3.0; 4.0 ]
            Expect.equal (simplified (fun x -> x * exp (square small + 1.0))) [ "mul" ] "small"

            let large = normal 70 [ 100; 100 ]
            let g = traced [ [] ] (fun v -> [ v[0] * exp large ])
            Expect.equal (operations (Simplify.graph g) |> List.length) (operations g).Length "large"

        testCase "what can fail is not folded: the run may never come to it"
        <| fun () ->
            let table, wrong = Tensor.ofSeq [ 1.0; 2.0 ], Tensor.ofSeq [ 7 ]

            for name, op, operand in
                [
                    "take", Gather 0, table
                    "scatterAdd", ScatterAdd(0, 2), Tensor.ofSeq [ 1.0 ]
                    "gatherAlong", GatherAlong 0, table
                    "scatterAlong", ScatterAlong(0, 2), Tensor.ofSeq [ 1.0 ]
                ] do
                let constant (t: Tensor) = Constant(Tensor.value "test" t), Tensor.specOf t
                let a, b = constant operand, constant wrong
                let result = Shapes.infer op (snd a) (snd b) Unchecked.defaultof<_>
                let instructions = [| fst a; fst b; Apply(op, 0, 1, -1) |]
                let g = Graph(0, instructions, [| snd a; snd b; result |], [| 2 |])
                Expect.contains (operations (Simplify.graph g)) name "left to the run"

        testCase "equal work is done once, what nobody reads not at all"
        <| fun () ->
            Expect.equal (simplified (fun x -> exp (x * x) + exp (x * x))) [ "mul"; "exp"; "add" ] "common"

            let dead =
                one (fun x ->
                    sin x |> ignore
                    let a, _ = exp x, cos x
                    a)

            Expect.equal (operations dead) [ "exp" ] "the trace drops what is dead"
            // what a rule makes superfluous is dropped, too
            Expect.equal
                (simplified (fun x -> transpose (exp (transpose x) |> transpose |> transpose)))
                [ "transpose"; "exp"; "transpose" ]
                "dead"

        testCase "programs inside are opened up"
        <| fun () ->
            let inner = compile (fun (x: Tensor) -> exp x * 2.0)
            Expect.equal (simplified (fun x -> inner x + inner x)) [ "exp"; "mul"; "add" ] "one graph"

        testCase "a barrier keeps equal work apart"
        <| fun () ->
            let tied (x: Tensor) = Tensor.Bind(Custom(Rules.Barrier 1), [| x; x |])[0]
            Expect.equal (simplified (fun x -> exp x + exp (tied x))) [ "exp"; "reshape"; "exp"; "add" ] "twice"

        testCase "numbers stay, to the last bit"
        <| fun () ->
            for seed in seeds do
                let g = random seed
                let s = Simplify.graph g
                Expect.isLessThanOrEqual s.Instructions.Length g.Instructions.Length "no more operations"

                Expect.equal
                    (numbers (Interpret.graph s (arrays g)))
                    (numbers (Interpret.graph g (arrays g)))
                    $"program {seed}"
    ]

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
